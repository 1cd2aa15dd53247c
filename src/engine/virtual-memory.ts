import { type GuestMemory, pageShift, pageSize } from "../bus/guest-memory.ts";
import type { AddressSpace } from "../bus/space.ts";
import type { Width } from "../bus/target.ts";
import { Access, Translation, type VirtualMemory } from "../ir/frontend.ts";
import { Entered } from "./entered.ts";
import { type EngineLayout, map, tlb, tlbEntry } from "./layout.ts";
import type { Mmu } from "./stops.ts";

const none = new Int32Array(0);

/**
 * The software TLB, and what happens where it does not answer: page walks by the front end, accesses to chips, accesses across
 * pages, stores on pages with decoded code. Handlers look into the TLB themselves and come here for the rest.
 */
export class SoftTlb implements VirtualMemory {
  readonly #guest: GuestMemory;
  readonly #space: AddressSpace;
  readonly #front: Mmu;
  readonly #layout: EngineLayout;
  readonly #words: Int32Array;
  readonly #view: DataView;
  readonly #translation = new Translation();
  readonly #trap: number;
  readonly #current: number;
  readonly #scratch: number;
  #watched = false;
  /** Entries made for pages that are not global, and for those that are. */
  readonly #passing = new Entered();
  readonly #lasting = new Entered();
  /** By pages of the guest memory: in which age of the TLBs one was last entered for writes. An age ends when all entries are forgotten. */
  readonly #written: Uint32Array;
  /** And by which entry; -1 when by several. */
  readonly #writer: Int32Array;
  #age = 1;
  /** Pages entered, times that entries were forgotten other than by a page's address, and accesses by handlers which it did not answer. */
  misses = 0;
  flushes = 0;
  slowAccesses = 0;

  constructor(guest: GuestMemory, space: AddressSpace, front: Mmu, layout: EngineLayout) {
    this.#guest = guest;
    this.#space = space;
    this.#front = front;
    this.#layout = layout;
    this.#words = new Int32Array(guest.memory.buffer);
    this.#view = new DataView(guest.memory.buffer);
    this.#written = new Uint32Array(guest.bytes.length >>> pageShift);
    this.#writer = new Int32Array(this.#written.length);
    this.#trap = front.slots.trap.index;
    this.#current = front.slots.tlb.index;
    this.#scratch = front.slots.scratch.offset;
    this.select(0);
    for (const start of [...layout.tlb, layout.emptyTlb]) this.#words.fill(-1, start >> 2, (start + tlb.size) >> 2);
  }

  select(which: 0 | 1 | 2): void {
    this.#words[this.#current] = which === 2 ? this.#layout.emptyTlb : this.#layout.tlb[which];
  }

  flush(keepGlobal = false): void {
    this.flushes++;
    if (!keepGlobal) this.#age++;
    this.#each(this.#passing.take(), keepGlobal ? none : this.#lasting.take(), (entry) => {
      if (!keepGlobal || this.#words[entry + (tlb.global >> 2)] !== 1) this.#forget(entry);
    });
  }

  /** Goes through the entries that were made, or through all where they were too many to be kept. */
  #each(passing: Int32Array | undefined, lasting: Int32Array | undefined, visit: (entry: number) => void): void {
    if (passing !== undefined && lasting !== undefined) {
      for (const entry of passing) visit(entry);
      for (const entry of lasting) visit(entry);
      return;
    }
    for (const start of this.#layout.tlb)
      for (let entry = start >> 2; entry < (start + tlb.size) >> 2; entry += 4) visit(entry);
  }

  /** An entry, and what the maps say by it. */
  #forget(entry: number): void {
    const words = this.#words;
    const read = words[entry] as number;
    if (read !== -1) {
      words[this.#mapped(entry, map.read, read)] = 0;
      words[entry] = -1;
    }
    const write = words[entry + 1] as number;
    if (write !== -1) {
      words[this.#mapped(entry, map.write, write)] = 0;
      words[entry + 1] = -1;
    }
  }

  /** Which word of a map, of those behind the TLB of an entry, is that of a page. */
  #mapped(entry: number, which: number, page: number): number {
    const [supervisor, user] = this.#layout.tlb;
    return (((entry << 2 < user ? supervisor : user) + which) >> 2) + (page >>> pageShift);
  }

  flushPage(address: number): void {
    for (const start of this.#layout.tlb) this.#forget((start + tlbEntry(address)) >> 2);
  }

  /** Stores to this page of the guest memory come here from now on, since it holds decoded code. */
  watch(page: number): void {
    // Of the pages that become code most are such that nobody writes on, and there are thousands of entries to look at.
    if (this.#written[page] !== this.#age) return;
    const host = page << pageShift;
    const writer = this.#writer[page] as number;
    if (writer >= 0) this.#forgetWrites(writer, host);
    else this.#each(this.#passing.made, this.#lasting.made, (entry) => this.#forgetWrites(entry, host));
  }

  /** An entry for a page of the guest memory answers for writes no more. */
  #forgetWrites(entry: number, host: number): void {
    const words = this.#words;
    const tag = words[entry + 1] as number;
    if (tag === -1 || ((tag + (words[entry + 2] as number)) | 0) !== (host | 0)) return;
    words[this.#mapped(entry, map.write, tag)] = 0;
    words[entry + 1] = -1;
  }

  // --- for handlers: a fault is recorded in the trap slot, never thrown

  readonly slow = {
    read: (address: number, width: number, writing: number): number => {
      this.slowAccesses++;
      if (width > 4) return this.#wide(address, width, writing !== 0);
      const access = writing !== 0 ? Access.write : Access.read;
      const user = this.#user();
      if (!this.#aligned(address, width, user)) return this.#trapped();
      if ((address & (pageSize - 1)) + width <= pageSize) {
        if (!this.#reach(address >>> 0, access, user)) return this.#trapped();
        const { physical, watched } = this.#translation;
        if (watched) this.#front.touched?.(address >>> 0, width, false);
        return this.readPhysical(physical, width as Width);
      }
      if (!this.#check(address, width, access, user)) return this.#trapped();
      if (this.#watched) this.#front.touched?.(address >>> 0, width, false);
      return this.#readAcross(address >>> 0, width as Width, user);
    },
    write: (address: number, width: number, value: number): number => {
      this.slowAccesses++;
      const user = this.#user();
      if (!this.#aligned(address, width, user)) return this.#trapped() | 1;
      if (width <= 4 && (address & (pageSize - 1)) + width <= pageSize) {
        if (!this.#reach(address >>> 0, Access.write, user)) return this.#trapped() | 1;
        const { physical, watched } = this.#translation;
        if (watched) this.#front.touched?.(address >>> 0, width, true);
        this.writePhysical(physical, width as Width, value >>> 0);
        return 0;
      }
      if (!this.#check(address, width, Access.write, user)) return this.#trapped() | 1;
      if (this.#watched) this.#front.touched?.(address >>> 0, width, true);
      if (width <= 4) this.#writeAcross(address >>> 0, width as Width, value >>> 0, user);
      else {
        for (let i = 0; i < width; i += 4)
          this.#writeAcross((address + i) >>> 0, 4, this.#view.getUint32(this.#scratch + i, true), user);
      }
      return 0;
    },
    probe: (address: number, width: number): number => {
      const user = this.#user();
      const allowed = this.#aligned(address, width, user) && this.#check(address, width, Access.write, user);
      return allowed ? 0 : this.#trapped() | 1;
    },
    trap: (): void => {
      this.#trapped();
    },
  };

  // --- for helpers: a fault is thrown

  read(address: number, width: 1 | 2 | 4, privileged = false): number {
    const hit = this.#lookUp(address, width, tlb.read, privileged);
    if (hit >= 0) return this.#get(hit, width);
    const user = !privileged && this.#user();
    if (!this.#aligned(address, width, user)) throw this.#front.fault;
    if (!this.#check(address, width, Access.read, user)) throw this.#front.fault;
    if (this.#watched) this.#front.touched?.(address >>> 0, width, false);
    return this.#readAcross(address >>> 0, width, user);
  }

  write(address: number, width: 1 | 2 | 4, value: number, privileged = false): void {
    const hit = this.#lookUp(address, width, tlb.write, privileged);
    if (hit >= 0) {
      this.#set(hit, width, value);
      return;
    }
    const user = !privileged && this.#user();
    if (!this.#aligned(address, width, user)) throw this.#front.fault;
    if (!this.#check(address, width, Access.write, user)) throw this.#front.fault;
    if (this.#watched) this.#front.touched?.(address >>> 0, width, true);
    this.#writeAcross(address >>> 0, width, value >>> 0, user);
  }

  probe(address: number, length: number, privileged = false): void {
    if ((address & (pageSize - 1)) + length <= pageSize && this.#lookUp(address, length, tlb.write, privileged) >= 0)
      return;
    if (!this.#check(address, length, Access.write, !privileged && this.#user())) throw this.#front.fault;
  }

  copy(to: number, from: number, length: number, width: 1 | 2 | 4): number {
    const source = this.#inPage(from, tlb.read);
    const target = source < 0 ? -1 : this.#inPage(to, tlb.write);
    if (target < 0) return 0;
    let bytes = Math.min(length, pageSize - (from & (pageSize - 1)), pageSize - (to & (pageSize - 1)));
    // Going upwards one by one, what lies between the two is repeated.
    if (target > source) bytes = Math.min(bytes, target - source);
    bytes -= bytes % width;
    this.#guest.bytes.copyWithin(target, source, source + bytes);
    return bytes;
  }

  fill(to: number, length: number, width: 1 | 2 | 4, value: number): number {
    const target = this.#inPage(to, tlb.write);
    if (target < 0) return 0;
    let bytes = Math.min(length, pageSize - (to & (pageSize - 1)));
    bytes -= bytes % width;
    if (bytes === 0) return 0;
    const { bytes: memory } = this.#guest;
    for (let k = 0; k < width; k++) memory[target + k] = value >>> (8 * k);
    for (let done: number = width; done < bytes; done *= 2)
      memory.copyWithin(target + done, target, target + Math.min(done, bytes - done));
    return bytes;
  }

  // --- by physical addresses: most of what is asked for is memory, and that is reached without asking its target

  readPhysical(address: number, width: Width): number {
    const host = this.#space.host(address, width, false);
    return host < 0 ? this.#space.read(address, width) : this.#get(host, width);
  }

  writePhysical(address: number, width: Width, value: number): void {
    const host = this.#space.host(address, width, true);
    if (host < 0) {
      this.#space.write(address, width, value);
      return;
    }
    this.#set(host, width, value);
    this.#guest.wrote(host, width);
  }

  // ---

  #get(host: number, width: Width): number {
    if (width === 4) return this.#view.getUint32(host, true);
    return width === 2 ? this.#view.getUint16(host, true) : this.#view.getUint8(host);
  }

  #set(host: number, width: Width, value: number): void {
    if (width === 4) this.#view.setUint32(host, value, true);
    else if (width === 2) this.#view.setUint16(host, value, true);
    else this.#view.setUint8(host, value);
  }

  /** Where in the guest memory a byte lies whose page is RAM and may be touched so, or -1. */
  #inPage(address: number, tag: number): number {
    const hit = this.#lookUp(address, 1, tag, false);
    if (hit >= 0) return hit;
    const user = this.#user();
    if (this.#words[this.#current] === this.#layout.emptyTlb) return -1;
    if (!this.#reach(address >>> 0, tag === tlb.write ? Access.write : Access.read, user)) return -1;
    return this.#lookUp(address, 1, tag, false);
  }

  #user(): boolean {
    return this.#words[this.#current] !== this.#layout.tlb[0];
  }

  /** Asks the front end where it wants to be asked; the fault is recorded when it refuses. */
  #aligned(address: number, width: number, user: boolean): boolean {
    if (!user || this.#words[this.#current] !== this.#layout.emptyTlb) return true;
    return this.#front.aligned?.(address >>> 0, width) !== false;
  }

  #trapped(): number {
    this.#words[this.#trap] = 1;
    return 0;
  }

  /** Where in the guest memory an access goes, or -1 when the TLB does not say. */
  #lookUp(address: number, width: number, tag: number, privileged: boolean): number {
    const start = privileged ? this.#layout.tlb[0] : (this.#words[this.#current] as number);
    const entry = (start + tlbEntry(address)) >> 2;
    if (((address + width - 1) & -pageSize) !== this.#words[entry + (tag >> 2)]) return -1;
    return (address + (this.#words[entry + (tlb.addend >> 2)] as number)) >>> 0;
  }

  /** Whether every page of an access may be touched; the fault is recorded otherwise. `#watched` is whether one of them is. */
  #check(address: number, length: number, access: Access, user: boolean): boolean {
    this.#watched = false;
    const last = (address + length - 1) & -pageSize;
    for (let page = address & -pageSize; ; page = (page + pageSize) | 0) {
      // The fault is to name the first byte that could not be reached.
      const first = page === (address & -pageSize) ? address : page;
      if (!this.#front.translate(first >>> 0, access, user, this.#translation)) return false;
      if (this.#translation.watched) this.#watched = true;
      if (page === last) return true;
    }
  }

  #wide(address: number, width: number, writing: boolean): number {
    const user = this.#user();
    if (!this.#aligned(address, width, user)) return this.#trapped();
    if (!this.#check(address, width, writing ? Access.write : Access.read, user)) return this.#trapped();
    if (this.#watched) this.#front.touched?.(address >>> 0, width, false);
    for (let i = 0; i < width; i += 4)
      this.#view.setUint32(this.#scratch + i, this.#readAcross((address + i) >>> 0, 4, user), true);
    return 0;
  }

  #readAcross(address: number, width: Width, user: boolean): number {
    if ((address & (pageSize - 1)) + width <= pageSize) return this.#readPage(address, width, user);
    let value = 0;
    for (let i = 0; i < width; i++) value += this.#readPage((address + i) >>> 0, 1, user) * 2 ** (8 * i);
    return value;
  }

  #writeAcross(address: number, width: Width, value: number, user: boolean): void {
    if ((address & (pageSize - 1)) + width <= pageSize) {
      this.#writePage(address, width, value, user);
      return;
    }
    for (let i = 0; i < width; i++) this.#writePage((address + i) >>> 0, 1, (value >>> (8 * i)) & 0xff, user);
  }

  #readPage(address: number, width: Width, user: boolean): number {
    this.#reach(address, Access.read, user);
    return this.readPhysical(this.#translation.physical, width);
  }

  #writePage(address: number, width: Width, value: number, user: boolean): void {
    this.#reach(address, Access.write, user);
    this.writePhysical(this.#translation.physical, width, value);
  }

  /** Translates and enters what was found; false, with the fault recorded, when the access is refused. */
  #reach(address: number, access: Access, user: boolean): boolean {
    const found = this.#translation;
    if (!this.#front.translate(address, access, user, found)) return false;
    if (!found.watched) this.#fill(address, found.physical, found.writable, found.global, user);
    return true;
  }

  /** Enters a page whose bytes lie in the guest memory. A chip's page stays out: each access is to be seen. */
  #fill(address: number, physical: number, writable: boolean, global: boolean, user: boolean): void {
    const page = physical - (physical & (pageSize - 1));
    const host = this.#space.host(page, pageSize, false);
    if (host < 0) return;
    this.misses++;
    const tag = address & -pageSize;
    const entry = (this.#layout.tlb[user ? 1 : 0] + tlbEntry(address)) >> 2;
    const write = writable && this.#guest.code[host >>> pageShift] === 0 && this.#space.host(page, pageSize, true) >= 0;
    this.#forget(entry);
    this.#words[entry] = tag;
    this.#words[this.#mapped(entry, map.read, tag)] = host - tag;
    this.#words[entry + 1] = write ? tag : -1;
    if (write) {
      this.#words[this.#mapped(entry, map.write, tag)] = host - tag;
      this.#wrote(host >>> pageShift, entry);
    }
    this.#words[entry + 2] = host - tag;
    this.#words[entry + 3] = global ? 1 : 0;
    (global ? this.#lasting : this.#passing).add(entry);
  }

  #wrote(page: number, entry: number): void {
    const again = this.#written[page] === this.#age && this.#writer[page] !== entry;
    this.#written[page] = this.#age;
    this.#writer[page] = again ? -1 : entry;
  }
}
