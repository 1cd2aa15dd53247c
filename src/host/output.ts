import type { Writable } from "node:stream";
import { exitStatus } from "./failure.ts";

/** Bytes that may wait for a slow reader before the guest has to. */
const most = 65536;

/**
 * The guest's console on its way to standard output: gathered during a slice, written once after it.
 *
 * A reader that does not keep up stops the guest, and nothing is lost at the end.
 */
export class Output {
  /** Told once when the reader is gone. */
  onClosed: (() => void) | undefined;
  /** Told of all bytes, whether somebody reads them or not. */
  onBytes: ((bytes: Uint8Array) => void) | undefined;
  readonly #stream: Writable | undefined;
  readonly #bytes = new Uint8Array(4096);
  #length = 0;
  #closed = false;

  /** @param stream none when nobody is to read it. */
  constructor(stream: Writable | undefined) {
    this.#stream = stream;
    const closed = () => {
      if (this.#closed) return;
      this.#closed = true;
      this.onClosed?.();
    };
    // EPIPE and its kin. Whatever the error is, nobody reads this any more.
    stream?.on("error", closed);
    stream?.on("close", closed);
  }

  add(byte: number): void {
    if (this.#length === this.#bytes.length) this.flush();
    this.#bytes[this.#length++] = byte;
  }

  /** Says something of the emulator's own to the person there, behind what the guest has said; it is none of the guest's output. */
  say(text: string): void {
    this.flush();
    if (!this.#closed && text !== "") this.#stream?.write(text);
  }

  /** Hands on what was gathered. */
  flush(): void {
    if (this.#length === 0) return;
    const bytes = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    if (!this.#closed) this.#stream?.write(bytes);
    this.onBytes?.(bytes);
  }

  /** Whether the reader is so far behind that the guest should not run. */
  get full(): boolean {
    return !this.#closed && (this.#stream?.writableLength ?? 0) > most;
  }

  /** Resolves when the reader has taken what waits, or is gone. */
  drained(): Promise<void> {
    const stream = this.#stream;
    if (this.#closed || stream === undefined || stream.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => {
      stream.once("close", resolve);
      stream.once("error", () => resolve());
      // An empty write ends after all those before it.
      stream.write("", () => resolve());
    });
  }
}

/** Standard output, for a command whose output is all that it is for: a slow reader is waited for, and without one the process ends. */
export function standardOutput(): Output {
  const output = new Output(process.stdout);
  output.onClosed = () => process.exit(exitStatus.failure);
  return output;
}
