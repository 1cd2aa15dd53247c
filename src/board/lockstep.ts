import type { Saved } from "../bus/state.ts";
import type { Machine } from "./machine.ts";
import type { RunResult } from "./run-result.ts";

/** Where two machines that should be one came apart. */
export interface Difference {
  /** The instructions between which it happened: equal up to `from`, different at `to`. */
  readonly from: number;
  readonly to: number;
  /** The pc of both machines at `from`. */
  readonly pc: number;
  /** What differs at `to`. */
  readonly fields: readonly DifferentField[];
}

export interface DifferentField {
  /** `device.field`. */
  readonly name: string;
  readonly one: string;
  readonly other: string;
}

/** How a pair of runs ended: apart, or together after so many instructions. */
export type LockstepResult =
  | { readonly difference: Difference }
  | { readonly instructions: number; readonly status: number | undefined };

/** State that says how a machine got there and not where it is: what an access on its way has left behind. */
const passing: ReadonlySet<string> = new Set(
  ["scratch", "trap", "simd.operand.low", "simd.operand.high", "fpu.out", "fpu.outHigh", "fpu.raised"].map(
    (name) => `cpu.${name}`,
  ),
);

/**
 * Runs two machines side by side, a stretch at a time, and compares all their devices, the processors among them, behind each; RAM at the end. When they
 * differ, both are made anew and run up to the last place where they did not, and from there by ever shorter stretches to the instruction.
 *
 * @param make gives a pair of machines which have not run; each time the same pair, with drives as they were. Both have to go by the virtual clock.
 */
export async function lockstep(
  make: () => Promise<readonly [Machine, Machine]>,
  { stretch = 100_000, limit = Number.MAX_SAFE_INTEGER }: { readonly stretch?: number; readonly limit?: number } = {},
): Promise<LockstepResult> {
  let together = 0;
  let length = stretch;
  for (;;) {
    const [one, other] = await make();
    if (together > 0) {
      one.run(together);
      other.run(together);
    }
    const found = follow(one, other, together, length, limit);
    if (!("to" in found)) return found;
    if (length === 1) return { difference: found };
    together = found.from;
    length = Math.max(1, Math.floor(length / 100));
  }
}

/** Runs both on from an instruction until they differ, end or reach the limit. */
function follow(
  one: Machine,
  other: Machine,
  from: number,
  stretch: number,
  limit: number,
): Difference | Exclude<LockstepResult, { difference: Difference }> {
  for (let at = from; ; at += stretch) {
    const { pc } = one.cpu;
    const [a, b] = [one.run(stretch), other.run(stretch)];
    const fields = compare(one, other);
    const ended = isOver(a) || isOver(b) || at + stretch >= limit;
    if (fields.length === 0 && ended && !sameRam(one, other))
      fields.push({ name: "ram", one: "(its bytes)", other: "(others)" });
    if (fields.length > 0 || a.reason !== b.reason || a.status !== b.status)
      return { from: at, to: at + stretch, pc, fields };
    if (ended) return { instructions: one.cpu.instructions, status: a.status };
  }
}

/** Nothing happens any more: the guest has left, or it waits for input, of which there is none. */
function isOver({ reason, wake }: RunResult): boolean {
  return reason === "exit" || (reason === "idle" && wake === Number.POSITIVE_INFINITY);
}

function compare(one: Machine, other: Machine): DifferentField[] {
  const [a, b] = [one.state(), other.state()];
  return Object.keys(a).flatMap((device) => compareDevice(device, a[device] as Saved, b[device] as Saved));
}

function compareDevice(device: string, a: Saved, b: Saved): DifferentField[] {
  const show = (value: unknown) =>
    JSON.stringify(value, (_, v: unknown) => (typeof v === "number" ? `0x${(v >>> 0).toString(16)}` : v));
  return Object.keys(a)
    .filter((field) => !passing.has(`${device}.${field}`) && JSON.stringify(a[field]) !== JSON.stringify(b[field]))
    .map((field) => ({ name: `${device}.${field}`, one: show(a[field]), other: show(b[field]) }));
}

function sameRam(one: Machine, other: Machine): boolean {
  const [a, b] = [one.ram.contents(), other.ram.contents()];
  const words = (bytes: Uint8Array) => new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3);
  const [x, y] = [words(a), words(b)];
  return x.every((word, k) => word === y[k]);
}
