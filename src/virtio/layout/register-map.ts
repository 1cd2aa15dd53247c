import type { BusTarget, Width } from "../../bus/target.ts";
import type { Channel } from "../../trace/trace.ts";

/** A register of a layout: a row of its table, in the order of the specification. */
export interface Register<Name extends string> {
  readonly name: Name;
  readonly at: number;
  readonly width: Width;
  readonly access: "r" | "rw" | "w";
  /** Virtio 1.2, unless it says otherwise. */
  readonly section: string;
}

/** What stands behind a table of registers. Values are whole registers. */
export interface RegisterHandler<Name extends string> {
  read(name: Name): number;
  write(name: Name, value: number): void;
}

/**
 * A table of registers as a bus target.
 *
 * An access of a register's own width and place goes to it whole (section 4.1.3.1 asks this of drivers). Any other is taken apart: each
 * register which it touches is read once, and written once with the bytes that were not named kept as they read. So
 * a 64-bit field is two independent halves (section 4.1.3.2). Between and past the registers there is 0 to read and nothing to write.
 */
export class RegisterMap<Name extends string> implements BusTarget {
  readonly size: number;
  readonly #rows: readonly Register<Name>[];
  readonly #handler: RegisterHandler<Name>;
  readonly #name: string;
  readonly #trace: Channel;
  /** For each byte the number of its row, or -1. */
  readonly #rowAt: Int16Array;

  constructor(
    name: string,
    rows: readonly Register<Name>[],
    size: number,
    handler: RegisterHandler<Name>,
    trace: Channel,
  ) {
    this.#name = name;
    this.#rows = rows;
    this.size = size;
    this.#handler = handler;
    this.#trace = trace;
    this.#rowAt = new Int16Array(size).fill(-1);
    for (const [i, { at, width }] of rows.entries()) {
      for (let b = at; b < at + width; b++) {
        if (b >= size || this.#rowAt[b] !== -1) throw new RangeError(`${name}: byte ${b} is taken or outside`);
        this.#rowAt[b] = i;
      }
    }
  }

  read(offset: number, width: Width): number {
    const row = this.#rows[this.#rowAt[offset] ?? -1];
    if (row !== undefined && row.at === offset && row.width === width) return this.#readRow(row);
    let value = 0;
    for (let at = offset; at < offset + width; ) {
      const touched = this.#rows[this.#rowAt[at] ?? -1];
      if (touched === undefined) {
        at++;
        continue;
      }
      const whole = this.#readRow(touched);
      const end = Math.min(touched.at + touched.width, offset + width);
      for (; at < end; at++) value += ((whole >>> (8 * (at - touched.at))) & 0xff) * 2 ** (8 * (at - offset));
    }
    return value;
  }

  write(offset: number, width: Width, value: number): void {
    const row = this.#rows[this.#rowAt[offset] ?? -1];
    if (row !== undefined && row.at === offset && row.width === width) {
      this.#writeRow(row, value);
      return;
    }
    for (let at = offset; at < offset + width; ) {
      const touched = this.#rows[this.#rowAt[at] ?? -1];
      if (touched === undefined) {
        at++;
        continue;
      }
      let whole = touched.access === "rw" ? this.#handler.read(touched.name) : 0;
      const end = Math.min(touched.at + touched.width, offset + width);
      for (; at < end; at++) {
        const shift = 8 * (at - touched.at);
        whole = ((whole & ~(0xff << shift)) | (((value >>> (8 * (at - offset))) & 0xff) << shift)) >>> 0;
      }
      this.#writeRow(touched, whole);
    }
  }

  #readRow(row: Register<Name>): number {
    const value = row.access === "w" ? 0 : this.#handler.read(row.name);
    if (this.#trace.on) this.#trace.log(`${this.#name} ${row.name} -> 0x${value.toString(16)}`);
    return value;
  }

  #writeRow(row: Register<Name>, value: number): void {
    if (this.#trace.on)
      this.#trace.log(
        `${this.#name} ${row.name} <- 0x${value.toString(16)}${row.access === "r" ? ", which is read-only" : ""}`,
      );
    if (row.access !== "r") this.#handler.write(row.name, value);
  }
}
