import { State } from "../../bus/state.ts";
import { Mas1, Mas2, Mas3 } from "./constants.ts";

/** TLB0: 128 sets of 4 ways of 4 KiB pages. TLB1: 64 entries of 4 KiB to 4 GiB. Core manual, "Memory Management Units". */
export const sets = 128;
export const ways = 4;
export const tlb1Size = 64;
const tlb1 = sets * ways;
const count = tlb1 + tlb1Size;

/** TLB0CFG and TLB1CFG: associativity, sizes, IPROT and AVAIL, entries. */
export const tlb0Config = 0x0411_0200;
export const tlb1Config = 0x401c_c040;

/** MAS1[TSIZE] of a 4 KiB page. */
const page4K = 0x100;

const matched = Mas1.valid | Mas1.ts;
const wanted = [Mas1.valid, matched] as const;

/**
 * Both TLBs. An entry has a number: set * 4 + way in TLB0, 512 and on in TLB1.
 *
 * The software fills them at every miss, so looking up makes nothing.
 */
export class Tlb {
  readonly state = new State("cpu.tlb", {
    mas1: new Uint32Array(count),
    mas2: new Uint32Array(count),
    mas3: new Uint32Array(count),
    mas7: new Uint32Array(count),
    /** The way which is to be replaced next, for each set of TLB0. */
    next: new Uint32Array(sets),
  });
  readonly #mas1 = this.state.now.mas1;
  readonly #mas2 = this.state.now.mas2;
  readonly #mas3 = this.state.now.mas3;
  readonly #mas7 = this.state.now.mas7;
  readonly #next = this.state.now.next;
  /** The mask of page addresses of each TLB1 entry. */
  readonly #masks = new Int32Array(tlb1Size);
  /** The valid entries of TLB1, lowest first. */
  readonly #used = new Uint16Array(tlb1Size);
  #usedCount = 0;

  clear(): void {
    this.state.reset();
    this.#index();
  }

  restored(): void {
    this.#index();
  }

  /** The entry for an effective address in an address space (0 or 1) and process; -1 when there is none. */
  find(address: number, space: number, pid: number): number {
    const mas1 = this.#mas1;
    const key = wanted[space & 1] as number;
    const first = ((address >>> 12) & (sets - 1)) * ways;
    for (let at = first; at < first + ways; at++) {
      const one = mas1[at] as number;
      if (((one & matched) ^ key) !== 0) continue;
      if ((((this.#mas2[at] as number) ^ address) & Mas2.page) !== 0) continue;
      const tid = (one & Mas1.tid) >> 16;
      if (tid === 0 || tid === pid) return at;
    }
    for (let k = 0; k < this.#usedCount; k++) {
      const entry = this.#used[k] as number;
      const at = tlb1 + entry;
      const one = mas1[at] as number;
      if (((one & matched) ^ key) !== 0) continue;
      if ((((this.#mas2[at] as number) ^ address) & (this.#masks[entry] as number)) !== 0) continue;
      const tid = (one & Mas1.tid) >> 16;
      if (tid === 0 || tid === pid) return at;
    }
    return -1;
  }

  /** The physical address, up to 36 bits, of an effective address that this entry translates. */
  physical(at: number, address: number): number {
    const mask = at < tlb1 ? Mas3.page : (this.#masks[at - tlb1] as number);
    const low = ((this.#mas3[at] as number) & mask) | (address & ~mask);
    return (this.#mas7[at] as number) * 2 ** 32 + (low >>> 0);
  }

  /** UX, SX, UW, SW, UR, SR as in MAS3. */
  permissions(at: number): number {
    return (this.#mas3[at] as number) & 0x3f;
  }

  /** WIMGE as in MAS2. */
  attributes(at: number): number {
    return (this.#mas2[at] as number) & 0x1f;
  }

  /** The words of an entry, as the MAS registers of these numbers have them. */
  mas(at: number, number: 1 | 2 | 3 | 7): number {
    const words = number === 1 ? this.#mas1 : number === 2 ? this.#mas2 : number === 3 ? this.#mas3 : this.#mas7;
    return (words[at] as number) | 0;
  }

  isValid(at: number): boolean {
    return ((this.#mas1[at] as number) & Mas1.valid) !== 0;
  }

  /** Whether it translates for every process: TID 0. */
  isGlobal(at: number): boolean {
    return ((this.#mas1[at] as number) & Mas1.tid) === 0;
  }

  /** The process it translates for. */
  tid(at: number): number {
    return ((this.#mas1[at] as number) & Mas1.tid) >> 16;
  }

  /** First effective address of an entry. */
  page(at: number): number {
    return (this.#mas2[at] as number) & Mas2.page;
  }

  /** Where an entry of TLB0 lies: the set follows from the address. */
  index0(address: number, way: number): number {
    return ((address >>> 12) & (sets - 1)) * ways + (way & (ways - 1));
  }

  index1(entry: number): number {
    return tlb1 + (entry & (tlb1Size - 1));
  }

  isTlb1(at: number): boolean {
    return at >= tlb1;
  }

  /** ESEL of an entry. */
  selector(at: number): number {
    return at < tlb1 ? at & (ways - 1) : at - tlb1;
  }

  /** Writes an entry. Those of TLB0 have no IPROT and one page size. */
  write(at: number, mas1: number, mas2: number, mas3: number, mas7: number): void {
    this.#mas1[at] = at < tlb1 ? (mas1 & ~(Mas1.protect | Mas1.size)) | page4K : mas1;
    this.#mas2[at] = mas2;
    this.#mas3[at] = mas3;
    this.#mas7[at] = mas7 & 0xf;
    if (at >= tlb1) this.#index();
  }

  nextWay(address: number): number {
    return this.#next[(address >>> 12) & (sets - 1)] as number;
  }

  setNextWay(address: number, way: number): void {
    this.#next[(address >>> 12) & (sets - 1)] = way & (ways - 1);
  }

  /** Makes all entries of a TLB invalid which are not protected. */
  invalidateAll(which: 0 | 1): void {
    const [from, to] = which === 0 ? [0, tlb1] : [tlb1, count];
    for (let at = from; at < to; at++) this.#invalidate(at);
    this.#index();
  }

  /** Those of a process, in both TLBs. */
  invalidateProcess(pid: number): void {
    for (let at = 0; at < count; at++) if (((this.#mas1[at] as number) & Mas1.tid) >> 16 === pid) this.#invalidate(at);
    this.#index();
  }

  /** Those that translate an address: in one TLB, or in both; of one process and space, or of any. True when one was in TLB1. */
  invalidateAddress(
    address: number,
    which: 0 | 1 | undefined,
    of?: { readonly pid: number; readonly space: number },
  ): boolean {
    const fits = (at: number) =>
      of === undefined ||
      (((this.#mas1[at] as number) & Mas1.tid) >> 16 === of.pid &&
        (((this.#mas1[at] as number) & Mas1.ts) !== 0) === (of.space !== 0));
    if (which !== 1) {
      const first = this.index0(address, 0);
      for (let at = first; at < first + ways; at++)
        if ((((this.#mas2[at] as number) ^ address) & Mas2.page) === 0 && fits(at)) this.#invalidate(at);
    }
    if (which === 0) return false;
    let hit = false;
    for (let k = 0; k < this.#usedCount; k++) {
      const entry = this.#used[k] as number;
      const at = tlb1 + entry;
      const same = (((this.#mas2[at] as number) ^ address) & (this.#masks[entry] as number)) === 0;
      if (same && fits(at) && this.#invalidate(at)) hit = true;
    }
    if (hit) this.#index();
    return hit;
  }

  #invalidate(at: number): boolean {
    const one = this.#mas1[at] as number;
    if ((one & Mas1.protect) !== 0 || (one & Mas1.valid) === 0) return false;
    this.#mas1[at] = one & ~Mas1.valid;
    return true;
  }

  #index(): void {
    this.#usedCount = 0;
    for (let entry = 0; entry < tlb1Size; entry++) {
      const one = this.#mas1[tlb1 + entry] as number;
      this.#masks[entry] = pageMask((one & Mas1.size) >> 8);
      if ((one & Mas1.valid) !== 0) this.#used[this.#usedCount++] = entry;
    }
  }
}

/** Which address bits name a page of 4^size KiB. Sizes below 4 KiB are taken as 4 KiB. */
function pageMask(size: number): number {
  if (size <= 1) return Mas2.page;
  return size >= 11 ? 0 : -1 << (10 + 2 * size);
}
