import type { Dma, GuestWords, Lent } from "../bus/dma.ts";
import { pageShift } from "../bus/guest-memory.ts";
import type { DmaPath, RamUser } from "./dma.ts";

/** A view for a device which needs no gate, being on no PCI bus: fw_cfg. */
export function openDma(path: DmaPath, name: string): Dma {
  const view = new DmaView(name);
  view.attach(path);
  view.enable(true);
  return view;
}

/**
 * One device's view of memory. It remembers the run of RAM it used last, so that a word costs a comparison
 * and a load; the path and the gate make it forget.
 */
export class DmaView implements Dma, RamUser {
  readonly le: GuestWords = new Words(this, true);
  readonly be: GuestWords = new Words(this, false);
  /** Told of an access which the bridge refused although the gate was open: a master abort. */
  onAbort: (() => void) | undefined;
  readonly #name: string;
  #path: DmaPath | undefined;
  #enabled = false;
  #words = new DataView(new ArrayBuffer(0));
  #bytes: Uint8Array = new Uint8Array(0);
  #code: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;
  #delta = 0;
  readonly #scratch = new Uint8Array(8);
  readonly #scratchWords = new DataView(this.#scratch.buffer);

  constructor(name: string) {
    this.#name = name;
  }

  attach(path: DmaPath): void {
    this.#path = path;
    this.#words = new DataView(path.guest.memory.buffer);
    this.#bytes = path.guest.bytes;
    this.#code = path.guest.code;
    path.join(this);
    this.forget();
  }

  /** Opens and shuts the gate. */
  enable(on: boolean): void {
    this.#enabled = on;
    this.forget();
  }

  forget(): void {
    this.#start = 0;
    this.#end = 0;
  }

  read(address: number, into: Uint8Array): boolean {
    const { length } = into;
    if (length === 0) return true;
    const at = this.#place(address, length);
    if (at >= 0) {
      // A view of the source costs more than a descriptor's worth of bytes.
      if (length <= 64) for (let i = 0; i < length; i++) into[i] = this.#bytes[at + i] as number;
      else into.set(this.#bytes.subarray(at, at + length));
      return true;
    }
    if (!this.reaches(address, length)) return this.#refuse("read", address, length);
    for (let done = 0; done < length; ) {
      const piece = this.#piece(address + done, length - done);
      const from = address + done + this.#delta;
      into.set(this.#bytes.subarray(from, from + piece), done);
      done += piece;
    }
    return true;
  }

  write(address: number, from: Uint8Array): boolean {
    const { length } = from;
    if (length === 0) return true;
    const at = this.#place(address, length);
    if (at >= 0) {
      this.#bytes.set(from, at);
      this.#wrote(at, length);
      return true;
    }
    if (!this.reaches(address, length)) return this.#refuse("write", address, length);
    for (let done = 0; done < length; ) {
      const piece = this.#piece(address + done, length - done);
      const to = address + done + this.#delta;
      this.#bytes.set(from.subarray(done, done + piece), to);
      this.#wrote(to, piece);
      done += piece;
    }
    return true;
  }

  lend(address: number, length: number, views: Uint8Array[], use: Lent): boolean {
    for (let done = 0; done < length; ) {
      const piece = this.#piece(address + done, length - done);
      if (piece <= 0) return false;
      const at = address + done + this.#delta;
      views.push(this.#bytes.subarray(at, at + piece));
      if (use === "to-fill") this.#wrote(at, piece);
      done += piece;
    }
    return true;
  }

  reaches(address: number, length: number): boolean {
    if (!(length >= 0)) return false;
    for (let done = 0; done < length; ) {
      const piece = this.#piece(address + done, length - done);
      if (piece <= 0) return false;
      done += piece;
    }
    return true;
  }

  /** The word of `width` bytes, or -1. */
  word(address: number, width: 2 | 4, little: boolean): number {
    const at = this.#place(address, width);
    if (at >= 0) return width === 2 ? this.#words.getUint16(at, little) : this.#words.getUint32(at, little);
    const scratch = width === 2 ? this.#scratch.subarray(0, 2) : this.#scratch.subarray(0, 4);
    if (!this.read(address, scratch)) return -1;
    return width === 2 ? this.#scratchWords.getUint16(0, little) : this.#scratchWords.getUint32(0, little);
  }

  setWord(address: number, width: 2 | 4, value: number, little: boolean): boolean {
    const at = this.#place(address, width);
    if (at >= 0) {
      if (width === 2) this.#words.setUint16(at, value, little);
      else this.#words.setUint32(at, value, little);
      this.#wrote(at, width);
      return true;
    }
    if (width === 2) this.#scratchWords.setUint16(0, value, little);
    else this.#scratchWords.setUint32(0, value, little);
    return this.write(address, this.#scratch.subarray(0, width));
  }

  /** Where the range starts in the guest memory, or -1 when it is not inside one run of RAM. */
  #place(address: number, length: number): number {
    if (address >= this.#start && address + length <= this.#end) return address + this.#delta;
    return this.#find(address) && address + length <= this.#end ? address + this.#delta : -1;
  }

  /** How many bytes from an address on are in one run of RAM, at most `length`. */
  #piece(address: number, length: number): number {
    if (!(address >= this.#start && address < this.#end) && !this.#find(address)) return 0;
    return Math.min(length, this.#end - address);
  }

  #find(address: number): boolean {
    const run = this.#enabled ? this.#path?.ram(address) : undefined;
    if (run === undefined) return false;
    this.#start = run.start;
    this.#end = run.end;
    this.#delta = run.delta;
    return true;
  }

  #wrote(at: number, length: number): void {
    const last = at + length - 1;
    if (this.#code[at >>> pageShift] !== 0 || last >>> pageShift !== at >>> pageShift)
      this.#path?.guest.wrote(at, length);
  }

  #refuse(kind: "read" | "write", address: number, length: number): false {
    this.#path?.refuse(this.#name, kind, address, length, this.#enabled ? "not RAM" : "not a bus master");
    if (this.#enabled) this.onAbort?.();
    return false;
  }
}

class Words implements GuestWords {
  readonly #view: DmaView;
  readonly #little: boolean;

  constructor(view: DmaView, little: boolean) {
    this.#view = view;
    this.#little = little;
  }

  u16(address: number): number {
    return this.#view.word(address, 2, this.#little);
  }

  u32(address: number): number {
    return this.#view.word(address, 4, this.#little);
  }

  u64(address: number): number {
    const first = this.#view.word(address, 4, this.#little);
    const second = this.#view.word(address + 4, 4, this.#little);
    if (first < 0 || second < 0) return -1;
    return this.#little ? second * 2 ** 32 + first : first * 2 ** 32 + second;
  }

  setU16(address: number, value: number): boolean {
    return this.#view.setWord(address, 2, value, this.#little);
  }

  setU32(address: number, value: number): boolean {
    return this.#view.setWord(address, 4, value, this.#little);
  }
}
