/*
 * Packed integers, 8 bytes (MMX) or 16 (SSE2) at a time, over the bytes of the state. `d` is where the destination, which is also the first operand,
 * lies; `s` the source, which may be the same register. SDM vol. 1 chapters 9 and 11.
 */

/** The state as lanes of all kinds. */
export interface Lanes {
  readonly u8: Uint8Array;
  readonly i8: Int8Array;
  readonly u16: Uint16Array;
  readonly i16: Int16Array;
  readonly i32: Int32Array;
}

export type PackedOperation = (v: Lanes, d: number, s: number, bytes: number) => void;
type Kind = keyof Lanes;
const sizes = { u8: 1, i8: 1, u16: 2, i16: 2, i32: 4 } as const;

/** Lane by lane. */
function each(kind: Kind, f: (a: number, b: number) => number): PackedOperation {
  const size = sizes[kind];
  return (v, d, s, bytes) => {
    const lanes = v[kind];
    const to = d / size;
    const from = s / size;
    for (let k = 0; k < bytes / size; k++) lanes[to + k] = f(lanes[to + k] as number, lanes[from + k] as number);
  };
}

const clamp = (low: number, high: number) => (value: number) => (value < low ? low : value > high ? high : value);
const toI8 = clamp(-128, 127);
const toU8 = clamp(0, 255);
const toI16 = clamp(-32768, 32767);
const toU16 = clamp(0, 65535);

const copyA = new Uint8Array(16);
const copyB = new Uint8Array(16);

/** Keeps both operands aside: the result is written while they are still read. */
function keep(v: Lanes, d: number, s: number, bytes: number): void {
  for (let k = 0; k < bytes; k++) {
    copyA[k] = v.u8[d + k] as number;
    copyB[k] = v.u8[s + k] as number;
  }
}

/** PUNPCK: elements of `size` bytes of the low or high half of each, by turns. */
function unpack(size: number, high: boolean): PackedOperation {
  return (v, d, s, bytes) => {
    keep(v, d, s, bytes);
    const start = high ? bytes / 2 : 0;
    let at = d;
    for (let k = start; k < start + bytes / 2; k += size) {
      for (let n = 0; n < size; n++) v.u8[at++] = copyA[k + n] as number;
      for (let n = 0; n < size; n++) v.u8[at++] = copyB[k + n] as number;
    }
  };
}

const view = (bytes: Uint8Array) => new DataView(bytes.buffer);
const viewA = view(copyA);
const viewB = view(copyB);

/** PACK: words to bytes, the destination's first. */
function packWords(f: (value: number) => number): PackedOperation {
  return (v, d, s, bytes) => {
    keep(v, d, s, bytes);
    const half = bytes / 2;
    for (let k = 0; k < half; k++) {
      v.u8[d + k] = f(viewA.getInt16(2 * k, true));
      v.u8[d + half + k] = f(viewB.getInt16(2 * k, true));
    }
  };
}

const packDwords: PackedOperation = (v, d, s, bytes) => {
  keep(v, d, s, bytes);
  const quarter = bytes / 4;
  for (let k = 0; k < quarter; k++) {
    v.i16[d / 2 + k] = toI16(viewA.getInt32(4 * k, true));
    v.i16[d / 2 + quarter + k] = toI16(viewB.getInt32(4 * k, true));
  }
};

/** PMADDWD: the one sum that does not fit, of four times -32768, wraps. */
const multiplyAdd: PackedOperation = (v, d, s, bytes) => {
  keep(v, d, s, bytes);
  for (let k = 0; k < bytes; k += 4) {
    const low = viewA.getInt16(k, true) * viewB.getInt16(k, true);
    const high = viewA.getInt16(k + 2, true) * viewB.getInt16(k + 2, true);
    v.i32[(d + k) / 4] = (low + high) | 0;
  }
};

/** PSADBW: the sum of eight absolute differences, in a quadword. */
const differences: PackedOperation = (v, d, s, bytes) => {
  keep(v, d, s, bytes);
  for (let k = 0; k < bytes; k += 8) {
    let sum = 0;
    for (let n = k; n < k + 8; n++) sum += Math.abs((copyA[n] as number) - (copyB[n] as number));
    v.i32[(d + k) / 4] = sum;
    v.i32[(d + k) / 4 + 1] = 0;
  }
};

/** 64-bit lanes as pairs of words. */
function eachLong(f: (a: bigint, b: bigint) => bigint): PackedOperation {
  return (v, d, s, bytes) => {
    keep(v, d, s, bytes);
    for (let k = 0; k < bytes; k += 8) {
      const result = f(viewA.getBigUint64(k, true), viewB.getBigUint64(k, true));
      v.i32[(d + k) / 4] = Number(BigInt.asIntN(32, result));
      v.i32[(d + k) / 4 + 1] = Number(BigInt.asIntN(32, result >> 32n));
    }
  };
}

/** The count of a shift by a register is its low 64 bits; whatever is beyond any lane's width is the same. */
function count(v: Lanes, s: number): number {
  const low = v.i32[s / 4] as number;
  return v.i32[s / 4 + 1] !== 0 || low < 0 || low > 255 ? 255 : low;
}

type Shift = "left" | "right" | "arithmetic";

/** Shifts each lane of `size` bytes by the same count. */
export function shiftLanes(v: Lanes, d: number, bytes: number, size: number, how: Shift, by: number): void {
  const width = size * 8;
  if (how === "arithmetic") {
    const n = Math.min(by, width - 1);
    if (size === 2) for (let k = d / 2; k < (d + bytes) / 2; k++) v.i16[k] = (v.i16[k] as number) >> n;
    else for (let k = d / 4; k < (d + bytes) / 4; k++) v.i32[k] = (v.i32[k] as number) >> n;
    return;
  }
  if (by >= width) {
    v.u8.fill(0, d, d + bytes);
    return;
  }
  const left = how === "left";
  if (size === 2) {
    for (let k = d / 2; k < (d + bytes) / 2; k++)
      v.u16[k] = left ? (v.u16[k] as number) << by : (v.u16[k] as number) >> by;
  } else if (size === 4) {
    for (let k = d / 4; k < (d + bytes) / 4; k++)
      v.i32[k] = left ? (v.i32[k] as number) << by : (v.i32[k] as number) >>> by;
  } else {
    const n = BigInt(by);
    eachLong((a) => (left ? a << n : a >> n))(v, d, d, bytes);
  }
}

/** PSLLDQ and PSRLDQ: the whole register by bytes. */
export function shiftBytes(v: Lanes, d: number, left: boolean, by: number): void {
  keep(v, d, d, 16);
  for (let k = 0; k < 16; k++) {
    const from = left ? k - by : k + by;
    v.u8[d + k] = from >= 0 && from < 16 ? (copyA[from] as number) : 0;
  }
}

function shift(size: number, how: Shift): PackedOperation {
  return (v, d, s, bytes) => shiftLanes(v, d, bytes, size, how, count(v, s));
}

const average = (a: number, b: number) => (a + b + 1) >> 1;
const truth = (value: boolean) => (value ? -1 : 0);

/** PHADD and PHSUB: neighbours of the destination, then those of the source. SDM vol. 2, PHADDW. */
function neighbours(kind: "i16" | "i32", f: (a: number, b: number) => number): PackedOperation {
  const size = sizes[kind];
  return (v, d, s, bytes) => {
    keep(v, d, s, bytes);
    const lanes = bytes / size;
    for (let k = 0; k < lanes; k++) {
      const from = k < lanes / 2 ? viewA : viewB;
      const at = ((2 * k) % lanes) * size;
      v[kind][d / size + k] =
        size === 2
          ? f(from.getInt16(at, true), from.getInt16(at + 2, true))
          : f(from.getInt32(at, true), from.getInt32(at + 4, true));
    }
  };
}

/** PMADDUBSW: unsigned bytes of the destination, signed ones of the source. */
const multiplyAddBytes: PackedOperation = (v, d, s, bytes) => {
  keep(v, d, s, bytes);
  for (let k = 0; k < bytes; k += 2) {
    const low = viewA.getUint8(k) * viewB.getInt8(k);
    const high = viewA.getUint8(k + 1) * viewB.getInt8(k + 1);
    v.i16[(d + k) / 2] = toI16(low + high);
  }
};

/** PSHUFB: a byte of the source says which one of the destination, or 0. */
const shuffleBytes: PackedOperation = (v, d, s, bytes) => {
  keep(v, d, s, bytes);
  for (let k = 0; k < bytes; k++) {
    const which = copyB[k] as number;
    v.u8[d + k] = which >= 0x80 ? 0 : (copyA[which & (bytes - 1)] as number);
  }
};

const withSign = (a: number, b: number) => (b < 0 ? -a : b === 0 ? 0 : a);
const magnitude = (_: number, b: number) => Math.abs(b);

export const packed = {
  paddb: each("u8", (a, b) => a + b),
  paddw: each("u16", (a, b) => a + b),
  paddd: each("i32", (a, b) => (a + b) | 0),
  paddq: eachLong((a, b) => a + b),
  paddsb: each("i8", (a, b) => toI8(a + b)),
  paddsw: each("i16", (a, b) => toI16(a + b)),
  paddusb: each("u8", (a, b) => toU8(a + b)),
  paddusw: each("u16", (a, b) => toU16(a + b)),
  psubb: each("u8", (a, b) => a - b),
  psubw: each("u16", (a, b) => a - b),
  psubd: each("i32", (a, b) => (a - b) | 0),
  psubq: eachLong((a, b) => a - b),
  psubsb: each("i8", (a, b) => toI8(a - b)),
  psubsw: each("i16", (a, b) => toI16(a - b)),
  psubusb: each("u8", (a, b) => toU8(a - b)),
  psubusw: each("u16", (a, b) => toU16(a - b)),
  pmullw: each("i16", (a, b) => Math.imul(a, b)),
  pmulhw: each("i16", (a, b) => Math.imul(a, b) >> 16),
  pmulhuw: each("u16", (a, b) => (a * b) / 65536),
  pmuludq: eachLong((a, b) => BigInt.asUintN(32, a) * BigInt.asUintN(32, b)),
  pmaddwd: multiplyAdd,
  psadbw: differences,
  pavgb: each("u8", average),
  pavgw: each("u16", average),
  pminub: each("u8", Math.min),
  pmaxub: each("u8", Math.max),
  pminsw: each("i16", Math.min),
  pmaxsw: each("i16", Math.max),
  pcmpeqb: each("i8", (a, b) => truth(a === b)),
  pcmpeqw: each("i16", (a, b) => truth(a === b)),
  pcmpeqd: each("i32", (a, b) => truth(a === b)),
  pcmpgtb: each("i8", (a, b) => truth(a > b)),
  pcmpgtw: each("i16", (a, b) => truth(a > b)),
  pcmpgtd: each("i32", (a, b) => truth(a > b)),
  pand: each("i32", (a, b) => a & b),
  pandn: each("i32", (a, b) => ~a & b),
  por: each("i32", (a, b) => a | b),
  pxor: each("i32", (a, b) => a ^ b),
  punpcklbw: unpack(1, false),
  punpcklwd: unpack(2, false),
  punpckldq: unpack(4, false),
  punpcklqdq: unpack(8, false),
  punpckhbw: unpack(1, true),
  punpckhwd: unpack(2, true),
  punpckhdq: unpack(4, true),
  punpckhqdq: unpack(8, true),
  packsswb: packWords(toI8),
  packuswb: packWords(toU8),
  packssdw: packDwords,
  psllw: shift(2, "left"),
  pslld: shift(4, "left"),
  psllq: shift(8, "left"),
  psrlw: shift(2, "right"),
  psrld: shift(4, "right"),
  psrlq: shift(8, "right"),
  phaddw: neighbours("i16", (a, b) => a + b),
  phaddd: neighbours("i32", (a, b) => a + b),
  phaddsw: neighbours("i16", (a, b) => toI16(a + b)),
  phsubw: neighbours("i16", (a, b) => a - b),
  phsubd: neighbours("i32", (a, b) => a - b),
  phsubsw: neighbours("i16", (a, b) => toI16(a - b)),
  pmaddubsw: multiplyAddBytes,
  pmulhrsw: each("i16", (a, b) => ((Math.imul(a, b) >> 14) + 1) >> 1),
  pshufb: shuffleBytes,
  psignb: each("i8", withSign),
  psignw: each("i16", withSign),
  psignd: each("i32", withSign),
  pabsb: each("i8", magnitude),
  pabsw: each("i16", magnitude),
  pabsd: each("i32", magnitude),
  psraw: shift(2, "arithmetic"),
  psrad: shift(4, "arithmetic"),
} as const satisfies Record<string, PackedOperation>;

export type PackedName = keyof typeof packed;
/** By number, which is what a helper can be given. */
export const packedNames = Object.keys(packed) as PackedName[];
export const packedOperations: readonly PackedOperation[] = packedNames.map((name) => packed[name]);

/** Copies elements of `size` bytes, two bits of the control choosing each of four: `from` and `to` are where the four lie. */
export function shuffle(v: Lanes, to: number, from: number, size: number, control: number): void {
  keep(v, from, from, 16);
  for (let k = 0; k < 4; k++) {
    const which = (control >> (2 * k)) & 3;
    for (let n = 0; n < size; n++) v.u8[to + k * size + n] = copyA[which * size + n] as number;
  }
}

/** SHUFPS and SHUFPD: the low half from the destination, the high half from the source. */
export function shuffleTwo(v: Lanes, d: number, s: number, size: number, control: number): void {
  keep(v, d, s, 16);
  const lanes = 16 / size;
  for (let k = 0; k < lanes; k++) {
    const which = size === 4 ? (control >> (2 * k)) & 3 : (control >> k) & 1;
    const from = k < lanes / 2 ? copyA : copyB;
    for (let n = 0; n < size; n++) v.u8[d + k * size + n] = from[which * size + n] as number;
  }
}

/** PALIGNR: `bytes` bytes of the destination above the source, `by` bytes further up. */
export function align(v: Lanes, d: number, s: number, bytes: number, by: number): void {
  keep(v, d, s, bytes);
  for (let k = 0; k < bytes; k++) {
    const at = k + by;
    v.u8[d + k] = at < bytes ? (copyB[at] as number) : at < 2 * bytes ? (copyA[at - bytes] as number) : 0;
  }
}

/** PMOVMSKB, MOVMSKPS, MOVMSKPD: the sign bits of lanes of `size` bytes. */
export function signs(v: Lanes, s: number, bytes: number, size: number): number {
  let mask = 0;
  for (let k = 0; k < bytes / size; k++) mask |= ((v.u8[s + k * size + size - 1] as number) >> 7) << k;
  return mask;
}
