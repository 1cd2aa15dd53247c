import type { GuestMemory } from "../bus/guest-memory.ts";
import { stateSize } from "../ir/slots.ts";
import { countersSize } from "./counters.ts";
import type { Bytes } from "./wasm/bytes.ts";
import { op } from "./wasm/opcodes.ts";

/**
 * A decoded instruction, 32 bytes: what the interpreter reads. Operands 0..5 are 16 bits each, 6 and 7 are words.
 */
export const record = {
  size: 32,
  /** Index of the form's handler in the table. */
  handler: 0,
  /** Bytes of the instruction, one byte. */
  length: 4,
  /** Of an instruction in whose place a region stands: which of the region's entries it is, one byte. */
  entry: 5,
  /** Jumps here until the place is taken for hot, 16 bits. */
  heat: 6,
  /** Operands 0..5. */
  halves: 8,
  /** Operands 6 and 7. */
  words: 20,
  /**
   * Of an instruction that always jumps to the same place, if it leaves operand 7 alone, and of the end of a run: the record of that place, where it is on the same page, or 0. Both are
   * forgotten together, and who runs the one has seen that its page is there.
   */
  link: 24,
  /** Of an instruction in whose place a region stands, or which lies on two pages: the index of its own handler, 16 bits. */
  original: 28,
  /** Of an instruction in whose place a region stands: how many pages it lies behind the region's first one, 16 bits, signed. */
  page: 30,
  /** Of an instruction that lies on two pages: the table of the second one. It lies in the end record which follows. */
  second: 40,
} as const;

/** Where operand `k` lies in a record. */
export function operandOffset(k: number): number {
  return k < 6 ? record.halves + 2 * k : record.words + 4 * (k - 6);
}

/**
 * The data TLB: 32,768 entries of 16 bytes, direct mapped by the page number, which is 128 MiB side by side. An entry holds the page's address for reads, the same for
 * writes, what to add to a virtual address to find the byte in the guest memory, and 1 for a global page. -1 is empty: no aligned page
 * equals it.
 */
export const tlb = { entries: 32768, size: 32768 * 16, read: 0, write: 4, addend: 8, global: 12 } as const;

/**
 * Behind each data TLB lie two maps of the address space, for regions: a word for each page, with what is added to an address on it, as far as an entry of the TLB says so for
 * reads, or for writes, and 0 for all others. So a region asks for a page with one load and no comparison of tags. They are never written where the guest touches
 * nothing, and take no memory there.
 */
export const map = { size: 4 << 20, read: tlb.size, write: tlb.size + (4 << 20) } as const;

/** A TLB with its maps. */
export const tlbSize = tlb.size + 2 * map.size;

/** Where the word of an address lies in a map, in bytes, in WebAssembly: of the address on the stack. */
export function emitMapEntry(out: Bytes): void {
  out
    .u8(op.i32Const, 10, op.i32ShrU, op.i32Const)
    .s32(map.size - 4)
    .u8(op.i32And);
}

/** Where the entry of a byte's page lies in the data TLB, in bytes. */
export function tlbEntry(address: number): number {
  return (address >>> 8) & (tlb.size - 16);
}

/** The same in WebAssembly, of the address on the stack. */
export function emitTlbEntry(out: Bytes): void {
  out
    .u8(op.i32Const, 8, op.i32ShrU, op.i32Const)
    .s32(tlb.size - 16)
    .u8(op.i32And);
}

/**
 * The fetch TLB: 4096 entries of 8 bytes. An entry holds page address | mode, and where the page's table of records lies. Programs and kernels begin at multiples of
 * many megabytes, so the address's upper bits are part of where an entry lies: else each system call would throw its program's pages out.
 */
export const fetchTlb = { entries: 4096, size: 4096 * 8, tag: 0, table: 4 } as const;

/** Where the entry of a page lies in the fetch TLB, in bytes. */
export function fetchEntry(linear: number): number {
  return ((linear >>> 9) ^ (linear >>> 17)) & (fetchTlb.size - 8);
}

/** The same in WebAssembly, of the address in a local; it is left on the stack and in `entry`. */
export function emitFetchEntry(out: Bytes, linear: number, entry: number): void {
  out.u8(op.localGet).u32(linear).u8(op.i32Const, 9, op.i32ShrU);
  out.u8(op.localGet).u32(linear).u8(op.i32Const, 17, op.i32ShrU, op.i32Xor);
  out
    .u8(op.i32Const)
    .s32(fetchTlb.size - 8)
    .u8(op.i32And, op.localTee)
    .u32(entry);
}

/** Where the engine's parts lie in the guest memory. */
export interface EngineLayout {
  readonly tlb: readonly [supervisor: number, user: number];
  /** A TLB that stays empty, for code whose every access is to be looked at. */
  readonly emptyTlb: number;
  readonly fetchTlb: number;
  /** One record and its end, for an instruction that is decoded anew each time. */
  readonly lone: number;
  /** What WebAssembly code counts. */
  readonly counters: number;
  /** Three words: how many ways from region to region until one is told of; from which region it was gone, and where that one's first page starts. */
  readonly sample: number;
  /** A word: how much a jump takes from the heat of the place where it leads. */
  readonly warmth: number;
  readonly arena: number;
  readonly arenaSize: number;
}

export function layOut(guest: GuestMemory, arenaSize: number): EngineLayout {
  if (guest.allocate("state", stateSize) !== 0)
    throw new Error("the CPU's state has to be the first part of the guest memory");
  const supervisor = guest.allocate("supervisor TLB", tlbSize);
  const user = guest.allocate("user TLB", tlbSize);
  return {
    tlb: [supervisor, user],
    emptyTlb: guest.allocate("empty TLB", tlbSize),
    fetchTlb: guest.allocate("fetch TLB", fetchTlb.size),
    lone: guest.allocate("lone record", 64),
    counters: guest.allocate("counters", countersSize),
    sample: guest.allocate("sample of ways", 64),
    warmth: guest.allocate("warmth of a jump", 64),
    arena: guest.allocate("decoded code", arenaSize),
    arenaSize,
  };
}
