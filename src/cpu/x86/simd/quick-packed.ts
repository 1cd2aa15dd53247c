import type { Builder, Value } from "../../../ir/builder.ts";
import { notDone, type QuickWay } from "../../../ir/frontend.ts";
import type { Operation } from "../../../ir/ops.ts";
import { type PackedName, packedNames } from "./packed.ts";

/*
 * The quick ways of packed integers in XMM registers, by wasm's own operations on 128 bits. MMX registers are left to the helpers, but for what is done bit by bit.
 */

const whole = (b: Builder, at: Value) => b.getAt(at, 16, 0, "v128");

/** One operation of the IR; `turned`: with the source first. */
function lanes(op: Operation, turned = false): QuickWay {
  return (b, args) => {
    const [, to, from, bytes] = args as [Value, Value, Value, Value];
    return b.choose(
      b.eq(bytes, b.i32(16)),
      () => {
        const [x, y] = [whole(b, to), whole(b, from)];
        b.setAt(to, 16, turned ? b.op(op, y, x) : b.op(op, x, y));
        return b.i32(0);
      },
      () => notDone(b),
    );
  };
}

/** PXOR and its like: of XMM registers whole, of MMX registers 64 bits. */
function logical(op: Operation, half: (b: Builder, x: Value, y: Value) => Value, turned = false): QuickWay {
  return (b, args) => {
    const [, to, from, bytes] = args as [Value, Value, Value, Value];
    b.if(
      b.eq(bytes, b.i32(16)),
      () => {
        const [x, y] = [whole(b, to), whole(b, from)];
        b.setAt(to, 16, turned ? b.op(op, y, x) : b.op(op, x, y));
      },
      () => b.setAt(to, 8, half(b, b.getAt(to, 8), b.getAt(from, 8))),
    );
    return b.i32(0);
  };
}

const ways: Partial<Record<PackedName, QuickWay>> = {
  pand: logical("and128", (b, x, y) => b.and(x, y)),
  pandn: logical("andnot128", (b, x, y) => b.and(b.xor(x, b.i64(-1n)), y), true),
  por: logical("or128", (b, x, y) => b.or(x, y)),
  pxor: logical("xor128", (b, x, y) => b.xor(x, y)),
  paddb: lanes("iadd8x16"),
  paddw: lanes("iadd16x8"),
  paddd: lanes("iadd32x4"),
  paddq: lanes("iadd64x2"),
  psubb: lanes("isub8x16"),
  psubw: lanes("isub16x8"),
  psubd: lanes("isub32x4"),
  psubq: lanes("isub64x2"),
  pcmpeqb: lanes("ieq8x16"),
  pcmpeqw: lanes("ieq16x8"),
  pcmpeqd: lanes("ieq32x4"),
  pcmpgtb: lanes("igt8x16"),
  pcmpgtw: lanes("igt16x8"),
  pcmpgtd: lanes("igt32x4"),
  pmullw: lanes("imul16x8"),
  pminub: lanes("umin8x16"),
  pmaxub: lanes("umax8x16"),
  pminsw: lanes("imin16x8"),
  pmaxsw: lanes("imax16x8"),
  punpcklbw: lanes("lows8x16"),
  punpcklwd: lanes("lows16x8"),
  punpckldq: lanes("lows32x4"),
  punpcklqdq: lanes("lows64x2"),
  punpckhbw: lanes("highs8x16"),
  punpckhwd: lanes("highs16x8"),
  punpckhdq: lanes("highs32x4"),
  punpckhqdq: lanes("highs64x2"),
};

/** Four words, from what lies at two places: each is a number of one, 0 to 3. */
function words(b: Builder, low: Value, high: Value, control: number): Value {
  const word = (at: Value, k: number) => b.op("extend_u", b.getAt(at, 4, 4 * ((control >> (2 * k)) & 3)));
  const pair = (at: Value, k: number) => b.or(word(at, k), b.shl(word(at, k + 1), b.i64(32n)));
  return b.op("with_high64", b.op("only_low64", pair(low, 0)), pair(high, 2));
}

/** PSHUFD, SHUFPS and SHUFPD, where it is known what they choose. */
const shuffle =
  (which: "dwords" | "singles" | "doubles"): QuickWay =>
  (b, args) => {
    const [, to, from, control] = args as [Value, Value, Value, Value];
    if (control.op !== "const") return notDone(b);
    if (which === "doubles") {
      const low = b.getAt(to, 8, (control.imm & 1) * 8);
      const high = b.getAt(from, 8, ((control.imm >> 1) & 1) * 8);
      b.setAt(to, 16, b.op("with_high64", b.op("only_low64", low), high));
    } else b.setAt(to, 16, words(b, which === "dwords" ? from : to, from, control.imm));
    return b.i32(0);
  };

/** PMOVMSKB, MOVMSKPS, MOVMSKPD. */
const signs: QuickWay = (b, args) => {
  const [from, bytes, size] = args as [Value, Value, Value];
  if (bytes.op !== "const" || size.op !== "const" || bytes.imm !== 16) return notDone(b);
  return b.op(size.imm === 1 ? "signs8x16" : size.imm === 4 ? "signs32x4" : "signs64x2", whole(b, from));
};

export const quickPacked: Readonly<Record<string, QuickWay>> = {
  ...Object.fromEntries(
    packedNames.flatMap((name, number) => {
      const way = ways[name];
      return way === undefined ? [] : [[`simdPacked/${number}`, way]];
    }),
  ),
  "simdShuffle/3": shuffle("dwords"),
  "simdShuffle/4": shuffle("singles"),
  "simdShuffle/5": shuffle("doubles"),
  simdSigns: signs,
};
