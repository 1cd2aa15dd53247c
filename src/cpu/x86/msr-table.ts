/** An MSR that is kept and has no effect here: what may be written, and what it holds after a reset. Words are low, then high. */
export interface StoredMsr {
  readonly name: string;
  readonly index: number;
  /** Bits that may be written; setting another is #GP(0). Without them the MSR is read-only. */
  readonly writable?: readonly [low: number, high: number];
  /** Bytes (or the low one only) have to be memory types: SDM vol. 3 tables 11-8 and 11-10. */
  readonly types?: "mtrr" | "mtrr-low" | "pat";
  readonly reset?: readonly [low: number, high: number];
  /** Bits of the low word which may be written as anything and stay as reset left them. */
  readonly fixed?: number;
  /** Only 0 may be written, whatever is read. */
  readonly clears?: boolean;
  /** What a system that sets one of these bits of the low word expects in vain; it is said once. */
  readonly missing?: { readonly bits: number; readonly text: string };
}

const all: readonly [number, number] = [-1, -1];
const low: readonly [number, number] = [-1, 0];

/** The enable bit of PerfEvtSel: SDM vol. 3 section 18.6.8.1. */
const counting = { bits: 1 << 22, text: "performance counters do not count: they keep what is written" };

/** 36 address lines: bits 35..12 of an address, in a register's two words. */
const address: readonly [number, number] = [-4096, 0xf];

function variableRanges(count: number): StoredMsr[] {
  return Array.from({ length: count }, (_, n) => [
    {
      name: `mtrrPhysBase${n}`,
      index: 0x200 + 2 * n,
      writable: [address[0] | 0xff, address[1]] as const,
      types: "mtrr-low" as const,
    },
    { name: `mtrrPhysMask${n}`, index: 0x201 + 2 * n, writable: [address[0] | 0x800, address[1]] as const },
  ]).flat();
}

function fixedRanges(): StoredMsr[] {
  return [0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f].map((index) => ({
    name: `mtrrFix${index.toString(16)}`,
    index,
    writable: all,
    types: "mtrr",
  }));
}

function checkBanks(count: number): StoredMsr[] {
  return Array.from({ length: count }, (_, n) => [
    { name: `mc${n}Ctl`, index: 0x400 + 4 * n, writable: all },
    { name: `mc${n}Status`, index: 0x401 + 4 * n, writable: all, clears: true },
    { name: `mc${n}Addr`, index: 0x402 + 4 * n, writable: all, clears: true },
    { name: `mc${n}Misc`, index: 0x403 + 4 * n, writable: all, clears: true },
  ]).flat();
}

/** How many variable MTRRs and machine-check banks there are. */
export const counts = { ranges: 8, banks: 5 } as const;

/**
 * What systems look at in a P6 and what may be kept without doing anything, since there are no caches, no machine checks and no counters
 * behind it. SDM vol. 4 table 2-20 (P6 family), vol. 3 sections 11.11 (MTRRs), 11.12 (PAT), 15.3 (machine checks).
 */
export const storedMsrs: readonly StoredMsr[] = [
  { name: "p5McAddr", index: 0x00, writable: all },
  { name: "p5McType", index: 0x01, writable: all },
  { name: "platformId", index: 0x17 },
  { name: "eblCrPowerOn", index: 0x2a, writable: low },
  {
    name: "biosUpdateTrigger",
    index: 0x79,
    writable: all,
    missing: { bits: -1, text: "microcode is not loaded: its revision stays 1" },
  },
  // The microcode's revision in the high word, after a CPUID; there is none to load, so it stays what reset gave.
  { name: "biosSign", index: 0x8b, writable: all, clears: true, reset: [0, 1] },
  { name: "perfCtr0", index: 0xc1, writable: all },
  { name: "perfCtr1", index: 0xc2, writable: all },
  { name: "mtrrCap", index: 0xfe, reset: [counts.ranges | 0x500, 0] },
  { name: "bblCrCtl3", index: 0x11e, writable: low },
  { name: "mcgCap", index: 0x179, reset: [counts.banks, 0] },
  { name: "mcgStatus", index: 0x17a, writable: [7, 0] },
  { name: "evntSel0", index: 0x186, writable: low, missing: counting },
  { name: "evntSel1", index: 0x187, writable: low, missing: counting },
  // From the Pentium M on: automatic thermal control, FERR# multiplexing, SpeedStep, xTPR messages; fast strings are on, and there are
  // no performance monitoring, branch trace and precise event facilities (bits 7, 11, 12). SDM vol. 4 tables 2-2 and 2-21.
  {
    name: "miscEnable",
    index: 0x1a0,
    writable: [0x0081_1c89, 0],
    fixed: 0x1880,
    reset: [0x1801, 0],
  },
  { name: "lastBranchFromIp", index: 0x1db },
  { name: "lastBranchToIp", index: 0x1dc },
  { name: "lastIntFromIp", index: 0x1dd },
  { name: "lastIntToIp", index: 0x1de },
  ...variableRanges(counts.ranges),
  ...fixedRanges(),
  { name: "pat", index: 0x277, writable: all, types: "pat", reset: [0x0007_0406, 0x0007_0406] },
  { name: "mtrrDefType", index: 0x2ff, writable: [0xcff, 0], types: "mtrr-low" },
  ...checkBanks(counts.banks),
];
