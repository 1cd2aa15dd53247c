import type { FrontEnd } from "../../ir/frontend.ts";
import type { Bytes } from "../wasm/bytes.ts";
import { op } from "../wasm/opcodes.ts";
import type { RegionPlan } from "./plan.ts";
import { WayLowering } from "./way-lowering.ts";

/** A way out in front of an instruction, which the interpreter then does. */
export interface Stop {
  /** Where the instruction lies from the start of the first page. */
  readonly offset: number;
  /** Instructions from there on that were taken from the budget. */
  readonly undone: number;
  /** Whether it is an entry's own, which its own handler may do. */
  readonly alone: boolean;
  /** For want of budget, with the fault that it has raised, or since the map does not answer for all of a span; else because it is the interpreter's. */
  readonly why: "budget" | "fault" | "span" | undefined;
}

/** A stop as a number, from bit 0: instructions undone; flags, of which `far` says that the place does not fit in here; the place. */
const bits = {
  undone: 0x3ff,
  alone: 0x400,
  budget: 0x800,
  fault: 0x1000,
  span: 0x2000,
  far: 0x4000,
  place: 15,
} as const;

/**
 * Stops. A region has one for almost every access to memory, so that each says only which one it is and puts into cells what is not there, and the rest is done in
 * one place for all of them.
 */
export abstract class StopLowering extends WayLowering {
  readonly #stop: number;

  constructor(out: Bytes, plan: RegionPlan, front: FrontEnd) {
    super(out, plan, front);
    this.#stop = this.local("i32");
  }

  /** Says which stop the branch to `stopped` that follows is for. */
  protected sayStop({ offset, undone, alone, why }: Stop): void {
    if (undone > bits.undone) throw new Error(`${undone} instructions of a block cannot be given back`);
    const place = offset << bits.place;
    const far = place >> bits.place !== offset;
    if (far) this.setOut(offset);
    const rest = undone | (alone ? bits.alone : 0) | (why === undefined ? 0 : bits[why]);
    this.out
      .u8(op.i32Const)
      .s32(rest | (far ? bits.far : place))
      .u8(op.localSet)
      .u32(this.#stop);
  }

  /** Behind the label `stopped`. @param span index of the function which is told that it was for a span. */
  protected endStopped(span: number): void {
    const { out } = this;
    this.#ask(bits.span);
    this.seldom();
    out.u8(op.i32Const).s32(this.plan.index).u8(op.call).u32(span);
    this.close();
    this.#ask(bits.far);
    out.u8(op.i32Eqz);
    this.open("if", op.if);
    out.u8(op.localGet).u32(this.page).u8(op.localGet).u32(this.#stop);
    out.u8(op.i32Const, bits.place, op.i32ShrS, op.i32Add, op.localSet).u32(this.goal);
    this.close();
    out.u8(op.localGet).u32(this.left);
    this.#ask(bits.undone);
    out.u8(op.i32Add, op.localSet).u32(this.left);
    this.#ask(bits.fault);
    this.open("if", op.if);
    // It was begun, and changed nothing.
    this.takeBudget(1);
    this.end("faulted", "exits-fault");
    this.close();
    for (const why of ["exits-budget", "exits-handed"] as const) out.u8(op.i32Const).s32(this.counterAt(why));
    this.#ask(bits.budget);
    out.u8(op.select, op.localSet).u32(this.why);
    // With something left the loop would come back here, so the instruction is done now.
    this.#ask(bits.alone);
    this.open("if", op.if);
    out.u8(op.localGet).u32(this.left);
    this.branchIf("alone");
    this.close();
    this.branch("exit");
  }

  #ask(mask: number): void {
    this.out.u8(op.localGet).u32(this.#stop).u8(op.i32Const).s32(mask).u8(op.i32And);
  }
}
