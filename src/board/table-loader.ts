import { Bytes } from "./bytes.ts";

/** Where firmware puts a file: anywhere in RAM, or between 0xE0000 and 0xFFFFF where tables are looked for. */
export type Zone = "high" | "fseg";

/**
 * The script by which firmware places tables, QEMU's `etc/table-loader`: entries of 128 bytes, a command each.
 * Tables hold offsets where pointers will be; the loader adds addresses when it knows them.
 */
export class TableLoader {
  readonly #bytes = new Bytes();

  allocate(file: string, align: number, zone: Zone): this {
    return this.#entry(1, (entry) =>
      name(entry, file)
        .u32(align)
        .u8(zone === "high" ? 1 : 2),
    );
  }

  /** Adds where `source` was put to the `size` bytes at `offset` of `file`. */
  addPointer(file: string, source: string, offset: number, size: 4 | 8): this {
    return this.#entry(2, (entry) => name(name(entry, file), source).u32(offset).u8(size));
  }

  /** Makes the bytes from `start` sum to zero by the byte at `offset`. Comes after the pointers inside. */
  addChecksum(file: string, offset: number, start: number, length: number): this {
    return this.#entry(3, (entry) => name(entry, file).u32(offset).u32(start).u32(length));
  }

  done(): Uint8Array {
    return this.#bytes.done();
  }

  #entry(command: number, body: (entry: Bytes) => void): this {
    const entry = new Bytes().u32(command);
    body(entry);
    this.#bytes.add(entry.done()).zero(128 - entry.length);
    return this;
  }
}

/** A file's name, in 56 bytes of which the last is zero. */
function name(entry: Bytes, file: string): Bytes {
  if (file.length > 55) throw new RangeError(`${file}: too long for a table loader`);
  return entry.text(file, 56);
}
