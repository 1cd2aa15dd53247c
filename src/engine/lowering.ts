import type { Block, Node } from "../ir/node.ts";
import type { Operation, Type } from "../ir/ops.ts";
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
  protected readonly out: Bytes;
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
      if (node.yes !== undefined) this.#countArm(node.yes);
      if (node.no !== undefined) this.#countArm(node.no);
    }
  }

  #countArm(arm: Block): void {
    this.count(arm);
    if (arm.result !== undefined) this.use(arm.result);
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
        if (node.type === "i64") this.swap64();
        else this.#swap32();
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
      out.u8(0xfd, 0x0d, ...(interleaved[node.op] as readonly number[]));
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
    } else if (node.op === "only_low64") this.#onlyLow(x);
    else if (node.op === "normals32x4" || node.op === "normals64x2") this.#normals(x, node.op === "normals32x4");
    else if (node.op === "zeros32x4" || node.op === "zeros64x2") {
      this.value(x);
      this.#zeros();
      out.u8(0xfd).u32(node.op === "zeros32x4" ? 0x41 : 0x47);
    } else if (node.op === "all32x4" || node.op === "all64x2") {
      this.value(x);
      out.u8(0xfd).u32(node.op === "all32x4" ? 0xa3 : 0xc3);
    } else if (node.op === "exactsum") this.#exactSum(node, wide ? "i64" : "i32");
    else if (node.op === "exactsum32x4") this.#exactSum(node, "v128");
    else if (node.op === "exactproduct32x4") this.#exactProduct(node);
    else throw new Error(`no lowering for ${node.op}`);
  }

  /** 64 bits and zeros above them. */
  #onlyLow(x: Node): void {
    const { out } = this;
    this.#zeros();
    if (x.op === "const" && x.long === 0n) return;
    this.number(x);
    out.u8(0xfd, 0x22, 0);
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

  /** What rounding takes from a sum is computed, and is 0: evaluate-float.ts says how. */
  #exactSum(node: Node, type: Type): void {
    const { out } = this;
    const [x, y] = node.args as [Node, Node];
    const kind: Type = type === "v128" ? "v128" : type === "i64" ? "f64" : "f32";
    const [add, sub] = kind === "v128" ? [0xe4, 0xe5] : kind === "f64" ? [0xa0, 0xa1] : [0x92, 0x93];
    const code = (n: number) => (kind === "v128" ? out.u8(0xfd).u32(n) : out.u8(n));
    const number = (arg: Node, into: number) => {
      if (kind === "v128") this.value(arg);
      else this.number(arg);
      out.u8(op.localSet).u32(into);
    };
    const [a, b, sum, back] = [this.local(kind), this.local(kind), this.local(kind), this.local(kind)];
    const get = (local: number) => out.u8(op.localGet).u32(local);
    number(x, a);
    number(y, b);
    get(a);
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
    if (kind === "v128") out.u8(0xfd).u32(0x53).u8(op.i32Eqz);
    else if (kind === "f64") out.u8(0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0x61);
    else out.u8(0x43, 0, 0, 0, 0, 0x5b);
  }

  /** Products of binary32 are exact as binary64: they are so as binary32 where the two are equal. */
  #exactProduct(node: Node): void {
    const { out } = this;
    const [x, y] = node.args as [Node, Node];
    const [a, b, product] = [this.local("v128"), this.local("v128"), this.local("v128")];
    this.value(x);
    out.u8(op.localTee).u32(a);
    this.value(y);
    out.u8(op.localTee).u32(b).u8(0xfd).u32(0xe6).u8(op.localSet).u32(product);
    const wide = (local: number, high: boolean) => {
      out.u8(op.localGet).u32(local);
      if (high)
        out.u8(op.localGet).u32(local).u8(0xfd, 0x0d, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
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

  #zeros(): void {
    this.out.u8(0xfd, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  /** Where twice a lane, moved up by one exponent, is at least two exponents: that is so for 1 to the largest but one. */
  #normals(x: Node, narrow: boolean): void {
    const { out } = this;
    const one = narrow ? 0x0100_0000 : 0x0020_0000;
    // (lane << 1) + one exponent: 0 wraps to less than two for infinity and for NaN, and is less than two for zero and for denormals.
    this.value(x);
    out.u8(op.i32Const, 1, 0xfd).u32(narrow ? 0xab : 0xcb);
    this.#splat(one, narrow);
    out.u8(0xfd).u32(narrow ? 0xae : 0xce);
    // Lanes are compared as unsigned numbers, which wasm has for 32 bits; of 64 the upper half tells.
    if (narrow) {
      this.#splat(one * 2, true);
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

  #splat(value: number, narrow: boolean): void {
    if (narrow) this.out.u8(op.i32Const).s32(value).u8(0xfd).u32(0x11);
    else
      this.out
        .u8(op.i64Const)
        .s64(BigInt(value) << 32n)
        .u8(0xfd)
        .u32(0x12);
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

  /** The bytes of the i32 on the stack in the other order: two rotates and two masks. */
  #swap32(): void {
    const { out } = this;
    const t = this.local("i32");
    out.u8(op.localTee).u32(t).u8(op.i32Const).s32(0x00ff00ff).u8(op.i32And, op.i32Const, 24, op.i32Rotl);
    out
      .u8(op.localGet)
      .u32(t)
      .u8(op.i32Const)
      .s32(0xff00ff00 | 0)
      .u8(op.i32And, op.i32Const, 8, op.i32Rotl, op.i32Or);
  }

  protected swap64(): void {
    const { out } = this;
    const t = this.local("i64");
    // Swap the bytes of each pair, then of each quarter, then the halves.
    for (const [mask, by] of [
      [0x00ff00ff00ff00ffn, 8n],
      [0x0000ffff0000ffffn, 16n],
    ] as const) {
      out.u8(op.localTee).u32(t).u8(op.i64Const).s64(mask).u8(op.i64And, op.i64Const).s64(by).u8(op.i64Rotl);
      out.u8(op.localGet).u32(t).u8(op.i64Const).s64(by).u8(op.i64ShrU, op.i64Const).s64(mask).u8(op.i64And, op.i64Or);
    }
    out.u8(op.i64Const).s64(32n).u8(op.i64Rotl);
  }

  /** Leaves the page of an access's last byte on the stack. */
  protected pageOf(at: number, width: number): void {
    const { out } = this;
    out.u8(op.localGet).u32(at);
    if (width > 1)
      out
        .u8(op.i32Const)
        .s32(width - 1)
        .u8(op.i32Add);
    out.u8(op.i32Const).s32(-4096).u8(op.i32And);
  }

  /** A load or store from the place on the stack plus `offset`; `align` as WebAssembly has it. */
  protected loadFrom(type: Type, width: number, align: number, offset: number): void {
    const { out } = this;
    if (type === "v128") out.u8(0xfd, 0x00, Math.min(align, 4));
    else if (type === "f64") out.u8(op.f64Load, Math.min(align, 3));
    else if (type === "f32") out.u8(op.f32Load, Math.min(align, 2));
    else if (width === 8) out.u8(op.i64Load, Math.min(align, 3));
    else if (width === 4) out.u8(op.i32Load, Math.min(align, 2));
    else if (width === 2) out.u8(op.i32Load16U, 0);
    else out.u8(op.i32Load8U, 0);
    out.u32(offset);
  }

  protected storeTo(type: Type, width: number, align: number, offset: number): void {
    const { out } = this;
    if (type === "v128") out.u8(0xfd, 0x0b, Math.min(align, 4));
    else if (type === "f64") out.u8(op.f64Store, Math.min(align, 3));
    else if (type === "f32") out.u8(op.f32Store, Math.min(align, 2));
    else if (width === 8) out.u8(op.i64Store, Math.min(align, 3));
    else if (width === 4) out.u8(op.i32Store, Math.min(align, 2));
    else if (width === 2) out.u8(op.i32Store16, 0);
    else out.u8(op.i32Store8, 0);
    out.u32(offset);
  }

  protected if(node: Node): void {
    const { out } = this;
    this.value(node.args[0] as Node);
    // What gives up on an instruction does so for the seldom case.
    if (node.yes?.nodes.at(-1)?.op === "exit") out.hint(0);
    out.u8(op.if, node.type === undefined ? noValue : typeCode(node.type));
    this.arm(node.yes, node.type);
    if (node.no !== undefined) {
      out.u8(op.else);
      this.arm(node.no, node.type);
    }
    out.u8(op.end);
    if (node.type !== undefined) this.keep(node);
  }

  protected arm(arm: Block | undefined, type: Type | undefined): void {
    if (arm === undefined) return;
    this.block(arm);
    if (type !== undefined && arm.result !== undefined) this.value(arm.result);
  }
}
