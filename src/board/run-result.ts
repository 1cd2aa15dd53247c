/**
 * Why `run` came back.
 *
 * budget   the instructions are used up, or as much time was skipped as a slice may skip;
 * idle     the guest waits and nothing in the machine will wake it before `wake` nanoseconds from now (Infinity: only input can);
 * waiting  a device's request is due and the host has not finished it: run again when it has;
 * paused   somebody asked for it by `pause`: a debugger's breakpoint;
 * exit     the guest wrote its exit register, or powered off (status 0). It stays so.
 */
export interface RunResult {
  readonly reason: "budget" | "idle" | "waiting" | "paused" | "exit";
  /** With `exit`: 0 to 255. */
  readonly status?: number;
  /** With `idle`: nanoseconds from now. */
  readonly wake?: number;
  /** Virtual nanoseconds which passed in this call while the guest was halted: a host which need not hurry may sleep as long. */
  readonly skipped: number;
}
