import { pageSize } from "../../bus/guest-memory.ts";
import type { FrontEnd } from "../../ir/frontend.ts";
import type { Bytes } from "../wasm/bytes.ts";
import { op } from "../wasm/opcodes.ts";
import { AccessLowering } from "./access-lowering.ts";
import type { PlacedBlock, RegionImports, RegionPlan } from "./plan.ts";
import type { Span } from "./spans.ts";
import { type StrideOf, stridesOf } from "./strides.ts";

/*
 * Runs: a block that jumps back to itself is built twice. Now and then it is found out how many times it may be gone through before one of its accesses comes to another page or
 * the budget ends, and the second one does so many without asking for pages or budget.
 */

/** How often a block is come to until that is found out. */
const patience = 8;
/** Fewer times are not worth it. */
const fewest = 8;

/** One span whose page is asked for once a run. */
interface Steady {
  readonly span: Span;
  readonly stride: number;
  /** The local with what is added to an address. */
  readonly addend: number;
}

export abstract class RunLowering extends AccessLowering {
  /** Blocks that were come to since the last time. */
  readonly #come: number;
  /** While a run is built: what is left of the budget at its end. */
  #stop: number | undefined;

  constructor(out: Bytes, plan: RegionPlan, front: FrontEnd, imports: RegionImports) {
    super(out, plan, front, imports);
    this.#come = this.local("i32");
  }

  /** In front of a block, at the start of its loop, with the budget asked for: its run, if it has one. */
  protected run(block: PlacedBlock): void {
    const strideOf = block.header && !this.plan.apart ? stridesOf(block, this.cells) : undefined;
    if (strideOf === undefined) return;
    const steady = this.#steadyIn(strideOf);
    if (!steady.some(({ stride }) => stride !== 0)) return;
    for (const { span, addend } of steady) this.fixed.set(span, addend);
    const { out } = this;
    const count = block.instructions.length;
    const [turns, stop] = [this.local("i32"), this.local("i32")];
    out.u8(op.localGet).u32(this.#come).u8(op.i32Const, 1, op.i32Add, op.localTee).u32(this.#come);
    out.u8(op.i32Const, patience, op.i32GeU);
    this.open("if", op.if);
    out.u8(op.i32Const, 0, op.localSet).u32(this.#come);
    // How often it may be begun once more as far as the budget goes.
    out.u8(op.localGet).u32(this.left).u8(op.i32Const).s32(block.need).u8(op.i32Sub);
    if (count > 1) out.u8(op.i32Const).s32(count).u8(op.i32DivU);
    out.u8(op.localSet).u32(turns);
    this.open("if", op.block);
    for (const one of steady) this.#page(one, turns);
    out.u8(op.localGet).u32(turns).u8(op.i32Const, fewest, op.i32LtU, op.brIf, 0);
    out.u8(op.localGet).u32(this.left).u8(op.localGet).u32(turns).u8(op.i32Const, 1, op.i32Add);
    if (count > 1) out.u8(op.i32Const).s32(count).u8(op.i32Mul);
    out.u8(op.i32Sub, op.localSet).u32(stop);
    this.open("run", op.loop);
    this.#stop = stop;
    this.takeBudget(count);
    this.block(block.built.block);
    if (block.next === undefined) out.u8(op.unreachable);
    else this.goTo(block.next, false);
    this.#stop = undefined;
    this.close();
    this.close();
    this.close();
    this.forget();
  }

  /** The spans whose way is known, each with a local for its page. */
  #steadyIn(strideOf: StrideOf): Steady[] {
    const steady: Steady[] = [];
    for (const span of new Set([...this.touches.values()].map(({ span }) => span))) {
      const stride = span.base === undefined ? 0 : strideOf(span.base);
      // A run of a few times would not pay for asking.
      if (stride === undefined || Math.abs(stride) * 2 * fewest > pageSize) continue;
      steady.push({ span, stride, addend: this.local("i32") });
    }
    return steady;
  }

  /** Asks for a span's page, and lessens the turns to those that stay on it; out of the block where it has none. */
  #page({ span, stride, addend }: Steady, turns: number): void {
    const { out } = this;
    const at = this.local("i32");
    const room = this.local("i32");
    this.addressOf(span);
    out.u8(op.localTee).u32(at);
    this.addendOf(span);
    out.u8(op.localTee).u32(addend).u8(op.i32Eqz, op.brIf, 0);
    // From its last byte to the end of the page, and from the page's start to its first.
    const last = pageSize - (span.high - span.low);
    out.u8(op.localGet).u32(at).u8(op.i32Const);
    out
      .s32(pageSize - 1)
      .u8(op.i32And, op.localTee)
      .u32(room);
    out.u8(op.i32Const).s32(last).u8(op.i32GtU, op.brIf, 0);
    if (stride === 0) return;
    if (stride > 0) out.u8(op.i32Const).s32(last).u8(op.localGet).u32(room).u8(op.i32Sub);
    else out.u8(op.localGet).u32(room);
    if (Math.abs(stride) > 1) out.u8(op.i32Const).s32(Math.abs(stride)).u8(op.i32DivU);
    out.u8(op.localTee).u32(room).u8(op.localGet).u32(turns);
    out.u8(op.localGet).u32(room).u8(op.localGet).u32(turns).u8(op.i32LtU, op.select, op.localSet).u32(turns);
  }

  /** From the end of a run's block back to it while there are turns, then to the start of the loop. */
  protected override goTo(offset: number, falling: boolean): void {
    if (this.#stop !== undefined && offset === this.current.offset) {
      this.out.u8(op.localGet).u32(this.left).u8(op.localGet).u32(this.#stop).u8(op.i32Ne);
      this.branchIf("run");
      this.branchTo(this.here);
    } else super.goTo(offset, falling);
  }
}
