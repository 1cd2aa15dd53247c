import type { FrontEnd } from "../../ir/frontend.ts";
import type { Node } from "../../ir/node.ts";
import type { Type } from "../../ir/ops.ts";
import { emitTlbEntry, tlb } from "../layout.ts";
import type { Bytes } from "../wasm/bytes.ts";
import { op } from "../wasm/opcodes.ts";
import { emitOrderOf, emitReverse, type Reversals, type Reversed, reversalsOf, reversedIn } from "./byte-order.ts";
import type { RegionImports, RegionPlan } from "./plan.ts";
import type { BuiltBlock } from "./region-builder.ts";
import { type Span, spansOf, type Touch } from "./spans.ts";
import { WayLowering } from "./way-lowering.ts";

/** Accesses to guest memory: the TLB is asked once a span, and what it does not know is a reason to leave. */
export abstract class AccessLowering extends WayLowering {
  protected readonly imports: RegionImports;
  /** The accesses of the block at hand. */
  protected touches: ReadonlyMap<Node, Touch> = new Map();
  /** The locals with where in the guest memory the spans begin that were asked for. */
  readonly #hosts = new Map<Span, number>();
  /** Of what is put into the other order, the local with the operand for it. */
  readonly #orders = new Map<Reversed, number>();
  #reversals: Reversals = { loads: new Map(), stores: new Set() };

  constructor(out: Bytes, plan: RegionPlan, front: FrontEnd, imports: RegionImports) {
    super(out, plan, front);
    this.imports = imports;
    const blocks = plan.blocks.flatMap((block) => block?.built.block ?? []);
    for (const type of reversedIn(blocks)) this.#orders.set(type, this.local("v128"));
  }

  /** At the region's start: what its accesses need. */
  protected prepare(): void {
    for (const [type, local] of this.#orders) {
      emitOrderOf(this.out, type);
      this.out.u8(op.localSet).u32(local);
    }
  }

  /** Leaves the region in front of the instruction to which an access belongs. */
  protected abstract leaveAt(node: Node): void;

  /** Begins a block: its accesses are put together, and nothing has been asked for. */
  protected gather({ block }: BuiltBlock): void {
    this.touches = spansOf(block, this.front.readsWhatItMayWrite === true, this.plan.apart);
    this.#hosts.clear();
  }

  /** Of the block at hand, once uses are counted. */
  protected reverse({ block }: BuiltBlock): void {
    this.#reversals = reversalsOf(block, this.uses);
  }

  /**
   * Leaves on the stack where in the guest memory an access's span begins, and gives how far from there the access lies. The first access of a span makes sure
   * of it, or leaves the region.
   */
  protected reach(node: Node): number {
    const { span, offset } = this.touches.get(node) as Touch;
    const known = this.#hosts.get(span);
    if (known !== undefined) {
      this.out.u8(op.localGet).u32(known);
      return offset - span.low;
    }
    const { out } = this;
    const { writing, low, high } = span;
    const tag = writing ? tlb.write : tlb.read;
    const at = this.local("i32");
    const entry = this.local("i32");
    if (span.base === undefined) out.u8(op.i32Const).s32(low);
    else {
      this.value(span.base);
      if (low !== 0) out.u8(op.i32Const).s32(low).u8(op.i32Add);
    }
    out.u8(op.localTee).u32(at);
    emitTlbEntry(out);
    out.u8(op.localSet).u32(entry);
    this.pageOf(at, high - low);
    this.#entryWord(entry, tag);
    out.u8(op.i32Ne);
    this.seldom();
    out
      .u8(op.localGet)
      .u32(at)
      .u8(op.i32Const)
      .s32(high - low)
      .u8(op.i32Const, writing ? 1 : 0, op.i32Const)
      .s32(span.count > 1 ? this.plan.index : 0);
    out.u8(op.call).u32(this.imports.enter).u8(op.i32Eqz);
    this.open("if", op.if);
    this.leaveAt(node);
    this.close();
    this.close();
    out.u8(op.localGet).u32(at);
    this.#entryWord(entry, tlb.addend);
    out.u8(op.i32Add);
    if (span.count > 1) {
      const host = this.local("i32");
      this.#hosts.set(span, host);
      out.u8(op.localTee).u32(host);
    }
    return offset - low;
  }

  #entryWord(entry: number, word: number): void {
    this.out
      .u8(op.localGet)
      .u32(entry)
      .u8(op.i32Load, 2)
      .u32(this.plan.tlb + word);
  }

  protected load(node: Node): void {
    const offset = this.reach(node);
    const reversed = this.#reversals.loads.get(node);
    if (reversed === undefined) {
      this.loadFrom(this.loadType(node), node.width, 0, offset);
      this.keep(node);
      return;
    }
    const type = node.type as Reversed;
    this.out.u8(0xfd, type === "i64" ? 0x5d : 0x5c, 0).u32(offset);
    emitReverse(this.out, this.#orders.get(type) as number);
    // Eight bytes are a number more often than not.
    this.out.u8(0xfd, type === "i64" ? 0x21 : 0x1b, 0);
    this.keepAs(reversed, type === "i64" ? "f64" : "i32");
  }

  /** Leaves what is to be stored on the stack, and gives its type. */
  protected stored(value: Node, width: number): Type {
    if (width >= 4) return this.asItIs(value);
    this.value(value);
    return value.type as Type;
  }

  protected override loadType(node: Node): Type {
    return (node.width >= 4 ? this.numberType(node) : undefined) ?? (node.type as Type);
  }

  protected store(node: Node): void {
    const offset = this.reach(node);
    const value = node.args[1] as Node;
    if (!this.#reversals.stores.has(node)) {
      this.storeTo(this.stored(value, node.width), node.width, 0, offset);
      return;
    }
    const type = value.type as Reversed;
    const as = this.asItIs(value.args[0] as Node);
    this.out.u8(0xfd, { i32: 0x11, i64: 0x12, f32: 0x13, f64: 0x14, v128: 0 }[as]);
    emitReverse(this.out, this.#orders.get(type) as number);
    this.out.u8(0xfd, type === "i64" ? 0x5b : 0x5a, 0).u32(offset).u8(0);
  }

  /** Of eight bytes on the stack. */
  protected override swap64(): void {
    this.out.u8(0xfd, 0x12);
    emitReverse(this.out, this.#orders.get("i64") as number);
    this.out.u8(0xfd, 0x1d, 0);
  }
}
