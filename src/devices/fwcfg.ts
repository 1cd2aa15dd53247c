import type { Dma } from "../bus/dma.ts";
import { type Device, State } from "../bus/state.ts";
import { allOnes, type BusTarget, swapBytes, type Width } from "../bus/target.ts";
import type { Channel } from "../trace/trace.ts";

export interface FwCfgWires {
  /** RAM, for the DMA interface. Without it the device does not offer one. */
  readonly dma?: Dma;
  readonly trace: Channel;
}

/** The bytes of an item, or what makes them whenever the guest selects it. */
export type FwCfgItem = Uint8Array | (() => Uint8Array);

const signatureKey = 0x00;
const idKey = 0x01;
const directoryKey = 0x19;
const firstFileKey = 0x20;
/** The interfaces which the ID names: reading by bytes, and DMA. */
const idTraditional = 1;
const idDma = 2;

/** Control word of a DMA descriptor. */
const dmaError = 0x01;
const dmaRead = 0x02;
const dmaSkip = 0x04;
const dmaSelect = 0x08;
const dmaWrite = 0x10;

/** "QEMU CFG" in address order, as the DMA register reads. */
const dmaSignature = new TextEncoder().encode("QEMU CFG");

/** A transfer may run so far past the end of its item; more is an error, lest zeros keep the host busy. */
const zeros = new Uint8Array(65536);

/**
 * How a board hands data to its firmware: QEMU's fw_cfg (docs/specs/fw_cfg in QEMU's manual).
 *
 * `ports` is 12 bytes for a PC (0x510): selector at 0, 16 bits little-endian; data at 1; DMA address at 4. `memory` is 24
 * bytes: data at 0, of any width; selector at 8, 16 bits big-endian; DMA address at 16. The DMA address is
 * big-endian in both; writing its low half starts the transfer, which is done at once. Items cannot be written.
 * Past the end of an item, and where there is none, zeros are read.
 */
export class FwCfg implements Device {
  readonly name = "fwcfg";
  readonly state = new State("fwcfg", { key: 0, offset: 0, dmaHigh: 0 });
  readonly ports: BusTarget;
  readonly memory: BusTarget;
  readonly #wires: FwCfgWires;
  readonly #items = new Map<number, FwCfgItem>();
  readonly #files: { readonly name: string; readonly key: number }[] = [];
  /** The selected item, once it was asked for. */
  #data: Uint8Array | undefined;

  constructor(wires: FwCfgWires) {
    this.#wires = wires;
    this.add(signatureKey, new TextEncoder().encode("QEMU"));
    this.add(idKey, Uint8Array.of(idTraditional | (wires.dma !== undefined ? idDma : 0), 0, 0, 0));
    this.add(directoryKey, () => this.#directory());
    this.ports = {
      read: (offset, width) => (offset === 1 && width === 1 ? this.#next() : this.#readDma(offset - 4, width)),
      write: (offset, width, value) => {
        if (offset === 0 && width === 2) this.#select(value);
        else this.#writeDma(offset - 4, width, value);
      },
    };
    this.memory = {
      read: (offset, width) => (offset < 8 ? this.#stream(width) : this.#readDma(offset - 16, width)),
      write: (offset, width, value) => {
        if (offset === 8 && width === 2) this.#select(swapBytes(value, 2));
        else this.#writeDma(offset - 16, width, value);
      },
    };
  }

  reset(): void {
    this.state.reset();
    this.#data = undefined;
  }

  restored(): void {
    this.#data = undefined;
  }

  /** Adds an item by its number, which is not taken. */
  add(key: number, item: FwCfgItem): void {
    if (this.#items.has(key)) throw new RangeError(`fw_cfg: item 0x${key.toString(16)} is there already`);
    this.#items.set(key, item);
  }

  /** Adds a file to the directory, with a name of at most 55 bytes. Returns its key. */
  addFile(name: string, item: FwCfgItem): number {
    if (new TextEncoder().encode(name).length > 55) throw new RangeError(`fw_cfg: ${name}: the name is too long`);
    if (this.#files.some((file) => file.name === name)) throw new RangeError(`fw_cfg: ${name} is there already`);
    const key = firstFileKey + this.#files.length;
    this.add(key, item);
    this.#files.push({ name, key });
    return key;
  }

  #bytes(key: number): Uint8Array {
    const item = this.#items.get(key);
    if (item === undefined) return new Uint8Array(0);
    return typeof item === "function" ? item() : item;
  }

  /** A big-endian count, then size, key, two bytes of nothing and the name of each file. */
  #directory(): Uint8Array {
    const bytes = new Uint8Array(4 + 64 * this.#files.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, this.#files.length);
    for (const [i, { name, key }] of this.#files.entries()) {
      const at = 4 + 64 * i;
      view.setUint32(at, this.#bytes(key).length);
      view.setUint16(at + 4, key);
      bytes.set(new TextEncoder().encode(name), at + 8);
    }
    return bytes;
  }

  #select(key: number): void {
    const s = this.state.now;
    s.key = key;
    s.offset = 0;
    this.#data = undefined;
    const { trace } = this.#wires;
    if (trace.on) trace.log(`select 0x${key.toString(16)}${this.#items.has(key) ? "" : ", which is not there"}`);
  }

  get #selected(): Uint8Array {
    this.#data ??= this.#bytes(this.state.now.key);
    return this.#data;
  }

  #next(): number {
    const s = this.state.now;
    const data = this.#selected;
    if (s.offset >= data.length) return 0;
    return data[s.offset++] as number;
  }

  /** As many bytes as the access is wide, the first at the lowest address. */
  #stream(width: Width): number {
    let value = 0;
    for (let i = 0; i < width; i++) value |= this.#next() << (8 * i);
    return value >>> 0;
  }

  #readDma(offset: number, width: Width): number {
    if (this.#wires.dma === undefined || offset < 0 || offset + width > 8) return allOnes(width);
    let value = 0;
    for (let i = 0; i < width; i++) value |= (dmaSignature[offset + i] as number) << (8 * i);
    return value >>> 0;
  }

  #writeDma(offset: number, width: Width, value: number): void {
    const s = this.state.now;
    const { dma, trace } = this.#wires;
    if (dma === undefined || width !== 4 || (offset !== 0 && offset !== 4)) {
      trace.once(`write ${offset} ${width}`, `fw_cfg: write of ${width} bytes ignored`);
      return;
    }
    const big = swapBytes(value, 4);
    if (offset === 0) {
      s.dmaHigh = big;
      return;
    }
    const address = s.dmaHigh * 2 ** 32 + big;
    s.dmaHigh = 0;
    this.#transfer(dma, address);
  }

  /** One descriptor: control, length and address, big-endian. Its control word becomes 0, or says that it failed. */
  #transfer(dma: Dma, descriptor: number): void {
    const control = dma.be.u32(descriptor);
    const length = dma.be.u32(descriptor + 4);
    const address = dma.be.u64(descriptor + 8);
    if (control < 0 || length < 0 || address < 0) {
      this.#wires.trace.once("descriptor", `fw_cfg: no DMA descriptor at 0x${descriptor.toString(16)}`);
      return;
    }
    if ((control & dmaSelect) !== 0) this.#select(control >>> 16);
    let done = true;
    if ((control & dmaRead) !== 0) done = this.#copy(dma, address, length);
    else if ((control & dmaWrite) !== 0) done = false;
    else if ((control & dmaSkip) !== 0) this.#skip(length);
    dma.be.setU32(descriptor, done ? 0 : dmaError);
  }

  #copy(dma: Dma, address: number, length: number): boolean {
    const data = this.#selected;
    const from = Math.min(this.state.now.offset, data.length);
    const there = Math.min(length, data.length - from);
    if (length === 0) return true;
    if (length - there > zeros.length || !dma.reaches(address, length)) return false;
    dma.write(address, data.subarray(from, from + there));
    dma.write(address + there, zeros.subarray(0, length - there));
    this.#skip(length);
    return true;
  }

  #skip(length: number): void {
    const s = this.state.now;
    s.offset = Math.min(s.offset + length, this.#selected.length);
  }
}
