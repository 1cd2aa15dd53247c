import { isatty, type ReadStream } from "node:tty";
import { openPty } from "./console-pty.ts";
import { type Command, EscapeKeys } from "./escape.ts";
import { Input, isAllThere } from "./input.ts";
import { Output } from "./output.ts";
import { say } from "./stderr.ts";
import { takeTerminal } from "./terminal.ts";

/** Where the guest's console is: this process's standard streams, a pseudo-terminal of its own, or nowhere. */
export type ConsoleKind = "stdio" | "pty" | "none";

export const keyHelp =
  "Ctrl-A x quits, Ctrl-A c is the monitor, Ctrl-A Ctrl-A sends Ctrl-A, Ctrl-A h shows this; all other keys, Ctrl-C too, go to the guest";

/** The outside of a console. */
export interface JoinedConsole {
  readonly input: Input;
  readonly output: Output;
  /** Whether a person types, who sees what is lost. */
  readonly isTerminal: boolean;
  release(): void;
}

/**
 * Opens it. Commands which a person types at a terminal are told to `onCommand`; what else is typed there goes to `toMonitor`, which
 * gives what is left for the guest.
 */
export async function joinConsole(
  kind: ConsoleKind,
  onCommand: (command: Command) => void,
  toMonitor: (typed: Uint8Array) => Uint8Array = (typed) => typed,
): Promise<JoinedConsole> {
  if (kind === "none") return { input: Input.none(), output: new Output(undefined), isTerminal: false, release() {} };
  if (kind === "pty") {
    const { path, master } = await openPty();
    say(`the console is at ${path}`);
    const release = () => void master.destroy();
    return { input: Input.fromStream(master), output: new Output(master), isTerminal: true, release };
  }
  const output = new Output(process.stdout);
  if (isatty(0)) {
    const keys = new EscapeKeys();
    const release = takeTerminal(process.stdin as ReadStream);
    say(keyHelp);
    // One key at a time: what is typed in front of a command is not for whom the command turns the keyboard to.
    const key = (byte: number) => toMonitor(keys.filter(Uint8Array.of(byte), onCommand));
    const input = Input.fromStream(process.stdin, (typed) =>
      Uint8Array.from([...typed].flatMap((byte) => [...key(byte)])),
    );
    return { input, output, isTerminal: true, release };
  }
  const input = isAllThere(0, false) ? Input.fromFile(0) : Input.fromStream(process.stdin);
  return { input, output, isTerminal: false, release() {} };
}
