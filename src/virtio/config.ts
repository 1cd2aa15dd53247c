import { type Device, State } from "../bus/state.ts";
import type { ByteOrder } from "./queue/virt-queue.ts";

/** A field of a device's configuration space. */
export interface ConfigField {
  readonly name: string;
  readonly at: number;
  /** In bytes. */
  readonly width: 1 | 2 | 4 | 8;
  /** After reset. */
  readonly value?: number;
  readonly access?: "rw";
}

/**
 * The device configuration space (virtio 1.2 section 2.5): fields as data, read byte by byte.
 *
 * So any width of access gives the same answer, as a transitional device must (section 4.1.4.10), and both byte orders come
 * from one image. What is past the end reads 0; writes there and to read-only fields are ignored.
 */
export class DeviceConfig implements Device {
  readonly name: string;
  readonly size: number;
  /** The fields in little-endian order. */
  readonly state: State<{ bytes: Uint8Array }>;
  /** Told after a write to a writable field. */
  onWrite: ((field: string) => void) | undefined;
  readonly #fields: ReadonlyMap<string, ConfigField>;
  /** For each byte, where it is when fields are big-endian, and the writable field it belongs to. */
  readonly #mirror: Uint16Array;
  readonly #writable: (string | undefined)[];

  /** @param size in bytes, with whatever follows the last field. */
  constructor(name: string, size: number, fields: readonly ConfigField[]) {
    this.name = `${name}.config`;
    this.size = size;
    this.#fields = new Map(fields.map((field) => [field.name, field]));
    this.#mirror = Uint16Array.from({ length: size }, (_, i) => i);
    this.#writable = new Array(size).fill(undefined);
    const bytes = new Uint8Array(size);
    for (const { name, at, width, value = 0, access } of fields) {
      for (let i = 0; i < width; i++) {
        bytes[at + i] = Math.floor(value / 2 ** (8 * i)) & 0xff;
        this.#mirror[at + i] = at + width - 1 - i;
        if (access === "rw") this.#writable[at + i] = name;
      }
    }
    this.state = new State(this.name, { bytes });
  }

  /** The field which a byte belongs to. */
  fieldAt(offset: number): ConfigField | undefined {
    for (const field of this.#fields.values()) if (offset >= field.at && offset < field.at + field.width) return field;
    return undefined;
  }

  reset(): void {
    this.state.reset();
  }

  get(field: string): number {
    const { at, width } = this.#field(field);
    let value = 0;
    for (let i = width - 1; i >= 0; i--) value = value * 256 + (this.state.now.bytes[at + i] as number);
    return value;
  }

  /** The device's own way to change a field. Its `configChanged` is another matter. */
  set(field: string, value: number): void {
    const { at, width } = this.#field(field);
    for (let i = 0; i < width; i++) this.state.now.bytes[at + i] = Math.floor(value / 2 ** (8 * i)) & 0xff;
  }

  /** A byte as the driver sees it. */
  read(offset: number, order: ByteOrder): number {
    if (!(offset >= 0 && offset < this.size)) return 0;
    const at = order === "big" ? (this.#mirror[offset] as number) : offset;
    return this.state.now.bytes[at] as number;
  }

  /** The driver writes a byte. False where it has nothing to write. */
  write(offset: number, byte: number, order: ByteOrder): boolean {
    const field = this.#writable[offset];
    if (field === undefined) return false;
    const at = order === "big" ? (this.#mirror[offset] as number) : offset;
    this.state.now.bytes[at] = byte;
    this.onWrite?.(field);
    return true;
  }

  #field(name: string): ConfigField {
    const field = this.#fields.get(name);
    if (field === undefined) throw new Error(`${this.name}: no field ${name}`);
    return field;
  }
}
