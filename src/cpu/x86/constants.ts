/** Exceptions. Intel SDM vol. 3 section 6.3.1. */
export const Vector = {
  divide: 0,
  debug: 1,
  nmi: 2,
  breakpoint: 3,
  overflow: 4,
  bound: 5,
  undefined: 6,
  noCoprocessor: 7,
  doubleFault: 8,
  invalidTss: 10,
  notPresent: 11,
  stack: 12,
  protection: 13,
  page: 14,
  coprocessor: 16,
  alignment: 17,
  simd: 19,
} as const;

/** EFLAGS. SDM vol. 1 section 3.4.3. */
export const Flag = {
  cf: 1,
  one: 2,
  pf: 4,
  af: 0x10,
  zf: 0x40,
  sf: 0x80,
  tf: 0x100,
  if: 0x200,
  df: 0x400,
  of: 0x800,
  iopl: 0x3000,
  nt: 0x4000,
  rf: 0x1_0000,
  vm: 0x2_0000,
  ac: 0x4_0000,
  vif: 0x8_0000,
  vip: 0x10_0000,
  id: 0x20_0000,
} as const;

/** The flags which instructions compute. */
export const arithmeticFlags = Flag.cf | Flag.pf | Flag.af | Flag.zf | Flag.sf | Flag.of;
/** The flags which lie in the `eflags` slot. */
export const systemFlags =
  Flag.tf | Flag.if | Flag.iopl | Flag.nt | Flag.rf | Flag.vm | Flag.ac | Flag.vif | Flag.vip | Flag.id;

/** Control register bits. SDM vol. 3 section 2.5. */
export const Cr0 = {
  pe: 1,
  mp: 2,
  em: 4,
  ts: 8,
  et: 0x10,
  ne: 0x20,
  wp: 0x1_0000,
  am: 0x4_0000,
  nw: 0x2000_0000,
  cd: 0x4000_0000,
  pg: 0x8000_0000 | 0,
} as const;
export const Cr4 = {
  vme: 1,
  pvi: 2,
  tsd: 4,
  de: 8,
  pse: 0x10,
  pae: 0x20,
  mce: 0x40,
  pge: 0x80,
  pce: 0x100,
  osfxsr: 0x200,
  osxmmexcpt: 0x400,
} as const;
/** IA32_EFER. SDM vol. 3 section 2.2.1. */
export const Efer = { nxe: 1 << 11 } as const;

/** Segment rights, at the place they have in a descriptor's second word. SDM vol. 3 section 3.4.5. */
export const Right = {
  accessed: 1 << 8,
  /** Of data: writable. Of code: readable. */
  readWrite: 1 << 9,
  /** Of data: expand-down. Of code: conforming. */
  direction: 1 << 10,
  code: 1 << 11,
  /** Code or data, not a system segment. */
  segment: 1 << 12,
  present: 1 << 15,
  big: 1 << 22,
  granular: 1 << 23,
} as const;

/** System descriptor types, and those of gates. SDM vol. 3 section 3.5, table 3-2. */
export const SystemType = {
  tss16: 1,
  ldt: 2,
  busyTss16: 3,
  callGate16: 4,
  taskGate: 5,
  interruptGate16: 6,
  trapGate16: 7,
  tss32: 9,
  busyTss32: 11,
  callGate32: 12,
  interruptGate32: 14,
  trapGate32: 15,
} as const;

export function dplOf(rights: number): number {
  return (rights >>> 13) & 3;
}
