/** Names of WebAssembly's instructions, by opcode (core specification, section 5.4, and the index of instructions in its appendix). */

/** `a b` becomes `prefix.a prefix.b`, from an opcode on; `-` is left out. */
function run(into: Map<number, string>, from: number, prefix: string, words: string): void {
  for (const [k, word] of words.split(" ").entries())
    if (word !== "-") into.set(from + k, prefix === "" ? word : `${prefix}.${word}`);
}

const compare = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
const compareFloat = "eq ne lt gt le ge";
const integer = "clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr";
const floating = "abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign";

/** Of one byte. */
export const plainNames: ReadonlyMap<number, string> = (() => {
  const names = new Map<number, string>();
  run(names, 0x00, "", "unreachable nop block loop if else - - - - - end br br_if br_table return");
  run(names, 0x10, "", "call call_indirect return_call return_call_indirect");
  run(names, 0x1a, "", "drop select");
  run(names, 0x20, "", "local.get local.set local.tee global.get global.set");
  run(names, 0x28, "", "i32.load i64.load f32.load f64.load");
  run(names, 0x2c, "i32", "load8_s load8_u load16_s load16_u");
  run(names, 0x30, "i64", "load8_s load8_u load16_s load16_u load32_s load32_u");
  run(names, 0x36, "", "i32.store i64.store f32.store f64.store i32.store8 i32.store16");
  run(names, 0x3c, "i64", "store8 store16 store32");
  run(names, 0x3f, "", "memory.size memory.grow i32.const i64.const f32.const f64.const");
  run(names, 0x45, "i32", `eqz ${compare}`);
  run(names, 0x50, "i64", `eqz ${compare}`);
  run(names, 0x5b, "f32", compareFloat);
  run(names, 0x61, "f64", compareFloat);
  run(names, 0x67, "i32", integer);
  run(names, 0x79, "i64", integer);
  run(names, 0x8b, "f32", floating);
  run(names, 0x99, "f64", floating);
  run(names, 0xa7, "i32", "wrap_i64 trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u");
  run(names, 0xac, "i64", "extend_i32_s extend_i32_u trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u");
  run(names, 0xb2, "f32", "convert_i32_s convert_i32_u convert_i64_s convert_i64_u demote_f64");
  run(names, 0xb7, "f64", "convert_i32_s convert_i32_u convert_i64_s convert_i64_u promote_f32");
  run(names, 0xbc, "", "i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64");
  run(names, 0xc0, "", "i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s");
  return names;
})();

/** Behind the prefix 0xfc. */
export const saturatingNames: ReadonlyMap<number, string> = (() => {
  const names = new Map<number, string>();
  for (const [k, type] of ["i32", "i64"].entries())
    run(names, 4 * k, type, "trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u");
  return names;
})();

const widened = (from: string, verb: string) =>
  `${verb}_low_${from}_s ${verb}_high_${from}_s ${verb}_low_${from}_u ${verb}_high_${from}_u`;

/** Behind the prefix 0xfd. */
export const vectorNames: ReadonlyMap<number, string> = (() => {
  const names = new Map<number, string>();
  run(names, 0, "v128", "load load8x8_s load8x8_u load16x4_s load16x4_u load32x2_s load32x2_u");
  run(names, 7, "v128", "load8_splat load16_splat load32_splat load64_splat store const");
  run(names, 13, "i8x16", "shuffle swizzle");
  run(names, 15, "", "i8x16.splat i16x8.splat i32x4.splat i64x2.splat f32x4.splat f64x2.splat");
  run(names, 21, "i8x16", "extract_lane_s extract_lane_u replace_lane");
  run(names, 24, "i16x8", "extract_lane_s extract_lane_u replace_lane");
  for (const [k, shape] of ["i32x4", "i64x2", "f32x4", "f64x2"].entries())
    run(names, 27 + 2 * k, shape, "extract_lane replace_lane");
  for (const [k, shape] of ["i8x16", "i16x8", "i32x4"].entries()) run(names, 35 + 10 * k, shape, compare);
  for (const [k, shape] of ["f32x4", "f64x2"].entries()) run(names, 65 + 6 * k, shape, compareFloat);
  run(names, 77, "v128", "not and andnot or xor bitselect any_true");
  run(names, 84, "v128", "load8_lane load16_lane load32_lane load64_lane");
  run(names, 88, "v128", "store8_lane store16_lane store32_lane store64_lane load32_zero load64_zero");
  run(names, 94, "", "f32x4.demote_f64x2_zero f64x2.promote_low_f32x4");
  run(names, 96, "i8x16", "abs neg popcnt all_true bitmask narrow_i16x8_s narrow_i16x8_u");
  run(names, 103, "f32x4", "ceil floor trunc nearest");
  run(names, 107, "i8x16", "shl shr_s shr_u add add_sat_s add_sat_u sub sub_sat_s sub_sat_u");
  run(
    names,
    116,
    "",
    "f64x2.ceil f64x2.floor i8x16.min_s i8x16.min_u i8x16.max_s i8x16.max_u f64x2.trunc i8x16.avgr_u",
  );
  run(names, 124, "i16x8", "extadd_pairwise_i8x16_s extadd_pairwise_i8x16_u");
  run(names, 126, "i32x4", "extadd_pairwise_i16x8_s extadd_pairwise_i16x8_u");
  run(names, 128, "i16x8", "abs neg q15mulr_sat_s all_true bitmask narrow_i32x4_s narrow_i32x4_u");
  run(names, 135, "i16x8", widened("i8x16", "extend"));
  run(names, 139, "i16x8", "shl shr_s shr_u add add_sat_s add_sat_u sub sub_sat_s sub_sat_u");
  run(names, 148, "", "f64x2.nearest");
  run(names, 149, "i16x8", `mul min_s min_u max_s max_u - avgr_u ${widened("i8x16", "extmul")}`);
  run(names, 160, "i32x4", "abs neg - all_true bitmask");
  run(names, 167, "i32x4", `${widened("i16x8", "extend")} shl shr_s shr_u add - - sub - - - mul`);
  run(names, 182, "i32x4", `min_s min_u max_s max_u dot_i16x8_s - ${widened("i16x8", "extmul")}`);
  run(names, 192, "i64x2", "abs neg - all_true bitmask");
  run(names, 199, "i64x2", `${widened("i32x4", "extend")} shl shr_s shr_u add - - sub - - - mul`);
  run(names, 214, "i64x2", `eq ne lt_s gt_s le_s ge_s ${widened("i32x4", "extmul")}`);
  for (const [k, shape] of ["f32x4", "f64x2"].entries())
    run(names, 224 + 12 * k, shape, "abs neg - sqrt add sub mul div min max pmin pmax");
  run(names, 248, "i32x4", "trunc_sat_f32x4_s trunc_sat_f32x4_u");
  run(names, 250, "f32x4", "convert_i32x4_s convert_i32x4_u");
  run(names, 252, "i32x4", "trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero");
  run(names, 254, "f64x2", "convert_low_i32x4_s convert_low_i32x4_u");
  return names;
})();
