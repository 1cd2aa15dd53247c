import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, readvSync, writeSync, writevSync } from "node:fs";
import { basename } from "node:path";
import { type BlockBackend, lengthOf } from "../backend/block.ts";
import { Failure, reason } from "./failure.ts";

/** What a write of zeroes is made of. */
const zeroes = new Uint8Array(65536);

/**
 * A raw disk image on the host. Its capacity is what the file had when it was opened; it never grows.
 *
 * Every call is done by the time it returns: a guest's request is small, and the page cache answers most of them.
 */
export class BlockFile implements BlockBackend {
  readonly size: number;
  readonly readOnly: boolean;
  readonly id: string;
  readonly #descriptor: number;
  #open = true;

  /** @throws Failure when the file cannot be opened as asked. */
  constructor(file: string, readOnly = false) {
    this.readOnly = readOnly;
    this.id = basename(file);
    try {
      this.#descriptor = openSync(file, readOnly ? "r" : "r+");
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      const advice =
        code === "ENOENT"
          ? "make one with `truncate -s 16M FILE`, or check the path"
          : readOnly
            ? "check the path and its rights"
            : "add ,readonly or ,snapshot to leave it unwritten, or check its rights";
      throw new Failure(`cannot open drive ${file}: ${reason(error)}; ${advice}`);
    }
    const status = fstatSync(this.#descriptor);
    this.size = status.size;
    const wrong = !status.isFile()
      ? "it is not a regular file"
      : status.size < 512
        ? "it is smaller than a sector"
        : "";
    if (wrong !== "") {
      this.close();
      throw new Failure(`cannot open drive ${file}: ${wrong}; give a raw image of at least 512 bytes`);
    }
  }

  read(offset: number, into: Uint8Array, done: (ok: boolean) => void): void {
    done(this.#readOne(offset, into));
  }

  readv(offset: number, into: readonly Uint8Array[]): boolean {
    const [first] = into;
    // One is the usual case, and the cheaper call.
    if (into.length === 1 && first !== undefined) return this.#readOne(offset, first);
    return this.#inside(offset, lengthOf(into)) && this.#wholeOf(into, offset, readvSync);
  }

  write(offset: number, from: Uint8Array, done: (ok: boolean) => void): void {
    done(this.#writeOne(offset, from));
  }

  writev(offset: number, from: readonly Uint8Array[]): boolean {
    const [first] = from;
    if (from.length === 1 && first !== undefined) return this.#writeOne(offset, first);
    return this.#writable(offset, lengthOf(from)) && this.#wholeOf(from, offset, writevSync);
  }

  flush(done: (ok: boolean) => void): void {
    done(
      this.#open &&
        this.#tried(() => {
          // Its length never changes, so of what fsync writes besides there is nothing that a reader would want.
          if (!this.readOnly) fdatasyncSync(this.#descriptor);
        }),
    );
  }

  /** A hint, which is taken by leaving the data alone: node has no way to punch a hole. */
  discard(offset: number, length: number, done: (ok: boolean) => void): void {
    done(this.#writable(offset, length));
  }

  writeZeroes(offset: number, length: number, done: (ok: boolean) => void): void {
    const piece = (at: number) => {
      const part = zeroes.subarray(0, Math.min(zeroes.length, length - at));
      return writeSync(this.#descriptor, part, 0, part.length, offset + at);
    };
    done(this.#writable(offset, length) && this.#whole(length, piece));
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#descriptor);
  }

  #readOne(offset: number, into: Uint8Array): boolean {
    const step = (at: number) => readSync(this.#descriptor, into, at, into.length - at, offset + at);
    return this.#inside(offset, into.length) && this.#whole(into.length, step);
  }

  #writeOne(offset: number, from: Uint8Array): boolean {
    const step = (at: number) => writeSync(this.#descriptor, from, at, from.length - at, offset + at);
    return this.#writable(offset, from.length) && this.#whole(from.length, step);
  }

  /** `#whole` for several buffers. */
  #wholeOf(views: readonly Uint8Array[], offset: number, move: typeof readvSync): boolean {
    const length = lengthOf(views);
    let left = views;
    return this.#whole(length, (at) => {
      const moved = move(this.#descriptor, left, offset + at);
      if (at + moved < length) left = behind(left, moved);
      return moved;
    });
  }

  /** Repeats a call, which may do less than it was asked for, until all is done. None at all is an error: the file was cut. */
  #whole(length: number, step: (at: number) => number): boolean {
    return this.#tried(() => {
      for (let at = 0; at < length; ) {
        const moved = step(at);
        if (moved <= 0) throw new Error("nothing moved");
        at += moved;
      }
    });
  }

  /** An error of the host's is the guest's I/O error, never an exception. */
  #tried(call: () => void): boolean {
    try {
      call();
      return true;
    } catch {
      return false;
    }
  }

  #inside(offset: number, length: number): boolean {
    return this.#open && offset >= 0 && length >= 0 && offset + length <= this.size;
  }

  #writable(offset: number, length: number): boolean {
    return !this.readOnly && this.#inside(offset, length);
  }
}

/** What is left of these behind so many bytes. */
function behind(views: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let rest = bytes;
  for (const [i, view] of views.entries()) {
    if (rest < view.length) return [view.subarray(rest), ...views.slice(i + 1)];
    rest -= view.length;
  }
  return [];
}
