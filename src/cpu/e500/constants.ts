/*
 * Bits of registers, as the e500mc core reference manual and Power ISA 2.06 Book III-E have them. Bit n there is 1 << (63 - n) here.
 */

/** Machine state register. Core manual, "Register Model". */
export const Msr = {
  gs: 0x1000_0000,
  ucle: 0x0400_0000,
  ce: 0x0002_0000,
  ee: 0x0000_8000,
  pr: 0x0000_4000,
  fp: 0x0000_2000,
  me: 0x0000_1000,
  fe0: 0x0000_0800,
  de: 0x0000_0200,
  fe1: 0x0000_0100,
  is: 0x0000_0020,
  ds: 0x0000_0010,
  pmm: 0x0000_0004,
  ri: 0x0000_0002,
} as const;

/** The bits there are. GS is left out: see `Core.setMsr`. */
export const msrMask =
  Msr.ucle |
  Msr.ce |
  Msr.ee |
  Msr.pr |
  Msr.fp |
  Msr.me |
  Msr.fe0 |
  Msr.de |
  Msr.fe1 |
  Msr.is |
  Msr.ds |
  Msr.pmm |
  Msr.ri;

/** Exception syndrome register. */
export const Esr = {
  illegal: 0x0800_0000,
  privileged: 0x0400_0000,
  trap: 0x0200_0000,
  floatingPoint: 0x0100_0000,
  store: 0x0080_0000,
  dataLock: 0x0020_0000,
  instructionLock: 0x0010_0000,
  byteOrder: 0x0002_0000,
  imprecise: 0x0001_0000,
  externalPid: 0x0000_0040,
} as const;

/** Interrupt vector offset register numbers. Core manual, "Interrupts and Exceptions". */
export const Ivor = {
  critical: 0,
  machineCheck: 1,
  dataStorage: 2,
  instructionStorage: 3,
  external: 4,
  alignment: 5,
  program: 6,
  floatingPoint: 7,
  systemCall: 8,
  decrementer: 10,
  fixedInterval: 11,
  watchdog: 12,
  dataTlb: 13,
  instructionTlb: 14,
  debug: 15,
  performance: 35,
  doorbell: 36,
  doorbellCritical: 37,
  hypervisorCall: 40,
  hypervisorPrivilege: 41,
} as const;

/** Timer control register. Core manual, "Timer Facilities". */
export const Tcr = {
  wp: 0xc000_0000 | 0,
  wrc: 0x3000_0000,
  wie: 0x0800_0000,
  die: 0x0400_0000,
  fp: 0x0300_0000,
  fie: 0x0080_0000,
  are: 0x0040_0000,
  wpext: 0x001e_0000,
  fpext: 0x0001_e000,
} as const;

/** Timer status register. */
export const Tsr = {
  enw: 0x8000_0000 | 0,
  wis: 0x4000_0000,
  wrs: 0x3000_0000,
  dis: 0x0800_0000,
  fis: 0x0400_0000,
} as const;

/** MAS0, the selectors of a TLB entry. Core manual, "Memory Management Units". */
export const Mas0 = { select: 0x3000_0000, entry: 0x0fff_0000, next: 0x0000_0fff } as const;
export const Mas1 = {
  valid: 0x8000_0000 | 0,
  protect: 0x4000_0000,
  tid: 0x00ff_0000,
  ts: 0x1000,
  size: 0x0f00,
} as const;
export const Mas2 = {
  page: 0xffff_f000 | 0,
  x0: 0x40,
  x1: 0x20,
  writeThrough: 0x10,
  inhibited: 8,
  coherent: 4,
  guarded: 2,
  little: 1,
} as const;
export const Mas3 = {
  page: 0xffff_f000 | 0,
  user: 0x3c0,
  ux: 0x20,
  sx: 0x10,
  uw: 8,
  sw: 4,
  ur: 2,
  sr: 1,
} as const;

/** Debug control register 0. Book III-E, "Debug Facilities". */
export const Dbcr0 = {
  edm: 0x8000_0000 | 0,
  idm: 0x4000_0000,
  reset: 0x3000_0000,
  icmp: 0x0800_0000,
  brt: 0x0400_0000,
  irpt: 0x0200_0000,
  trap: 0x0100_0000,
  iac1: 0x0080_0000,
  iac2: 0x0040_0000,
  dac1r: 0x0008_0000,
  dac1w: 0x0004_0000,
  dac2r: 0x0002_0000,
  dac2w: 0x0001_0000,
  ret: 0x0000_8000,
  cirpt: 0x0000_0040,
  cret: 0x0000_0020,
  /** Freezes the timers while a debug event is recorded. */
  ft: 0x0000_0001,
} as const;

/** Debug status register: the events lie where DBCR0 enables them. */
export const Dbsr = {
  ide: 0x8000_0000 | 0,
  ude: 0x4000_0000,
  mrr: 0x3000_0000,
  icmp: 0x0800_0000,
  brt: 0x0400_0000,
  irpt: 0x0200_0000,
  trap: 0x0100_0000,
  iac1: 0x0080_0000,
  iac2: 0x0040_0000,
  dac1r: 0x0008_0000,
  dac1w: 0x0004_0000,
  dac2r: 0x0002_0000,
  dac2w: 0x0001_0000,
  ret: 0x0000_8000,
  cirpt: 0x0000_0040,
  cret: 0x0000_0020,
} as const;

/** Floating-point status and control register. Book I, "Floating-Point Status and Control Register". RN is the two lowest bits. */
export const Fpscr = {
  fx: 0x8000_0000 | 0,
  fex: 0x4000_0000,
  vx: 0x2000_0000,
  ox: 0x1000_0000,
  ux: 0x0800_0000,
  zx: 0x0400_0000,
  xx: 0x0200_0000,
  vxsnan: 0x0100_0000,
  vxisi: 0x0080_0000,
  vxidi: 0x0040_0000,
  vxzdz: 0x0020_0000,
  vximz: 0x0010_0000,
  vxvc: 0x0008_0000,
  fr: 0x0004_0000,
  fi: 0x0002_0000,
  /** FPRF: C and the four that a comparison sets. */
  fprf: 0x0001_f000,
  /** The comparison's part of FPRF: FL, FG, FE, FU. */
  condition: 0x0000_f000,
  vxsqrt: 0x0000_0200,
  vxcvi: 0x0000_0100,
  ve: 0x80,
  oe: 0x40,
  ue: 0x20,
  ze: 0x10,
  /** Non-IEEE mode is the implementation's to define: here the bit is kept, and results stay IEEE's. */
  ni: 0x04,
  /** VXSNAN, VXISI, VXIDI, VXZDZ, VXIMZ, VXVC, VXSOFT, VXSQRT, VXCVI. */
  invalid: 0x01f8_0700,
  /** OX, UX, ZX, XX and all of `invalid`. */
  exceptions: 0x1ff8_0700,
  /** VE, OE, UE, ZE, XE. */
  enables: 0xf8,
  /** Bits that stay 0: reserved by the architecture. */
  reserved: 0x0000_0800,
} as const;

/** Bytes of a cache line. Core manual, "Core Caches". */
export const lineSize = 64;
