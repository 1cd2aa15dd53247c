/** Instructions of WebAssembly which are written by name in this room (core specification, section 5.4). */
export const op = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Load: 0x28,
  i64Load: 0x29,
  f32Load: 0x2a,
  f64Load: 0x2b,
  i32Load8U: 0x2d,
  i32Load16S: 0x2e,
  i32Load16U: 0x2f,
  i32Store: 0x36,
  i64Store: 0x37,
  f32Store: 0x38,
  f64Store: 0x39,
  i32Store8: 0x3a,
  i32Store16: 0x3b,
  i32Const: 0x41,
  i64Const: 0x42,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GeU: 0x4f,
  i32Mul: 0x6c,
  i32DivU: 0x6e,
  i32GtS: 0x4a,
  i32GtU: 0x4b,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32And: 0x71,
  i32Or: 0x72,
  i32Xor: 0x73,
  i32Shl: 0x74,
  i32ShrS: 0x75,
  i32ShrU: 0x76,
  i32Rotl: 0x77,
  i64Add: 0x7c,
  i64And: 0x83,
  i64Or: 0x84,
  i64ShrU: 0x88,
  i64Rotl: 0x89,
  i64ExtendI32U: 0xad,
} as const;

/** A block type without a value. */
export const noValue = 0x40;

/** Of operations on binary32 and binary64. */
export const float: Readonly<Record<string, readonly [number, number]>> = {
  fadd: [0x92, 0xa0],
  fsub: [0x93, 0xa1],
  fmul: [0x94, 0xa2],
  fdiv: [0x95, 0xa3],
  fsqrt: [0x91, 0x9f],
  flt: [0x5d, 0x63],
  fle: [0x5f, 0x65],
  feq: [0x5b, 0x61],
};

/** Between numbers and bits. */
export const reinterpret = { i32FromF32: 0xbc, i64FromF64: 0xbd, f32FromI32: 0xbe, f64FromI64: 0xbf } as const;

/** Behind the prefix 0xfd. */
export const vector: Readonly<Record<string, number>> = {
  add32x4: 0xe4,
  sub32x4: 0xe5,
  mul32x4: 0xe6,
  div32x4: 0xe7,
  add64x2: 0xf0,
  sub64x2: 0xf1,
  mul64x2: 0xf2,
  div64x2: 0xf3,
};

/** The same of integers, and of bits. */
export const integers: Readonly<Record<string, number>> = {
  and128: 0x4e,
  andnot128: 0x4f,
  iadd16x8: 0x8e,
  iadd32x4: 0xae,
  iadd64x2: 0xce,
  iadd8x16: 0x6e,
  ieq16x8: 0x2d,
  ieq32x4: 0x37,
  ieq8x16: 0x23,
  igt16x8: 0x31,
  igt32x4: 0x3b,
  igt8x16: 0x27,
  imax16x8: 0x98,
  imin16x8: 0x96,
  imul16x8: 0x95,
  isub16x8: 0x91,
  isub32x4: 0xb1,
  isub64x2: 0xd1,
  isub8x16: 0x71,
  or128: 0x50,
  signs32x4: 0xa4,
  signs64x2: 0xc4,
  signs8x16: 0x64,
  umax8x16: 0x79,
  umin8x16: 0x77,
  xor128: 0x51,
};

/** Bytes of two vectors by number, for `i8x16.shuffle`: lanes of the lower or of the upper halves by turns. */
export const interleaved: Readonly<Record<string, readonly number[]>> = Object.fromEntries(
  [1, 2, 4, 8].flatMap((size) =>
    ["lows", "highs"].map((name) => [
      `${name}${8 * size}x${16 / size}`,
      Array.from({ length: 16 }, (_, k) => {
        const lane = Math.floor(k / size);
        return (name === "lows" ? 0 : 8) + (lane >> 1) * size + (k % size) + (lane % 2) * 16;
      }),
    ]),
  ),
);

/** The instruction for an IR operation which has one, for i32 and for i64. */
export const direct: Readonly<Record<string, readonly [number, number]>> = {
  add: [0x6a, 0x7c],
  sub: [0x6b, 0x7d],
  mul: [0x6c, 0x7e],
  div_s: [0x6d, 0x7f],
  div_u: [0x6e, 0x80],
  rem_s: [0x6f, 0x81],
  rem_u: [0x70, 0x82],
  and: [0x71, 0x83],
  or: [0x72, 0x84],
  xor: [0x73, 0x85],
  shl: [0x74, 0x86],
  shr_s: [0x75, 0x87],
  shr_u: [0x76, 0x88],
  rotl: [0x77, 0x89],
  rotr: [0x78, 0x8a],
  clz: [0x67, 0x79],
  ctz: [0x68, 0x7a],
  popcnt: [0x69, 0x7b],
  eqz: [0x45, 0x50],
  eq: [0x46, 0x51],
  ne: [0x47, 0x52],
  lt_s: [0x48, 0x53],
  lt_u: [0x49, 0x54],
  gt_s: [0x4a, 0x55],
  gt_u: [0x4b, 0x56],
  le_s: [0x4c, 0x57],
  le_u: [0x4d, 0x58],
  ge_s: [0x4e, 0x59],
  ge_u: [0x4f, 0x5a],
  sext8: [0xc0, 0xc2],
  sext16: [0xc1, 0xc3],
  extend_s: [0xac, 0xac],
  extend_u: [0xad, 0xad],
  wrap: [0xa7, 0xa7],
};
