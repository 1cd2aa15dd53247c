/** Bytes of a table under construction, little-endian. */
export class Bytes {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  u8(...values: readonly number[]): this {
    for (const value of values) this.#bytes.push(value & 0xff);
    return this;
  }

  u16(value: number): this {
    return this.u8(value, value >>> 8);
  }

  u32(value: number): this {
    return this.u16(value & 0xffff).u16(value >>> 16);
  }

  /** Up to 53 bits. */
  u64(value: number): this {
    return this.u32(value >>> 0).u32(Math.floor(value / 2 ** 32));
  }

  /** ASCII, filled up with `fill` to `length`; a longer text is an error of the caller's. */
  text(text: string, length = text.length, fill = 0): this {
    if (text.length > length) throw new RangeError(`${text} is longer than ${length}`);
    for (let i = 0; i < length; i++) this.u8(i < text.length ? text.charCodeAt(i) : fill);
    return this;
  }

  zero(count: number): this {
    for (let i = 0; i < count; i++) this.#bytes.push(0);
    return this;
  }

  add(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  /** Zeros up to the next multiple of a power of two. */
  align(boundary: number): this {
    return this.zero(-this.length & (boundary - 1));
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
