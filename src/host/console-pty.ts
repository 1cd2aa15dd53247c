import { constants, openSync } from "node:fs";
import { ReadStream } from "node:tty";
import { Failure, oneLine } from "./failure.ts";

/** A pseudo-terminal with nobody at its other end yet. */
export interface PtyConsole {
  /** What a person connects to: `screen /dev/pts/5`. */
  readonly path: string;
  /** The guest's end, to read from and to write to. */
  readonly master: ReadStream;
}

/** What the library has beside its declarations: a pseudo-terminal without a child in it. */
interface Opener {
  open(options: { cols: number; rows: number; encoding: null }): {
    readonly master: ReadStream;
    readonly slave: ReadStream;
    readonly ptsName: string;
  };
}

/** Opens a pseudo-terminal for the guest's console. @throws Failure where the optional library is not installed. */
export async function openPty(): Promise<PtyConsole> {
  try {
    const library = await import("@lydell/node-pty");
    const { master, slave, ptsName } = (library as unknown as Opener).open({ cols: 80, rows: 24, encoding: null });
    // The other end is held open, so that a person may come and go, but never read from: what the guest says is theirs.
    // The library's own handle of it does read.
    const held = new ReadStream(openSync(ptsName, constants.O_RDWR | constants.O_NOCTTY));
    slave.destroy();
    held.setRawMode(true);
    held.unref();
    return { path: ptsName, master };
  } catch (error) {
    const why = error instanceof Error ? oneLine(error.message) : String(error);
    throw new Failure(`--console pty: no pseudo-terminal to be had (${why}); use --console stdio`);
  }
}
