import { Attribute, Row } from "../../../src/cpu/e500/pattern.ts";
import { primary } from "../../../src/cpu/e500/table.ts";
import type { Random } from "../../campaign/random.ts";

/* Floating-point instructions with operands that are worth a try: where formats end, where roundings meet, where exceptions begin. */

export interface FloatCase {
  readonly mnemonic: string;
  readonly word: number;
  readonly fpscr: number;
  /** f3 to f6, as bits. */
  readonly fpr: readonly bigint[];
  readonly r4: number;
  readonly r5: number;
  readonly cr: number;
  readonly memory: Uint8Array;
}

export const dataAt = 0x4002_0fe0;
export const dataSize = 16;

const sign = 1n << 63n;
const scratch = new DataView(new ArrayBuffer(8));

export function bitsOf(x: number): bigint {
  scratch.setFloat64(0, x);
  return scratch.getBigUint64(0);
}

const p = (k: number) => 2 ** k;
const corners: readonly bigint[] = [
  ...[0, 5e-324, p(-1022) - p(-1074), p(-1022), p(-1022) + p(-1074), p(-1021), p(-1000), p(-511), p(-537), p(511)],
  ...[Number.MAX_VALUE, p(1023), p(1000), p(512), p(537), 1, 1 + p(-52), 1 - p(-53), 2, 3, 0.5, 1.5, 2 - p(-52), 10],
  // Singles: where they end, where they are denormalized, where two of them meet.
  ...[p(-149), p(-150), p(-151), p(-150) + p(-190), p(-126), p(-127), p(-126) - p(-149), p(-126) - p(-151), p(-200)],
  ...[p(-126) - p(-178), p(128), p(127), (2 - p(-23)) * p(127), (2 - p(-24)) * p(127), (2 - p(-24) - p(-52)) * p(127)],
  ...[1 + p(-23), 1 + p(-24), 1 + p(-24) + p(-52), 1 + 3 * p(-24), 1 + p(-24) - p(-52), p(-75), p(64), p(-63)],
  // Integers of 32 bits.
  ...[
    p(31),
    p(31) - 1,
    p(31) - 0.5,
    p(31) - 0.25,
    p(31) + 0.5,
    p(31) + 0.75,
    p(32),
    p(31) + 1,
    2.5,
    3.5,
    0.25,
    1e9 + 0.5,
  ],
].map(bitsOf);
const special: readonly bigint[] = [
  0x7ff0_0000_0000_0000n,
  0x7ff8_0000_0000_0000n,
  0x7ff0_0000_0000_0001n,
  0x7ff7_ffff_ffff_ffffn,
  0x7ffc_0123_4567_89abn,
  0x7ff0_0000_2000_0000n,
];

const long = (random: Random) => (BigInt(random.word()) << 32n) | BigInt(random.word());

/** The bits of a register; `single`: mostly what singles can say. */
export function operand(random: Random, single: boolean): bigint {
  const negative = random.once(2) ? sign : 0n;
  const kind = random.below(16);
  let bits: bigint;
  if (kind < 5) bits = random.pick(corners);
  else if (kind === 5) bits = random.pick(special);
  else if (kind === 6) bits = long(random) & ~sign;
  else if (kind === 7) bits = long(random) & 0xf_ffff_ffff_ffffn;
  else {
    const around = single ? random.pick([874, 897, 1023, 1023, 1150]) : random.pick([10, 52, 1023, 1023, 2000, 1075]);
    const exponent = Math.max(0, Math.min(2046, around + random.below(61) - 30));
    const fraction = random.once(3) ? 1n << BigInt(random.below(52)) : long(random) & 0xf_ffff_ffff_ffffn;
    bits = (BigInt(exponent) << 52n) | fraction;
  }
  if (single && !random.once(8) && (bits & 0x7ff0_0000_0000_0000n) !== 0x7ff0_0000_0000_0000n) {
    scratch.setBigUint64(0, bits);
    bits = bitsOf(Math.fround(scratch.getFloat64(0)));
  }
  return bits | negative;
}

/**
 * FPSCR: any rounding mode, some enables, some exceptions that came before. None of these is enabled: a program would have been interrupted.
 * VX follows from the rest.
 */
export function fpscr(random: Random): number {
  const enables = random.once(2)
    ? 0
    : random.once(2)
      ? random.pick([0x80, 0x40, 0x20, 0x10, 8])
      : random.below(32) << 3;
  let sticky = random.once(2) ? 0 : random.once(3) ? 0x0200_0000 : random.word() & 0x9ff8_0700;
  sticky &= ~((enables & 0x78) << 22);
  if ((enables & 0x80) !== 0) sticky &= ~0x01f8_0700;
  const vx = (sticky & 0x01f8_0700) !== 0 ? 0x2000_0000 : 0;
  return (sticky | vx | (random.once(3) ? random.word() & 0x0007_f000 : 0) | enables | random.below(4)) >>> 0;
}

export interface FloatOpcode {
  readonly row: Row;
  readonly word: number;
}

/** lfdepx and stfdepx are the system's. */
export const floatOpcodes: readonly FloatOpcode[] = (() => {
  const found: FloatOpcode[] = [];
  const seen = new Set<string>();
  for (const [k, entry] of primary.entries()) {
    const rows = entry instanceof Row ? [[0, entry] as const] : [...(entry ?? []).entries()];
    for (const [xo, row] of rows) {
      if (row === undefined || row.has(Attribute.privileged) || seen.has(row.mnemonic)) continue;
      if (k !== 59 && k !== 63 && !row.operands.includes("FT")) continue;
      seen.add(row.mnemonic);
      found.push({ row, word: ((k << 26) | (xo << 1)) >>> 0 });
    }
  }
  return found;
})();

/** A number that meets another one: its neighbour, its negative, its reciprocal, or what rounds it. */
function close(random: Random, to: bigint): bigint {
  scratch.setBigUint64(0, to);
  const x = scratch.getFloat64(0);
  switch (random.below(4)) {
    case 0:
      return BigInt.asUintN(64, (to ^ sign) + BigInt(random.below(5) - 2));
    case 1:
      return BigInt.asUintN(64, to + BigInt(random.below(5) - 2));
    case 2:
      return bitsOf(x * 2 ** -random.pick([23, 24, 25, 52, 53, 54, 106, 107]));
    default:
      return bitsOf(1 / x);
  }
}

/** A case whose memory, if it has any, lies at `at`. */
export function makeFloatCase(random: Random, { row, word }: FloatOpcode, at = dataAt): FloatCase {
  const has = (name: string) => (row.operands as readonly string[]).includes(name);
  const single =
    row.mnemonic.endsWith("s") && row.mnemonic !== "mffs" && row.mnemonic !== "fabs" && row.mnemonic !== "fnabs";
  let w = word;
  const put = (shift: number, field: number) => {
    w |= field << shift;
  };
  const fpr = Array.from({ length: 4 }, () => operand(random, single));
  const place = (name: string) =>
    (random.once(4) ? 3 + random.below(4) : { FT: 3, FA: 4, FB: 5, FC: 6 }[name]) as number;
  const [t, a, b, c] = ["FT", "FA", "FB", "FC"].map(place) as [number, number, number, number];
  if (has("FT")) put(21, t);
  if (has("FA")) put(16, a);
  if (has("FB") || (has("W") && row.mnemonic === "mtfsf")) put(11, b);
  if (has("FC")) put(6, c);
  const [fa, fb, fc] = [fpr[a - 3] as bigint, fpr[b - 3] as bigint, fpr[c - 3] as bigint];
  if (random.once(4)) {
    if (!has("FC")) fpr[b - 3] = close(random, fa);
    else if (!has("FB")) fpr[c - 3] = close(random, fa);
    else {
      scratch.setBigUint64(0, fa);
      const x = scratch.getFloat64(0);
      scratch.setBigUint64(0, fc);
      fpr[b - 3] = close(random, bitsOf(x * scratch.getFloat64(0)));
    }
  } else if (random.once(8)) fpr[a - 3] = fb ^ (random.once(2) ? sign : 0n);
  if (has("BF")) put(23, random.below(8));
  if (row.mnemonic === "mcrfs") {
    put(23, random.below(8));
    put(18, random.below(8));
  }
  if (/^mtfsb/.test(row.mnemonic)) put(21, random.below(32));
  if (row.mnemonic === "mtfsf") put(17, random.once(3) ? 0xff : random.below(256));
  if (row.mnemonic === "mtfsf" && random.once(2))
    fpr[b - 3] = ((fpr[b - 3] as bigint) & ~0xffff_ffffn) | BigInt(fpscr(random));
  if (row.mnemonic === "mtfsfi") {
    put(23, random.below(8));
    put(12, random.below(16));
  }
  if (row.has(Attribute.record) && random.once(3)) put(0, 1);
  let [r4, r5] = [0, 0];
  const memory = new Uint8Array(dataSize);
  if (/^(l|st)f/.test(row.mnemonic)) {
    const target = at + random.below(dataSize - 7);
    put(16, 4);
    r4 = random.word();
    if (has("B")) {
      put(11, 5);
      r5 = (target - r4) >>> 0;
    } else {
      const d = random.below(0x10000);
      put(0, d);
      r4 = (target - ((d << 16) >> 16)) >>> 0;
    }
    scratch.setBigUint64(0, operand(random, false));
    if (/^lfs/.test(row.mnemonic)) scratch.setFloat32(0, random.once(2) ? scratch.getFloat64(0) : 0);
    if (/^lfs/.test(row.mnemonic) && random.once(2)) scratch.setUint32(0, singleBits(random));
    for (let k = 0; k < dataSize; k++) memory[k] = random.below(256);
    for (let k = 0; k < 8; k++) memory[target - at + k] = scratch.getUint8(k);
  }
  return { mnemonic: row.mnemonic, word: w >>> 0, fpscr: fpscr(random), fpr, r4, r5, cr: random.word(), memory };
}

function singleBits(random: Random): number {
  const bits = random.once(2)
    ? random.pick([0, 1, 2, 0x7f_ffff, 0x80_0000, 0x7f7f_ffff, 0x7f80_0000, 0x7fc0_0000, 0x7f80_0001, 0x7fbf_ffff])
    : random.word() & (random.once(3) ? 0x007f_ffff : 0x7fff_ffff);
  return (bits | (random.once(2) ? 0x8000_0000 : 0)) >>> 0;
}

const chained = floatOpcodes.filter(({ row }) =>
  /^f(n?m(add|sub)s?|(add|sub|mul|div)s?|rsp|sel|mr|neg|n?abs|cmpu)$/.test(row.mnemonic),
);

/**
 * Instructions that work on each other's results in f3 to f6. FPSCR is such that no difference between oracles shows but in FR, FI and FPRF: FX and VXSNAN
 * are set, nothing is enabled, and no rounding goes up or down.
 */
export function makeFloatSequence(random: Random): Omit<FloatCase, "mnemonic" | "word"> & { words: FloatOpcode[] } {
  const single = random.once(3);
  const words = Array.from({ length: 2 + random.below(8) }, () => {
    const { row, word } = random.pick(chained);
    let w = word;
    const has = (name: string) => (row.operands as readonly string[]).includes(name);
    for (const [name, shift] of [
      ["FT", 21],
      ["FA", 16],
      ["FB", 11],
      ["FC", 6],
    ] as const)
      if (has(name)) w |= (3 + random.below(4)) << shift;
    if (has("BF")) w |= random.below(8) << 23;
    if (row.has(Attribute.record) && random.once(4)) w |= 1;
    return { row, word: w >>> 0 };
  });
  const sticky = random.once(2) ? 0xbff8_0700 : 0xa300_0000;
  return {
    words,
    fpscr: (sticky | (random.once(3) ? 1 : 0)) >>> 0,
    fpr: Array.from({ length: 4 }, () => (random.once(3) ? operand(random, single) : bitsOf(plain(random, single)))),
    r4: 0,
    r5: 0,
    cr: random.word(),
    memory: new Uint8Array(dataSize),
  };
}

/** A number of everyday size. */
function plain(random: Random, single: boolean): number {
  const x = (random.word() - 2 ** 31) * 2 ** -random.below(40) + random.word() * 2 ** -60;
  return single ? Math.fround(x) : x;
}
