/** A growing run of bytes, with the number formats of the WebAssembly binary. */
export class Bytes {
  #data: Uint8Array<ArrayBuffer>;
  #length = 0;
  /** Of code: twice where the `if` and `br_if` stand of which it is known how they mostly go, and one more where their condition mostly holds. */
  readonly hints: number[] = [];

  /** @param size how many are expected: most runs are short, and V8 makes room for so few at no cost. */
  constructor(size = 64) {
    this.#data = new Uint8Array(size);
  }

  get length(): number {
    return this.#length;
  }

  /** One byte, or up to eight: as many parameters as there may be, since a list of them would be an object each time. */
  u8(a: number, b?: number, c?: number, d?: number, e?: number, f?: number, g?: number, h?: number): this {
    this.#room(8);
    const data = this.#data;
    data[this.#length++] = a;
    if (b === undefined) return this;
    data[this.#length++] = b;
    if (c === undefined) return this;
    data[this.#length++] = c;
    if (d === undefined) return this;
    data[this.#length++] = d;
    if (e === undefined) return this;
    data[this.#length++] = e;
    if (f === undefined) return this;
    data[this.#length++] = f;
    if (g === undefined) return this;
    data[this.#length++] = g;
    if (h !== undefined) data[this.#length++] = h;
    return this;
  }

  /** Says of the `if` or `br_if` that comes next whether its condition mostly holds. */
  hint(likely: 0 | 1): this {
    this.hints.push(2 * this.#length + likely);
    return this;
  }

  /** Unsigned LEB128 (WebAssembly core 5.2.2). */
  u32(value: number): this {
    this.#room(5);
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.#data[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#data[this.#length++] = rest;
    return this;
  }

  /** Signed LEB128. */
  s32(value: number): this {
    this.#room(5);
    if (value >= -64 && value < 64) {
      this.#data[this.#length++] = value & 0x7f;
      return this;
    }
    let rest = value | 0;
    for (;;) {
      const seven = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (seven & 0x40) === 0) || (rest === -1 && (seven & 0x40) !== 0)) {
        this.#data[this.#length++] = seven;
        return this;
      }
      this.#data[this.#length++] = seven | 0x80;
    }
  }

  s64(value: bigint): this {
    this.#room(10);
    let rest = BigInt.asIntN(64, value);
    for (;;) {
      const seven = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && (seven & 0x40) === 0) || (rest === -1n && (seven & 0x40) !== 0)) return this.u8(seven);
      this.u8(seven | 0x80);
    }
  }

  /** A name of ASCII characters, which all of ours are. */
  name(text: string): this {
    this.u32(text.length);
    for (let k = 0; k < text.length; k++) this.u8(text.charCodeAt(k) & 0x7f);
    return this;
  }

  append(bytes: ArrayLike<number>): this {
    this.#room(bytes.length);
    this.#data.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** What was written so far; valid until the next write. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#data.subarray(0, this.#length);
  }

  #room(more: number): void {
    if (this.#length + more <= this.#data.length) return;
    const larger = new Uint8Array(Math.max(this.#data.length * 2, this.#length + more));
    larger.set(this.view());
    this.#data = larger;
  }
}
