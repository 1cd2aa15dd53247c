import { byCode, codeSet } from "../ir/codes.ts";
import type { Block, Node } from "../ir/node.ts";
import type { Type } from "../ir/ops.ts";
import { emitBswap, emitExactProduct, emitExactSum, emitNormals, emitZeros } from "./idioms.ts";
import { asLocal, asOperand, Locals } from "./locals.ts";
import type { Bytes } from "./wasm/bytes.ts";
import { typeCode } from "./wasm/module.ts";
import { direct, float, integers, interleaved, noValue, op, reinterpret, vector } from "./wasm/opcodes.ts";

/** Operations which give a number: their value is kept as one, since moving it to and fro costs as much as many of them. */
const givesNumber = codeSet(["fadd", "fsub", "fmul", "fdiv", "fsqrt", "fpromote", "fdemote", "ffrom_u", "ffrom_s"]);
/** Operations whose operands are numbers, or had best be. */
const onNumbers = codeSet([
  "fadd",
  "fsub",
  "fmul",
  "fdiv",
  "fsqrt",
  "flt",
  "fle",
  "feq",
  "fpromote",
  "fdemote",
  "fto_u",
  "fto_s",
  "exactsum",
  "with_low64",
  "with_high64",
  "with_low32",
  "only_low64",
]);
/** Values that may be had as a number as easily as otherwise. */
const partOfVector = codeSet(["low64", "high64", "low32"]);
/** What computes its value by one instruction, for i32 and for i64. */
const instructions = byCode(Object.entries(direct));
/** By how much the carries of a sum are moved up, of the operations which give them. */
const carriesUp = byCode<number>([
  ["carries", 0],
  ["carries16", 16],
  ["carries8", 24],
]);
const borrowsUp = byCode<number>([
  ["borrows", 0],
  ["borrows16", 16],
  ["borrows8", 24],
]);

/** A sum, from which its carries follow, and by how much they are moved up. */
export interface Sum {
  readonly x: Node;
  readonly y: Node;
  readonly sum: Node;
  readonly up: number;
}

/** The sum of a node which is its carries. a - b = c is the sum c + b = a: what the one borrows the other carries. */
export function sumOf({ code, args }: Node): Sum | undefined {
  const carried = carriesUp[code];
  const up = carried ?? borrowsUp[code];
  if (up === undefined) return undefined;
  const [a, b, c] = args as [Node, Node, Node];
  return carried === undefined ? { x: c, y: b, sum: a, up } : { x: a, y: b, sum: c, up };
}

/** By how much the carries that a node is are moved up; undefined for one that is none. */
export function movedUp({ code }: Node): number | undefined {
  return carriesUp[code] ?? borrowsUp[code];
}

/** Whether a value that is in no local is had as a number as easily as otherwise, or more so. */
function numberAtOnce({ code }: Node): boolean {
  return givesNumber[code] === 1 || partOfVector[code] === 1;
}

/**
 * Lowers IR to WebAssembly: what the interpreter's handlers and the regions have in common.
 *
 * A value used once is computed where it is used; one used more often, or one that comes from an effect, has a local. Where state and operands
 * lie, and how the TLB is asked, is for the two to say.
 */
export abstract class Lowering extends Locals {
  readonly out: Bytes;

  constructor(out: Bytes, params: number, nodes = 64) {
    super(params, nodes);
    this.out = out;
  }

  /** Leaves the value of an operand, of a pc or of a piece of state on the stack. */
  protected abstract leaf(node: Node): void;
  /** What happens in place. */
  protected abstract statement(node: Node): void;

  protected count({ nodes }: Block): void {
    for (const node of nodes) {
      this.countUsed(node);
      if (onNumbers[node.code] === 1) for (const arg of node.args) this.know(arg, asOperand);
      if (node.yes !== undefined) this.#countArm(node.yes);
      if (node.no !== undefined) this.#countArm(node.no);
    }
  }

  #countArm(arm: Block): void {
    this.count(arm);
    if (arm.result !== undefined) this.use(arm.result);
  }

  /** Counts what a node computes with. */
  protected countUsed({ args }: Node): void {
    for (const arg of args) this.use(arg);
  }

  protected block(block: Block): void {
    for (const node of block.nodes) this.statement(node);
  }

  /** A value that is only computed: here if it is used more than once, else at its use. */
  protected pure(node: Node): void {
    if (this.usesOf(node) < 2 || this.placeOf(node) !== 0) return;
    if (this.#asNumber(node)) this.#computeNumber(node);
    else this.compute(node);
    this.keep(node);
  }

  /** Whether a value is kept as a number: one that is computed as one, or a part of a vector or of memory that is used as one. */
  #asNumber(node: Node): boolean {
    return givesNumber[node.code] === 1 || (partOfVector[node.code] === 1 && this.is(node, asOperand));
  }

  /** What a load leaves on the stack. */
  protected loadType(node: Node): Type {
    return node.type as Type;
  }

  /** The type of numbers with as many bits, where something computes with a value as a number. */
  protected numberType(node: Node): Type | undefined {
    if (!this.is(node, asOperand)) return undefined;
    return node.type === "i64" ? "f64" : node.type === "i32" ? "f32" : undefined;
  }

  /** Leaves a value on the stack in the kind of register in which it is, and gives its type there. */
  protected asItIs(node: Node): Type {
    const type = node.type as Type;
    const number = this.placeOf(node) === 0 ? numberAtOnce(node) : this.is(node, asLocal);
    if (!number) {
      this.value(node);
      return type;
    }
    this.number(node);
    return type === "i64" ? "f64" : "f32";
  }

  /** Puts what is on the stack into the node's local, or drops it when nobody wants it. */
  protected keep(node: Node): void {
    if (this.usesOf(node) === 0) {
      this.out.u8(op.drop);
      return;
    }
    const asNumber =
      node.op === "load" || node.op === "load_rw" ? this.loadType(node) !== node.type : this.#asNumber(node);
    const type = node.type as Type;
    this.keepAs(node, asNumber ? (type === "i64" ? "f64" : "f32") : type);
  }

  /** Puts what is on the stack, the value as it is or as a number, into the node's local. */
  protected keepAs(node: Node, type: Type): void {
    const local = this.local(type);
    if (type !== node.type) this.know(node, asLocal);
    this.setPlace(node, local);
    this.out.u8(op.localSet).u32(local);
  }

  /** Leaves the value of a node on the stack. */
  protected value(node: Node): void {
    const place = this.placeOf(node);
    if (place === 0) {
      this.compute(node);
      return;
    }
    this.out.u8(op.localGet).u32(place - 1);
    if (this.is(node, asLocal)) this.#bits(node.type as Type);
  }

  /** Leaves a value on the stack as the binary64 or binary32 that it is. */
  protected number(node: Node): void {
    const place = this.placeOf(node);
    if (place !== 0 && this.is(node, asLocal)) this.out.u8(op.localGet).u32(place - 1);
    else if (place === 0 && numberAtOnce(node)) this.#computeNumber(node);
    else {
      this.value(node);
      this.out.u8(node.type === "i64" ? reinterpret.f64FromI64 : reinterpret.f32FromI32);
    }
  }

  /** The number on the stack as bits. */
  #bits(type: Type): void {
    this.out.u8(type === "i64" ? reinterpret.i64FromF64 : reinterpret.i32FromF32);
  }

  protected compute(node: Node): void {
    const { out } = this;
    const codes = instructions[node.code];
    if (codes !== undefined) {
      const { args } = node;
      for (const arg of args) this.value(arg);
      out.u8(codes[(args[0] as Node).type === "i64" ? 1 : 0] as number);
      return;
    }
    const [x, y, z] = node.args as [Node, Node, Node];
    switch (node.op) {
      case "const":
        if (node.type === "i64") out.u8(op.i64Const).s64(node.long);
        else out.u8(op.i32Const).s32(node.imm);
        return;
      case "field":
      case "pc":
      case "next_pc":
      case "get":
        this.leaf(node);
        return;
      case "select":
        this.value(y);
        this.value(z);
        this.value(x);
        out.u8(op.select);
        return;
      case "carries":
      case "carries16":
      case "carries8":
      case "borrows":
      case "borrows16":
      case "borrows8": {
        const { x, y, sum, up } = sumOf(node) as Sum;
        const [a, b] = [this.local("i32"), this.local("i32")];
        this.value(x);
        out.u8(op.localSet).u32(a);
        this.value(y);
        out.u8(op.localSet).u32(b);
        this.carries(a, b, () => this.value(sum));
        if (up > 0) this.placed(() => out.u8(op.i32Const, up));
        return;
      }
      case "bswap":
        this.value(x);
        this.bswap(node.type as Type);
        return;
      default:
        this.#float(node);
    }
  }

  /** Operations on bit patterns of numbers. */
  #float(node: Node): void {
    const { out } = this;
    const [x, y] = node.args as [Node, Node];
    const wide = x.type === "i64";
    const lanes = vector[node.op] ?? integers[node.op];
    if (givesNumber[node.code] === 1) {
      this.#computeNumber(node);
      this.#bits(node.type as Type);
    } else if (node.op === "flt" || node.op === "fle" || node.op === "feq") {
      for (const arg of node.args) this.number(arg);
      out.u8((float[node.op] as readonly number[])[wide ? 1 : 0] as number);
    } else if (lanes !== undefined) {
      for (const arg of node.args) this.value(arg);
      out.u8(0xfd).u32(lanes);
    } else if (interleaved[node.op] !== undefined) {
      for (const arg of node.args) this.value(arg);
      out.u8(0xfd, 0x0d).append(interleaved[node.op] as readonly number[]);
    } else if (node.op === "fto_u" || node.op === "fto_s") {
      this.number(x);
      out.u8(0xfc, node.op === "fto_u" ? 7 : 6);
    } else if (node.op === "low64" || node.op === "high64") {
      this.value(x);
      out.u8(0xfd, 0x1d, node.op === "low64" ? 0 : 1);
    } else if (node.op === "low32") {
      this.value(x);
      out.u8(0xfd, 0x1b, 0);
    } else if (node.op === "with_low64" || node.op === "with_high64") {
      this.value(x);
      this.number(y);
      out.u8(0xfd, 0x22, node.op === "with_low64" ? 0 : 1);
    } else if (node.op === "with_low32") {
      this.value(x);
      this.number(y);
      out.u8(0xfd, 0x20, 0);
    } else if (node.op === "only_low64") {
      emitZeros(out);
      if (x.op === "const" && x.long === 0n) return;
      this.number(x);
      out.u8(0xfd, 0x22, 0);
    } else if (node.op === "normals32x4" || node.op === "normals64x2") {
      this.value(x);
      emitNormals(out, node.op === "normals32x4");
    } else if (node.op === "zeros32x4" || node.op === "zeros64x2") {
      this.value(x);
      emitZeros(out);
      out.u8(0xfd).u32(node.op === "zeros32x4" ? 0x41 : 0x47);
    } else if (node.op === "all32x4" || node.op === "all64x2") {
      this.value(x);
      out.u8(0xfd).u32(node.op === "all32x4" ? 0xa3 : 0xc3);
    } else if (node.op === "exactsum") {
      for (const arg of node.args) this.number(arg);
      emitExactSum(out, wide ? "f64" : "f32", (type) => this.local(type));
    } else if (node.op === "exactsum32x4" || node.op === "exactproduct32x4") {
      for (const arg of node.args) this.value(arg);
      if (node.op === "exactsum32x4") emitExactSum(out, "v128", (type) => this.local(type));
      else emitExactProduct(out, (type) => this.local(type));
    } else throw new Error(`no lowering for ${node.op}`);
  }

  /** Leaves what is computed as a number on the stack, as one. */
  #computeNumber(node: Node): void {
    const { out } = this;
    const [x] = node.args as [Node];
    switch (node.op) {
      case "low64":
      case "high64":
        this.value(x);
        out.u8(0xfd, 0x21, node.op === "low64" ? 0 : 1);
        return;
      case "low32":
        this.value(x);
        out.u8(0xfd, 0x1f, 0);
        return;
      case "fpromote":
      case "fdemote":
        this.number(x);
        out.u8(node.op === "fpromote" ? 0xbb : 0xb6);
        return;
      case "ffrom_u":
      case "ffrom_s":
        this.value(x);
        out.u8(node.op === "ffrom_u" ? 0xba : 0xb9);
        return;
      default:
        for (const arg of node.args) this.number(arg);
        out.u8((float[node.op] as readonly number[])[node.type === "i64" ? 1 : 0] as number);
    }
  }

  /** Leaves the carries out of each bit of a sum: (a & b) | ((a | b) & ~sum). */
  protected carries(a: number, b: number, sum: () => void): void {
    const { out } = this;
    out.u8(op.localGet).u32(a).u8(op.localGet).u32(b).u8(op.i32And);
    out.u8(op.localGet).u32(a).u8(op.localGet).u32(b).u8(op.i32Or);
    sum();
    out.u8(op.i32Const, 0x7f, op.i32Xor, op.i32And, op.i32Or);
  }

  /** The carries on the stack moved up, but for bit 3. */
  protected placed(up: () => void): void {
    const { out } = this;
    const t = this.local("i32");
    out.u8(op.localTee).u32(t);
    up();
    out.u8(op.i32Shl, op.localGet).u32(t).u8(op.i32Const, 8, op.i32And, op.i32Or);
  }

  /** The bytes of what is on the stack in the other order. */
  protected bswap(type: Type): void {
    emitBswap(this.out, type, this.local(type));
  }

  protected if(node: Node): void {
    const { out } = this;
    this.value(node.args[0] as Node);
    // What gives up on an instruction does so for the seldom case.
    if (node.yes?.nodes.at(-1)?.op === "exit") out.hint(0);
    // What is wanted as a number both arms leave as one.
    const type = node.type === undefined ? undefined : (this.numberType(node) ?? node.type);
    out.u8(op.if, type === undefined ? noValue : typeCode(type));
    this.arm(node.yes, type);
    if (node.no !== undefined) {
      out.u8(op.else);
      this.arm(node.no, type);
    }
    out.u8(op.end);
    if (type === undefined) return;
    if (this.usesOf(node) === 0) out.u8(op.drop);
    else this.keepAs(node, type);
  }

  protected arm(arm: Block | undefined, type: Type | undefined): void {
    if (arm === undefined) return;
    this.block(arm);
    if (type === undefined || arm.result === undefined) return;
    if (type === arm.result.type) this.value(arm.result);
    else this.number(arm.result);
  }
}
