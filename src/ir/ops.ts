/** What a value is. Truth values are i32, 0 or 1; i32 and i64 are neither signed nor unsigned. */
export type Type = "i32" | "i64" | "f32" | "f64" | "v128";

/**
 * How an operation's types hang together.
 *
 * `T,T->T` takes two values of one type and gives that type; a name on the right is a fixed result.
 */
export type Signature =
  | "T->T"
  | "T,T->T"
  | "T->i32"
  | "T,T->i32"
  | "i32->i64"
  | "i64->i32"
  | "i32->i32"
  | "i32,i32,i32->i32"
  | "i64->i64"
  | "v128,v128->v128"
  | "v128->v128"
  | "v128->i32"
  | "v128,v128->i32"
  | "v128->i64"
  | "v128,i64->v128"
  | "v128,i32->v128"
  | "i64->v128"
  | "i32,T,T->T";

export interface OperationInfo {
  readonly signature: Signature;
  /** For which types T it exists. */
  readonly types: readonly Type[];
  /** The meaning, in a line. `mod` is 2 to the power of the type's width. */
  readonly meaning: string;
}

const integers = ["i32", "i64"] as const;
const word = ["i32"] as const;
const long = ["i64"] as const;
const vector = ["v128"] as const;
const all = ["i32", "i64", "f32", "f64", "v128"] as const;

/**
 * The operations which only compute: no state, no memory, no effect. A front end makes each instruction's meaning from
 * these and from the effects in `node.ts`; `evaluate.ts` is their definition.
 */
export const operations = {
  add: { signature: "T,T->T", types: integers, meaning: "(a + b) mod" },
  sub: { signature: "T,T->T", types: integers, meaning: "(a - b) mod" },
  mul: { signature: "T,T->T", types: integers, meaning: "(a * b) mod" },
  div_s: {
    signature: "T,T->T",
    types: integers,
    meaning: "a / b towards zero; b = 0 and the overflow are the front end's to test first",
  },
  div_u: { signature: "T,T->T", types: integers, meaning: "a / b unsigned; b = 0 is the front end's to test first" },
  rem_s: {
    signature: "T,T->T",
    types: integers,
    meaning: "the remainder of div_s, with the sign of a; b = 0 is the front end's to test first",
  },
  rem_u: {
    signature: "T,T->T",
    types: integers,
    meaning: "the remainder of div_u; b = 0 is the front end's to test first",
  },
  and: { signature: "T,T->T", types: integers, meaning: "a & b" },
  or: { signature: "T,T->T", types: integers, meaning: "a | b" },
  xor: { signature: "T,T->T", types: integers, meaning: "a ^ b" },
  shl: { signature: "T,T->T", types: integers, meaning: "a << (b mod width)" },
  shr_s: { signature: "T,T->T", types: integers, meaning: "a >> (b mod width), copies of the sign coming in" },
  shr_u: { signature: "T,T->T", types: integers, meaning: "a >> (b mod width), zeros coming in" },
  rotl: { signature: "T,T->T", types: integers, meaning: "a rotated left by b mod width" },
  rotr: { signature: "T,T->T", types: integers, meaning: "a rotated right by b mod width" },
  clz: { signature: "T->T", types: integers, meaning: "zeros above the highest one; the width for 0" },
  ctz: { signature: "T->T", types: integers, meaning: "zeros below the lowest one; the width for 0" },
  popcnt: { signature: "T->T", types: integers, meaning: "the number of ones" },
  eqz: { signature: "T->i32", types: integers, meaning: "a = 0" },
  eq: { signature: "T,T->i32", types: integers, meaning: "a = b" },
  ne: { signature: "T,T->i32", types: integers, meaning: "a != b" },
  lt_s: { signature: "T,T->i32", types: integers, meaning: "a < b, signed" },
  lt_u: { signature: "T,T->i32", types: integers, meaning: "a < b, unsigned" },
  gt_s: { signature: "T,T->i32", types: integers, meaning: "a > b, signed" },
  gt_u: { signature: "T,T->i32", types: integers, meaning: "a > b, unsigned" },
  le_s: { signature: "T,T->i32", types: integers, meaning: "a <= b, signed" },
  le_u: { signature: "T,T->i32", types: integers, meaning: "a <= b, unsigned" },
  ge_s: { signature: "T,T->i32", types: integers, meaning: "a >= b, signed" },
  ge_u: { signature: "T,T->i32", types: integers, meaning: "a >= b, unsigned" },
  sext8: { signature: "i32->i32", types: word, meaning: "bits 7..0 as a signed number" },
  sext16: { signature: "i32->i32", types: word, meaning: "bits 15..0 as a signed number" },
  bswap: { signature: "T->T", types: integers, meaning: "the bytes in the other order" },
  extend_s: { signature: "i32->i64", types: word, meaning: "a as a signed number" },
  extend_u: { signature: "i32->i64", types: word, meaning: "a as an unsigned number" },
  wrap: { signature: "i64->i32", types: long, meaning: "bits 31..0" },
  select: { signature: "i32,T,T->T", types: all, meaning: "b where a is not 0, else c" },
  carries: {
    signature: "i32,i32,i32->i32",
    types: word,
    meaning: "the carry out of each bit of the sum c = a + b (+ 1)",
  },
  borrows: {
    signature: "i32,i32,i32->i32",
    types: word,
    meaning: "the borrow out of each bit of the difference c = a - b (- 1)",
  },
  // Of 16 and of 8 bits, so placed that one rule for the topmost serves all widths (cpu/x86/flags.ts).
  carries16: { signature: "i32,i32,i32->i32", types: word, meaning: "carries << 16, and its bit 3 where that was" },
  borrows16: { signature: "i32,i32,i32->i32", types: word, meaning: "borrows << 16, and its bit 3 where that was" },
  carries8: { signature: "i32,i32,i32->i32", types: word, meaning: "carries << 24, and its bit 3 where that was" },
  borrows8: { signature: "i32,i32,i32->i32", types: word, meaning: "borrows << 24, and its bit 3 where that was" },
  // IEEE 754 on bit patterns, to nearest even: i32 is a binary32, i64 a binary64. What a NaN that comes out looks like is open.
  fadd: { signature: "T,T->T", types: integers, meaning: "a + b, rounded" },
  fsub: { signature: "T,T->T", types: integers, meaning: "a - b, rounded" },
  fmul: { signature: "T,T->T", types: integers, meaning: "a * b, rounded" },
  fdiv: { signature: "T,T->T", types: integers, meaning: "a / b, rounded" },
  fsqrt: { signature: "T->T", types: integers, meaning: "the square root, rounded" },
  flt: { signature: "T,T->i32", types: integers, meaning: "a < b; 0 with a NaN" },
  fle: { signature: "T,T->i32", types: integers, meaning: "a <= b; 0 with a NaN" },
  feq: { signature: "T,T->i32", types: integers, meaning: "a = b; 0 with a NaN" },
  fpromote: { signature: "i32->i64", types: word, meaning: "the binary64 which is the binary32 a" },
  fdemote: { signature: "i64->i32", types: long, meaning: "the binary64 a rounded to binary32" },
  ffrom_u: { signature: "i64->i64", types: long, meaning: "the unsigned number a rounded to binary64" },
  ffrom_s: { signature: "i64->i64", types: long, meaning: "the signed number a rounded to binary64" },
  fto_u: {
    signature: "i64->i64",
    types: long,
    meaning:
      "the binary64 a towards zero, as an unsigned number; the nearest there is when it does not fit, 0 for a NaN",
  },
  fto_s: { signature: "i64->i64", types: long, meaning: "as fto_u, as a signed number" },
  exactsum: {
    signature: "T,T->i32",
    types: integers,
    meaning: "whether a + b needs no rounding; of normal numbers and zeros",
  },
  // The same on the lanes of 128 bits, four binary32 or two binary64.
  add32x4: { signature: "v128,v128->v128", types: vector, meaning: "a + b in each of four lanes, rounded" },
  sub32x4: { signature: "v128,v128->v128", types: vector, meaning: "a - b in each of four lanes, rounded" },
  mul32x4: { signature: "v128,v128->v128", types: vector, meaning: "a * b in each of four lanes, rounded" },
  div32x4: { signature: "v128,v128->v128", types: vector, meaning: "a / b in each of four lanes, rounded" },
  add64x2: { signature: "v128,v128->v128", types: vector, meaning: "a + b in each of two lanes, rounded" },
  sub64x2: { signature: "v128,v128->v128", types: vector, meaning: "a - b in each of two lanes, rounded" },
  mul64x2: { signature: "v128,v128->v128", types: vector, meaning: "a * b in each of two lanes, rounded" },
  div64x2: { signature: "v128,v128->v128", types: vector, meaning: "a / b in each of two lanes, rounded" },
  exactsum32x4: {
    signature: "v128,v128->i32",
    types: vector,
    meaning: "whether no a + b of four lanes needs rounding; of normal numbers and zeros",
  },
  exactproduct32x4: {
    signature: "v128,v128->i32",
    types: vector,
    meaning: "whether no a * b of four lanes needs rounding; of normal numbers and zeros whose products are such",
  },
  normals32x4: {
    signature: "v128->v128",
    types: vector,
    meaning: "ones in those of four lanes that are normal numbers",
  },
  normals64x2: {
    signature: "v128->v128",
    types: vector,
    meaning: "ones in those of two lanes that are normal numbers",
  },
  zeros32x4: { signature: "v128->v128", types: vector, meaning: "ones in those of four lanes that are zeros" },
  zeros64x2: { signature: "v128->v128", types: vector, meaning: "ones in those of two lanes that are zeros" },
  all32x4: { signature: "v128->i32", types: vector, meaning: "whether none of four lanes is 0" },
  all64x2: { signature: "v128->i32", types: vector, meaning: "whether neither of two lanes is 0" },
  iadd8x16: { signature: "v128,v128->v128", types: vector, meaning: "(a + b) mod in each of sixteen lanes" },
  isub8x16: { signature: "v128,v128->v128", types: vector, meaning: "(a - b) mod in each of sixteen lanes" },
  ieq8x16: { signature: "v128,v128->v128", types: vector, meaning: "ones in those of sixteen lanes where a = b" },
  igt8x16: {
    signature: "v128,v128->v128",
    types: vector,
    meaning: "ones in those of sixteen lanes where a > b, signed",
  },
  iadd16x8: { signature: "v128,v128->v128", types: vector, meaning: "(a + b) mod in each of eight lanes" },
  isub16x8: { signature: "v128,v128->v128", types: vector, meaning: "(a - b) mod in each of eight lanes" },
  ieq16x8: { signature: "v128,v128->v128", types: vector, meaning: "ones in those of eight lanes where a = b" },
  igt16x8: { signature: "v128,v128->v128", types: vector, meaning: "ones in those of eight lanes where a > b, signed" },
  iadd32x4: { signature: "v128,v128->v128", types: vector, meaning: "(a + b) mod in each of four lanes" },
  isub32x4: { signature: "v128,v128->v128", types: vector, meaning: "(a - b) mod in each of four lanes" },
  ieq32x4: { signature: "v128,v128->v128", types: vector, meaning: "ones in those of four lanes where a = b" },
  igt32x4: { signature: "v128,v128->v128", types: vector, meaning: "ones in those of four lanes where a > b, signed" },
  iadd64x2: { signature: "v128,v128->v128", types: vector, meaning: "(a + b) mod in each of two lanes" },
  isub64x2: { signature: "v128,v128->v128", types: vector, meaning: "(a - b) mod in each of two lanes" },
  imul16x8: { signature: "v128,v128->v128", types: vector, meaning: "(a * b) mod in each of eight lanes" },
  umin8x16: {
    signature: "v128,v128->v128",
    types: vector,
    meaning: "the lesser of a and b, unsigned, in each of sixteen lanes",
  },
  umax8x16: {
    signature: "v128,v128->v128",
    types: vector,
    meaning: "the greater of a and b, unsigned, in each of sixteen lanes",
  },
  imin16x8: {
    signature: "v128,v128->v128",
    types: vector,
    meaning: "the lesser of a and b, signed, in each of eight lanes",
  },
  imax16x8: {
    signature: "v128,v128->v128",
    types: vector,
    meaning: "the greater of a and b, signed, in each of eight lanes",
  },
  lows8x16: {
    signature: "v128,v128->v128",
    types: vector,
    meaning: "the lower half of the lanes of a and of b, by turns",
  },
  highs8x16: {
    signature: "v128,v128->v128",
    types: vector,
    meaning: "the upper half of the lanes of a and of b, by turns",
  },
  lows16x8: {
    signature: "v128,v128->v128",
    types: vector,
    meaning: "the lower half of the lanes of a and of b, by turns",
  },
  highs16x8: {
    signature: "v128,v128->v128",
    types: vector,
    meaning: "the upper half of the lanes of a and of b, by turns",
  },
  lows32x4: {
    signature: "v128,v128->v128",
    types: vector,
    meaning: "the lower half of the lanes of a and of b, by turns",
  },
  highs32x4: {
    signature: "v128,v128->v128",
    types: vector,
    meaning: "the upper half of the lanes of a and of b, by turns",
  },
  lows64x2: {
    signature: "v128,v128->v128",
    types: vector,
    meaning: "the lower half of the lanes of a and of b, by turns",
  },
  highs64x2: {
    signature: "v128,v128->v128",
    types: vector,
    meaning: "the upper half of the lanes of a and of b, by turns",
  },
  signs8x16: {
    signature: "v128->i32",
    types: vector,
    meaning: "the topmost bit of each lane, that of the lowest in bit 0",
  },
  signs32x4: {
    signature: "v128->i32",
    types: vector,
    meaning: "the topmost bit of each lane, that of the lowest in bit 0",
  },
  signs64x2: {
    signature: "v128->i32",
    types: vector,
    meaning: "the topmost bit of each lane, that of the lowest in bit 0",
  },
  and128: { signature: "v128,v128->v128", types: vector, meaning: "a & b" },
  andnot128: { signature: "v128,v128->v128", types: vector, meaning: "a & ~b" },
  or128: { signature: "v128,v128->v128", types: vector, meaning: "a | b" },
  xor128: { signature: "v128,v128->v128", types: vector, meaning: "a ^ b" },
  low64: { signature: "v128->i64", types: vector, meaning: "bits 63..0" },
  high64: { signature: "v128->i64", types: vector, meaning: "bits 127..64" },
  low32: { signature: "v128->i32", types: vector, meaning: "bits 31..0" },
  with_low64: { signature: "v128,i64->v128", types: vector, meaning: "a with b in bits 63..0" },
  with_high64: { signature: "v128,i64->v128", types: vector, meaning: "a with b in bits 127..64" },
  with_low32: { signature: "v128,i32->v128", types: vector, meaning: "a with b in bits 31..0" },
  only_low64: { signature: "i64->v128", types: long, meaning: "a in bits 63..0, zeros above" },
} as const satisfies Record<string, OperationInfo>;

export type Operation = keyof typeof operations;

/** An operation as the general description has it. */
export function info(op: Operation): OperationInfo {
  return operations[op];
}
