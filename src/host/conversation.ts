import type { Machine } from "../board/machine.ts";
import { Debugger } from "../debug/debugger.ts";
import { Monitor } from "../debug/monitor/monitor.ts";
import type { Symbols } from "../debug/symbols.ts";
import { type Ending, watchOutside } from "./ending.ts";
import type { Command } from "./escape.ts";
import { exitStatus } from "./failure.ts";
import type { GdbPort } from "./gdb-port.ts";
import { type ConsoleKind, joinConsole, keyHelp } from "./join-console.ts";
import { Loop } from "./loop.ts";
import { MonitorKeys } from "./monitor-keys.ts";
import { say } from "./stderr.ts";
import type { Stopwatch } from "./stopwatch.ts";
import type { TraceOut } from "./trace-out.ts";
import { Watch } from "./watch.ts";

/** Instructions a slice, of virtual time: a fixed number, so that input from a file arrives at the same one in every run. */
const slice = 250_000;
/** With the host's clock no run is like another. A slice is some milliseconds of cold code; a turn of the host's loop takes as long as some ten thousand. */
const hostSlice = 1_000_000;

/** A guest that polls its console never asks for interrupts; after this much of its time piped input is given to it all the same. */
const patience = 5e9;

/** How one talks to a guest, and when that ends. */
export interface Conversation {
  readonly kind: ConsoleKind;
  readonly expected: RegExp | undefined;
  readonly timeout: number | undefined;
  readonly traceOut: TraceOut;
  /** Where gdb is waited for, with the machine held; 0 for any port. */
  readonly gdb?: number;
  /** Names for addresses. */
  readonly symbols?: Symbols;
  /** The machine's wall clock, which rests while the machine is held. */
  readonly stopwatch?: Stopwatch;
  /** Told of each slice how many milliseconds of the host's it took. */
  readonly ran?: (milliseconds: number) => void;
}

/** Runs the machine with its console joined to the outside, until either has had enough. Gives the status. */
export async function converse(machine: Machine, options: Conversation): Promise<number> {
  const { kind, expected, timeout, traceOut, stopwatch } = options;
  const debug = new Debugger(machine, options.symbols);
  let gdb: GdbPort | undefined;
  const unlessGdb = () => (gdb?.attached === true ? "gdb holds the machine: let it go on from there" : undefined);
  let ending: Ending | undefined;
  let over = false;
  const end = (why: Ending) => {
    // Only the reader of the last output is waited for, and that has now been long enough.
    if (over) process.exit(ending?.status ?? why.status);
    ending ??= why;
    loop.stop();
  };
  const quit = () => end({ status: exitStatus.ok });
  const monitor = new Monitor(debug, { quit, busy: unlessGdb });
  const keys = new MonitorKeys((line) => monitor.execute(line));
  const onCommand = (command: Command) => {
    if (command === "quit") quit();
    else if (command === "monitor") output.say(keys.toggle());
    else say(keyHelp);
  };

  const joined = await joinConsole(kind, onCommand, (typed) => {
    if (!keys.on) return typed;
    output.say(keys.type(typed));
    return new Uint8Array(0);
  });
  const { input, output, isTerminal, release } = joined;
  const watch = new Watch(expected);
  machine.onConsole = (byte) => output.add(byte);
  const debugLine = lines((text) => machine.trace.channel("debug-console").log(text));
  const debugChannel = machine.trace.channel("debug-console");
  machine.onDebug = (byte) => {
    if (debugChannel.on) debugLine(byte);
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
  const loop = new Loop(debug, {
    slice: machine.clock.isHostTime ? hostSlice : slice,
    feed: (asleep) => !debug.stopped && (asleep || listens()) && input.feed(machine.console),
    flush: () => {
      output.flush();
      traceOut.flush();
      const some = printed;
      printed = false;
      return some;
    },
    blocked: () => (output.full ? output.drained() : undefined),
    mayComeInput: () => !input.ended || gdb !== undefined,
    ran: options.ran,
  });
  input.onData = () => loop.wake();
  debug.onResume = () => {
    stopwatch?.start();
    loop.wake();
  };
  debug.listen(() => stopwatch?.stop());
  const stopWatching = watchOutside(timeout, end);

  try {
    if (options.gdb !== undefined) {
      debug.stop();
      const { GdbPort } = await import("./gdb-port.ts");
      const wishes = { monitor: (line: string) => monitor.execute(line), kill: quit };
      gdb = await GdbPort.open(options.gdb, debug, wishes);
    }
    const result = await loop.run();
    over = true;
    if (!ending?.hurry) await output.drained();
    return conclude(result.by === "guest" ? result.status : undefined, ending, expected, watch, timeout);
  } finally {
    await gdb?.close();
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
