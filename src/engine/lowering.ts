import { armsOf, type Block, type Node } from "../ir/node.ts";
import type { Operation, Type } from "../ir/ops.ts";
import { emitBswap, emitExactProduct, emitExactSum, emitNormals, emitZeros } from "./idioms.ts";
import type { Bytes } from "./wasm/bytes.ts";
import { typeCode } from "./wasm/module.ts";
import { direct, float, integers, interleaved, noValue, op, reinterpret, vector } from "./wasm/opcodes.ts";

/** Operations which give a number: their value is kept as one, since moving it to and fro costs as much as many of them. */
const givesNumber: ReadonlySet<string> = new Set<Operation>([
  "fadd",
  "fsub",
  "fmul",
  "fdiv",
  "fsqrt",
  "fpromote",
  "fdemote",
  "ffrom_u",
  "ffrom_s",
]);
/** Operations whose operands are numbers, or had best be. */
const onNumbers: ReadonlySet<string> = new Set<Operation>([
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
const partOfVector: ReadonlySet<string> = new Set<Operation>(["low64", "high64", "low32"]);

/** A sum, from which its carries follow, and by how much they are moved up. */
export interface Sum {
  readonly x: Node;
  readonly y: Node;
  readonly sum: Node;
  readonly up: number;
}

/** The sum of a node which is its carries. a - b = c is the sum c + b = a: what the one borrows the other carries. */
export function sumOf({ op: name, args }: Node): Sum | undefined {
  if (!name.startsWith("carries") && !name.startsWith("borrows")) return undefined;
  const [a, b, c] = args as [Node, Node, Node];
  const up = name.endsWith("16") ? 16 : name.endsWith("8") ? 24 : 0;
  return name.startsWith("carries") ? { x: a, y: b, sum: c, up } : { x: c, y: b, sum: a, up };
}

/**
 * Lowers IR to WebAssembly: what the interpreter's handlers and the regions have in common.
 *
 * A value used once is computed where it is used; one used more often, or one that comes from an effect, has a local. Where state and operands
 * lie, and how the TLB is asked, is for the two to say.
 */
export abstract class Lowering {
  readonly locals: Type[] = [];
  readonly out: Bytes;
  protected readonly uses = new Map<Node, number>();
  /** Values that something computes with as numbers. */
  readonly #numeric = new Set<Node>();
  readonly #places = new Map<Node, number>();
  /** Of those, which are kept as numbers. */
  readonly #numbers = new Set<Node>();
  readonly #params: number;
  /** Locals which nobody needs any more, by type. */
  readonly #free = new Map<Type, number[]>();
  /** Where those begin which are given back. */
  #kept = 0;

  constructor(out: Bytes, params: number) {
    this.out = out;
    this.#params = params;
  }

  /** Leaves the value of an operand, of a pc or of a piece of state on the stack. */
  protected abstract leaf(node: Node): void;
  /** What happens in place. */
  protected abstract statement(node: Node): void;

  protected local(type: Type): number {
    const free = this.#free.get(type)?.pop();
    if (free !== undefined) return free;
    this.locals.push(type);
    return this.#params + this.locals.length - 1;
  }

  /** The locals handed out so far stay with those who have them. */
  protected keepLocals(): void {
    this.#kept = this.locals.length;
  }

  /**
   * All the others may be handed out again. V8's first compiler clears each local whenever the function is entered, and looks at each where branches
   * meet.
   */
  protected reuseLocals(): void {
    this.#free.clear();
    for (let k = this.locals.length - 1; k >= this.#kept; k--) {
      const type = this.locals[k] as Type;
      const free = this.#free.get(type);
      if (free === undefined) this.#free.set(type, [this.#params + k]);
      else free.push(this.#params + k);
    }
  }

  protected count(block: Block): void {
    for (const node of block.nodes) {
      for (const arg of this.used(node)) this.use(arg);
      if (onNumbers.has(node.op)) for (const arg of node.args) this.#numeric.add(arg);
      for (const arm of armsOf(node)) {
        this.count(arm);
        if (arm.result !== undefined) this.use(arm.result);
      }
    }
  }

  /** What a node computes with. */
  protected used(node: Node): readonly Node[] {
    return node.args;
  }

  protected use(node: Node): void {
    this.uses.set(node, (this.uses.get(node) ?? 0) + 1);
  }

  protected block(block: Block): void {
    for (const node of block.nodes) this.statement(node);
  }

  /** A value that is only computed: here if it is used more than once, else at its use. */
  protected pure(node: Node): void {
    const uses = this.uses.get(node) ?? 0;
    if (uses < 2 || this.#places.has(node)) return;
    if (this.#asNumber(node)) this.#computeNumber(node);
    else this.compute(node);
    this.keep(node);
  }

  /** Whether a value is kept as a number: one that is computed as one, or a part of a vector or of memory that is used as one. */
  #asNumber(node: Node): boolean {
    return givesNumber.has(node.op) || (this.#numeric.has(node) && partOfVector.has(node.op));
  }

  /** What a load leaves on the stack. */
  protected loadType(node: Node): Type {
    return node.type as Type;
  }

  /** The type of numbers with as many bits, where something computes with a value as a number. */
  protected numberType(node: Node): Type | undefined {
    if (!this.#numeric.has(node)) return undefined;
    return node.type === "i64" ? "f64" : node.type === "i32" ? "f32" : undefined;
  }

  /** Leaves a value on the stack in the kind of register in which it is, and gives its type there. */
  protected asItIs(node: Node): Type {
    const type = node.type as Type;
    const place = this.#places.get(node);
    const number =
      place === undefined ? givesNumber.has(node.op) || partOfVector.has(node.op) : this.#numbers.has(node);
    if (!number) {
      this.value(node);
      return type;
    }
    this.number(node);
    return type === "i64" ? "f64" : "f32";
  }

  /** Puts what is on the stack into the node's local, or drops it when nobody wants it. */
  protected keep(node: Node): void {
    if ((this.uses.get(node) ?? 0) === 0) {
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
    if (type !== node.type) this.#numbers.add(node);
    this.#places.set(node, local);
    this.out.u8(op.localSet).u32(local);
  }

  /** Leaves the value of a node on the stack. */
  protected value(node: Node): void {
    const place = this.#places.get(node);
    if (place === undefined) {
      this.compute(node);
      return;
    }
    this.out.u8(op.localGet).u32(place);
    if (this.#numbers.has(node)) this.#bits(node.type as Type);
  }

  /** Leaves a value on the stack as the binary64 or binary32 that it is. */
  protected number(node: Node): void {
    const place = this.#places.get(node);
    if (place !== undefined && this.#numbers.has(node)) this.out.u8(op.localGet).u32(place);
    else if (place === undefined && (givesNumber.has(node.op) || partOfVector.has(node.op))) this.#computeNumber(node);
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
      default: {
        const codes = direct[node.op];
        if (codes === undefined) {
          this.#float(node);
          return;
        }
        for (const arg of node.args) this.value(arg);
        out.u8(codes[x.type === "i64" ? 1 : 0] as number);
      }
    }
  }

  /** Operations on bit patterns of numbers. */
  #float(node: Node): void {
    const { out } = this;
    const [x, y] = node.args as [Node, Node];
    const wide = x.type === "i64";
    const lanes = vector[node.op] ?? integers[node.op];
    if (givesNumber.has(node.op)) {
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
    if ((this.uses.get(node) ?? 0) === 0) out.u8(op.drop);
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
