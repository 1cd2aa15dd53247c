import { fstatSync, readSync } from "node:fs";
import type { Readable } from "node:stream";

/** Bytes that may wait for the guest before whoever types has to. */
const most = 65536;

const controlD = Uint8Array.of(0x04);

/** Where typed bytes go: the guest's UART with what waits before it. Gives how many bytes it took. */
export interface Keyboard {
  receive(bytes: Uint8Array): number;
}

/**
 * What is typed, or piped in, on its way to the guest. The end of it becomes one Ctrl-D, as a shell wants.
 *
 * Bytes wait here while the guest has no room, and a sender that goes on is held back.
 */
export class Input {
  /** Told when there is something new to take. */
  onData: (() => void) | undefined;
  readonly #waiting: Uint8Array[] = [];
  #length = 0;
  #stream: Readable | undefined;
  #file: number | undefined;
  #ended = false;
  #paused = false;

  /** Bytes from a stream, as they come. `filter` may take some out. */
  static fromStream(stream: Readable, filter: (typed: Uint8Array) => Uint8Array = (typed) => typed): Input {
    const input = new Input();
    input.#stream = stream;
    stream.on("data", (typed: Uint8Array) => input.#add(filter(typed)));
    const end = () => input.#end();
    stream.on("end", end);
    stream.on("close", end);
    // A terminal that is gone reads as EIO.
    stream.on("error", end);
    return input;
  }

  /** A file, or /dev/null. It is all there, and therefore read when it is wanted: two runs get it at the same instruction. */
  static fromFile(descriptor: number): Input {
    const input = new Input();
    input.#file = descriptor;
    return input;
  }

  /** Nobody types, and nobody will say so either. */
  static none(): Input {
    return new Input();
  }

  /** Whether nothing will come from here any more. */
  get ended(): boolean {
    return this.#stream === undefined && this.#file === undefined && this.#length === 0;
  }

  /** Gives the guest as much as it takes. True when it took something. */
  feed(keyboard: Keyboard): boolean {
    if (this.#file !== undefined && this.#length < 4096) this.#readFile(this.#file);
    let fed = false;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const taken = keyboard.receive(next);
      if (taken > 0) fed = true;
      this.#length -= taken;
      if (taken < next.length) {
        this.#waiting[0] = next.subarray(taken);
        break;
      }
      this.#waiting.shift();
    }
    if (this.#paused && this.#length < most / 2) {
      this.#paused = false;
      this.#stream?.resume();
    }
    return fed;
  }

  /** Takes nothing more, so that the process can end. */
  close(): void {
    this.#ended = true;
    this.#stream?.pause();
    this.#stream = undefined;
    this.#file = undefined;
  }

  #add(typed: Uint8Array): void {
    if (this.#ended || typed.length === 0) return;
    this.#waiting.push(typed);
    this.#length += typed.length;
    if (this.#length > most) {
      this.#paused = true;
      this.#stream?.pause();
    }
    this.onData?.();
  }

  #end(): void {
    if (this.#ended) return;
    this.#add(controlD);
    this.#ended = true;
    this.#stream = undefined;
    this.#file = undefined;
  }

  #readFile(descriptor: number): void {
    const bytes = new Uint8Array(4096);
    let got = 0;
    try {
      got = readSync(descriptor, bytes);
    } catch {
      // A file that cannot be read has ended, as far as the guest can tell.
    }
    if (got === 0) this.#end();
    else this.#add(bytes.subarray(0, got));
  }
}

/** Whether the descriptor gives bytes without waiting: a file, or a device like /dev/null, but no terminal. */
export function isAllThere(descriptor: number, isTerminal: boolean): boolean {
  try {
    const status = fstatSync(descriptor);
    return status.isFile() || (status.isCharacterDevice() && !isTerminal);
  } catch {
    // Closed before we were started: as good as empty.
    return true;
  }
}
