import type { Machine } from "../board/machine.ts";
import { type Ending, watchOutside } from "./ending.ts";
import type { Command } from "./escape.ts";
import { exitStatus } from "./failure.ts";
import { type ConsoleKind, joinConsole, keyHelp } from "./join-console.ts";
import { Loop } from "./loop.ts";
import { say } from "./stderr.ts";
import type { TraceOut } from "./trace-out.ts";
import { Watch } from "./watch.ts";

/** Instructions a slice: some milliseconds, and a fixed number, so that input from a file arrives at the same one in every run. */
const slice = 250_000;

/** A guest that polls its console never asks for interrupts; after this much of its time piped input is given to it all the same. */
const patience = 5e9;

/** How one talks to a guest, and when that ends. */
export interface Conversation {
  readonly kind: ConsoleKind;
  readonly expected: RegExp | undefined;
  readonly timeout: number | undefined;
  readonly traceOut: TraceOut;
}

/** Runs the machine with its console joined to the outside, until either has had enough. Gives the status. */
export async function converse(machine: Machine, { kind, expected, timeout, traceOut }: Conversation): Promise<number> {
  let ending: Ending | undefined;
  let over = false;
  const end = (why: Ending) => {
    // Only the reader of the last output is waited for, and that has now been long enough.
    if (over) process.exit(ending?.status ?? why.status);
    ending ??= why;
    loop.stop();
  };
  const onCommand = (command: Command) => {
    if (command === "quit") end({ status: exitStatus.ok });
    else say(command === "help" ? keyHelp : "there is no monitor yet; Ctrl-A x quits");
  };

  const { input, output, isTerminal, release } = await joinConsole(kind, onCommand);
  const watch = new Watch(expected);
  machine.onConsole = (byte) => output.add(byte);
  const debug = lines((text) => machine.trace.channel("debug-console").log(text));
  const debugChannel = machine.trace.channel("debug-console");
  machine.onDebug = (byte) => {
    if (debugChannel.on) debug(byte);
  };
  let printed = false;
  output.onBytes = (bytes) => {
    printed = true;
    watch.add(bytes);
    if (watch.seen) end({ status: exitStatus.ok });
  };
  output.onClosed = () =>
    end({ status: exitStatus.failure, message: "standard output was closed by its reader", hurry: true });

  const listens = () => isTerminal || machine.console.listening || machine.clock.now > patience;
  const loop = new Loop(machine, {
    slice,
    feed: (asleep) => (asleep || listens()) && input.feed(machine.console),
    flush: () => {
      output.flush();
      traceOut.flush();
      const some = printed;
      printed = false;
      return some;
    },
    blocked: () => (output.full ? output.drained() : undefined),
    mayComeInput: () => !input.ended,
  });
  input.onData = () => loop.wake();
  const stopWatching = watchOutside(timeout, end);

  try {
    const result = await loop.run();
    over = true;
    if (!ending?.hurry) await output.drained();
    return conclude(result.by === "guest" ? result.status : undefined, ending, expected, watch, timeout);
  } finally {
    stopWatching();
    input.close();
    release();
  }
}

/** The exit status, with a line about it where one is due. `guest` is what the guest left with, if it did. */
function conclude(
  guest: number | undefined,
  ending: Ending | undefined,
  expected: RegExp | undefined,
  watch: Watch,
  timeout: number | undefined,
): number {
  const lastLines = () => `; the last lines of the console:\n${watch.tail()}`;
  if (ending !== undefined && ending.status !== exitStatus.timeout) {
    if (ending.message !== undefined) say(ending.message);
    return ending.status;
  }
  if (expected !== undefined) {
    const why =
      ending !== undefined
        ? `within ${timeout} s`
        : guest !== undefined
          ? `before the guest ended with status ${guest}`
          : "and the guest halted with nothing that could wake it";
    say(`--expect ${expected.source} was not seen ${why}${lastLines()}`);
    return exitStatus.timeout;
  }
  if (ending !== undefined) {
    say(`--timeout: the guest still ran after ${timeout} s${lastLines()}`);
    return exitStatus.timeout;
  }
  if (guest !== undefined) return guest;
  say("the guest halted with nothing that could wake it, and input has ended; see what it said above");
  return exitStatus.failure;
}

/** Gathers bytes to lines. */
function lines(put: (line: string) => void): (byte: number) => void {
  let text = "";
  return (byte) => {
    if (byte !== 0x0a && text.length < 1000) text += byte === 0x0d ? "" : String.fromCharCode(byte);
    if (byte !== 0x0a && text.length < 1000) return;
    put(text);
    text = "";
  };
}
