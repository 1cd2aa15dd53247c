import { pageSize } from "../../bus/guest-memory.ts";
import type { FrontEnd } from "../../ir/frontend.ts";
import type { Node } from "../../ir/node.ts";
import type { Type } from "../../ir/ops.ts";
import { emitLoad, emitStore } from "../idioms.ts";
import { emitMapEntry, map } from "../layout.ts";
import type { Bytes } from "../wasm/bytes.ts";
import { op } from "../wasm/opcodes.ts";
import { emitOrderOf, emitReverse, type Reversals, type Reversed, reversalsOf } from "./byte-order.ts";
import type { RegionImports, RegionPlan } from "./plan.ts";
import type { BuiltBlock } from "./region-builder.ts";
import { type Span, spansOf, type Touch } from "./spans.ts";
import { type Stop, StopLowering } from "./stop-lowering.ts";

/** Accesses to guest memory: the TLB is asked once a span, and what it does not know is a reason to leave. */
export abstract class AccessLowering extends StopLowering {
  protected readonly imports: RegionImports;
  /** The accesses of the block at hand, by their nodes' numbers. */
  protected touches: ReadonlyMap<number, Touch> = new Map();
  /** The locals with where in the guest memory the spans begin that were asked for. */
  readonly #hosts = new Map<Span, number>();
  /** Of spans whose page is known beforehand (run-lowering.ts), the locals with what is added to their addresses. */
  protected readonly fixed = new Map<Span, number>();
  /** Of what is put into the other order, the local with the operand for it. */
  readonly #orders = new Map<Reversed, number>();
  #reversals: Reversals = { loads: new Map(), stores: new Set() };

  constructor(out: Bytes, plan: RegionPlan, front: FrontEnd, imports: RegionImports) {
    super(out, plan, front);
    this.imports = imports;
    for (const type of this.swapped) this.#orders.set(type, this.local("v128"));
  }

  /** At the region's start: what its accesses need. */
  protected prepare(): void {
    for (const [type, local] of this.#orders) {
      emitOrderOf(this.out, type);
      this.out.u8(op.localSet).u32(local);
    }
  }

  /** Leaves the region in front of the instruction to which a node belongs. */
  protected abstract leaveAt(node: Node, why?: Stop["why"]): void;

  /** Whether a value is a cell's that is kept with its bytes in the other order. */
  protected abstract isReversed(node: Node): boolean;

  /** Begins a block: its accesses are put together, and nothing has been asked for. */
  protected gather({ block }: BuiltBlock): void {
    this.touches = spansOf(block, this.front.readsWhatItMayWrite === true, this.plan.apart);
    this.#hosts.clear();
    this.fixed.clear();
  }

  /** Of the block at hand, once uses are counted. */
  protected reverse({ block }: BuiltBlock): void {
    if (this.swapped.size > 0) this.#reversals = reversalsOf(block, (node) => this.usesOf(node));
  }

  /**
   * Leaves on the stack where in the guest memory an access's span begins, and gives how far from there the access lies. The first access of a span makes sure
   * of it, or leaves the region.
   */
  protected reach(node: Node): number {
    const { span, offset } = this.touches.get(node.id) as Touch;
    const known = this.#hosts.get(span);
    if (known !== undefined) {
      this.out.u8(op.localGet).u32(known);
      return offset - span.low;
    }
    const { out } = this;
    const { low, high } = span;
    const fixed = this.fixed.get(span);
    if (fixed !== undefined) {
      this.addressOf(span);
      out.u8(op.localGet).u32(fixed).u8(op.i32Add);
      this.#hostOf(span);
      return offset - low;
    }
    const length = high - low;
    const at = this.local("i32");
    const addend = this.local("i32");
    this.addressOf(span);
    out.u8(op.localTee).u32(at);
    this.addendOf(span);
    out.u8(op.localSet).u32(addend);
    this.open("if", op.block);
    this.open("if", op.block);
    out.u8(op.localGet).u32(addend).u8(op.i32Eqz).hint(0).u8(op.brIf, 0);
    if (length > 1) {
      this.#crosses(at, length);
      out.hint(0).u8(op.brIf, 0);
    }
    out.u8(op.br, 1);
    this.close();
    this.leaveAt(node, span.count > 1 ? "span" : undefined);
    this.close();
    out.u8(op.localGet).u32(at).u8(op.localGet).u32(addend).u8(op.i32Add);
    this.#hostOf(span);
    return offset - low;
  }

  /** What is on the stack is where a span begins in the guest memory. */
  #hostOf(span: Span): void {
    if (span.count === 1) return;
    const host = this.local("i32");
    this.#hosts.set(span, host);
    this.out.u8(op.localTee).u32(host);
  }

  /** Leaves the address on the stack at which a span begins. */
  protected addressOf({ base, low }: Span): void {
    const { out } = this;
    if (base === undefined) {
      out.u8(op.i32Const).s32(low);
      return;
    }
    this.value(base);
    if (low !== 0) out.u8(op.i32Const).s32(low).u8(op.i32Add);
  }

  /** From an address on the stack to what its page's map says. */
  protected addendOf({ writing }: Span): void {
    emitMapEntry(this.out);
    this.out.u8(op.i32Load, 2).u32(this.plan.tlb + (writing ? map.write : map.read));
  }

  /** The block at hand is built once more, and nothing of it is known. */
  protected forget(): void {
    this.#hosts.clear();
    this.fixed.clear();
    this.forgetPlaces();
  }

  /** Leaves on the stack whether so many bytes lie on two pages. */
  #crosses(at: number, length: number): void {
    const { out } = this;
    out
      .u8(op.localGet)
      .u32(at)
      .u8(op.i32Const)
      .s32(pageSize - 1)
      .u8(op.i32And);
    out
      .u8(op.i32Const)
      .s32(pageSize - length)
      .u8(op.i32GtU);
  }

  protected load(node: Node): void {
    const offset = this.reach(node);
    const reversed = this.#reversals.loads.get(node.id);
    if (reversed === undefined) {
      emitLoad(this.out, this.loadType(node), node.width, 0, offset);
      this.keep(node);
      return;
    }
    const type = node.type as Reversed;
    this.#further(offset);
    this.out.u8(0xfd, type === "i64" ? 0x5d : 0x5c, 0, 0);
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
    if (!this.#reversals.stores.has(node.id) || this.isReversed(value.args[0] as Node)) {
      emitStore(this.out, this.stored(value, node.width), node.width, 0, offset);
      return;
    }
    this.#further(offset);
    const type = value.type as Reversed;
    const as = this.asItIs(value.args[0] as Node);
    this.out.u8(0xfd, { i32: 0x11, i64: 0x12, f32: 0x13, f64: 0x14, v128: 0 }[as]);
    emitReverse(this.out, this.#orders.get(type) as number);
    this.out.u8(0xfd, type === "i64" ? 0x5b : 0x5a, 0, 0, 0);
  }

  /** The place on the stack moved on: V8 makes no part of a lane's address of the offset that its instruction has. */
  #further(offset: number): void {
    if (offset !== 0) this.out.u8(op.i32Const).s32(offset).u8(op.i32Add);
  }

  /** Of eight bytes by a vector register too. */
  protected override bswap(type: Type): void {
    if (type !== "i64") {
      super.bswap(type);
      return;
    }
    this.out.u8(0xfd, 0x12);
    emitReverse(this.out, this.#orders.get("i64") as number);
    this.out.u8(0xfd, 0x1d, 0);
  }
}
