import { pageSize } from "../bus/guest-memory.ts";
import type { Type } from "../ir/ops.ts";
import type { Bytes } from "./wasm/bytes.ts";
import { op } from "./wasm/opcodes.ts";

/*
 * What WebAssembly has no instruction for, in those that it has. Operands are on the stack.
 */

/** A local of a type, for the time being. */
type Local = (type: Type) => number;

const sixteen = new Uint8Array(16);
const upperHalf = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];

/** Leaves a vector of zeros on the stack. */
export function emitZeros(out: Bytes): void {
  out.u8(0xfd, 0x0c).append(sixteen);
}

function emitSplat(out: Bytes, value: number, narrow: boolean): void {
  if (narrow) out.u8(op.i32Const).s32(value).u8(0xfd).u32(0x11);
  else
    out
      .u8(op.i64Const)
      .s64(BigInt(value) << 32n)
      .u8(0xfd)
      .u32(0x12);
}

/**
 * Ones in each lane of a vector that is a normal number: whose exponent is from 1 to the largest but one.
 * Where twice a lane, moved up by one exponent, is at least two exponents: that is so for 1 to the largest but one.
 */
export function emitNormals(out: Bytes, narrow: boolean): void {
  const one = narrow ? 0x0100_0000 : 0x0020_0000;
  // (lane << 1) + one exponent: 0 wraps to less than two for infinity and for NaN, and is less than two for zero and for denormals.
  out.u8(op.i32Const, 1, 0xfd).u32(narrow ? 0xab : 0xcb);
  emitSplat(out, one, narrow);
  out.u8(0xfd).u32(narrow ? 0xae : 0xce);
  // Lanes are compared as unsigned numbers, which wasm has for 32 bits; of 64 the upper half tells.
  if (narrow) {
    emitSplat(out, one * 2, true);
    out.u8(0xfd).u32(0x40);
    return;
  }
  out.u8(op.i32Const, 32, 0xfd).u32(0xcd);
  out
    .u8(op.i64Const)
    .s64(BigInt(one * 2))
    .u8(0xfd)
    .u32(0x12);
  out.u8(0xfd).u32(0xdb);
}

/** Whether the sum of two numbers or of the lanes of two vectors is exact. What rounding takes from it is computed, and is 0: evaluate-float.ts says how. */
export function emitExactSum(out: Bytes, type: "f64" | "f32" | "v128", local: Local): void {
  const [add, sub] = type === "v128" ? [0xe4, 0xe5] : type === "f64" ? [0xa0, 0xa1] : [0x92, 0x93];
  const code = (n: number) => (type === "v128" ? out.u8(0xfd).u32(n) : out.u8(n));
  const [a, b, sum, back] = [local(type), local(type), local(type), local(type)];
  const get = (from: number) => out.u8(op.localGet).u32(from);
  out.u8(op.localSet).u32(b).u8(op.localTee).u32(a);
  get(b);
  code(add);
  out.u8(op.localTee).u32(sum);
  get(a);
  code(sub);
  out.u8(op.localSet).u32(back);
  get(a);
  get(sum);
  get(back);
  code(sub);
  code(sub);
  get(b);
  get(back);
  code(sub);
  code(add);
  if (type === "v128") out.u8(0xfd).u32(0x53).u8(op.i32Eqz);
  else if (type === "f64") out.u8(0x44, 0, 0, 0, 0, 0, 0, 0).u8(0, 0x61);
  else out.u8(0x43, 0, 0, 0, 0, 0x5b);
}

/** Whether the products of the lanes of two vectors of binary32 are exact: they are as binary64, so they are as binary32 where the two are equal. */
export function emitExactProduct(out: Bytes, local: Local): void {
  const [a, b, product] = [local("v128"), local("v128"), local("v128")];
  out
    .u8(op.localSet)
    .u32(b)
    .u8(op.localTee)
    .u32(a)
    .u8(op.localGet)
    .u32(b)
    .u8(0xfd)
    .u32(0xe6)
    .u8(op.localSet)
    .u32(product);
  const wide = (from: number, high: boolean) => {
    out.u8(op.localGet).u32(from);
    if (high) out.u8(op.localGet).u32(from).u8(0xfd, 0x0d).append(upperHalf);
    out.u8(0xfd).u32(0x5f);
  };
  for (const high of [false, true]) {
    wide(a, high);
    wide(b, high);
    out.u8(0xfd).u32(0xf2);
    wide(product, high);
    out.u8(0xfd).u32(0x47).u8(0xfd).u32(0xc3);
  }
  out.u8(op.i32And);
}

/** The bytes of an integer in the other order; `t` is a local of its type. */
export function emitBswap(out: Bytes, type: Type, t: number): void {
  out.u8(op.localTee).u32(t);
  if (type === "i64") emitBswap64(out, t);
  else emitBswap32(out, t);
}

/** Two rotates and two masks. */
function emitBswap32(out: Bytes, t: number): void {
  out.u8(op.i32Const).s32(0x00ff00ff).u8(op.i32And, op.i32Const, 24, op.i32Rotl);
  out
    .u8(op.localGet)
    .u32(t)
    .u8(op.i32Const)
    .s32(0xff00ff00 | 0)
    .u8(op.i32And, op.i32Const, 8, op.i32Rotl, op.i32Or);
}

/** The bytes of each pair, then of each quarter, then the halves. */
function emitBswap64(out: Bytes, t: number): void {
  const swap = (mask: bigint, by: bigint) => {
    out.u8(op.i64Const).s64(mask).u8(op.i64And, op.i64Const).s64(by).u8(op.i64Rotl);
    out.u8(op.localGet).u32(t).u8(op.i64Const).s64(by).u8(op.i64ShrU, op.i64Const).s64(mask).u8(op.i64And, op.i64Or);
  };
  swap(0x00ff00ff00ff00ffn, 8n);
  out.u8(op.localTee).u32(t);
  swap(0x0000ffff0000ffffn, 16n);
  out.u8(op.i64Const).s64(32n).u8(op.i64Rotl);
}

/** Leaves the page of an access's last byte on the stack; its address is in a local. */
export function emitPageOf(out: Bytes, at: number, width: number): void {
  out.u8(op.localGet).u32(at);
  if (width > 1)
    out
      .u8(op.i32Const)
      .s32(width - 1)
      .u8(op.i32Add);
  out.u8(op.i32Const).s32(-pageSize).u8(op.i32And);
}

/** A load of a width from the place on the stack plus `offset`, zero-extended; `align` as WebAssembly has it. */
export function emitLoad(out: Bytes, type: Type, width: number, align: number, offset: number): void {
  if (type === "v128") out.u8(0xfd, 0x00, Math.min(align, 4));
  else if (type === "f64") out.u8(op.f64Load, Math.min(align, 3));
  else if (type === "f32") out.u8(op.f32Load, Math.min(align, 2));
  else if (width === 8) out.u8(op.i64Load, Math.min(align, 3));
  else if (width === 4) out.u8(op.i32Load, Math.min(align, 2));
  else if (width === 2) out.u8(op.i32Load16U, 0);
  else out.u8(op.i32Load8U, 0);
  out.u32(offset);
}

/** Its counterpart, of the value on the stack above the place. */
export function emitStore(out: Bytes, type: Type, width: number, align: number, offset: number): void {
  if (type === "v128") out.u8(0xfd, 0x0b, Math.min(align, 4));
  else if (type === "f64") out.u8(op.f64Store, Math.min(align, 3));
  else if (type === "f32") out.u8(op.f32Store, Math.min(align, 2));
  else if (width === 8) out.u8(op.i64Store, Math.min(align, 3));
  else if (width === 4) out.u8(op.i32Store, Math.min(align, 2));
  else if (width === 2) out.u8(op.i32Store16, 0);
  else out.u8(op.i32Store8, 0);
  out.u32(offset);
}
