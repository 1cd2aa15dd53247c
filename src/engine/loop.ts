import { pageSize } from "../bus/guest-memory.ts";
import type { Form, FrontEnd } from "../ir/frontend.ts";
import { Status, terminated } from "../ir/node.ts";
import type { Type } from "../ir/ops.ts";
import type { EngineSlots } from "../ir/slots.ts";
import { lastPlaces } from "./code-cache.ts";
import { type Counted, counterOffset, countOne } from "./counters.ts";
import { openBlock } from "./forms.ts";
import { type EngineLayout, emitFetchEntry, fetchTlb, record } from "./layout.ts";
import { isLinked } from "./links.ts";
import { handlerParams, InlineLowering, importsOf } from "./lower.ts";
import { sampled } from "./region/arrivals.ts";
import { Bytes } from "./wasm/bytes.ts";
import { ModuleBuilder } from "./wasm/module.ts";
import { noValue, op } from "./wasm/opcodes.ts";

/** Why the interpreter's loop came back. `fault` and `leave` are those of `Status`. */
export const Reason = {
  /** The budget is used up, or was taken away. */
  budget: 0,
  fault: Status.fault,
  leave: Status.leave,
  /** The page under the pc is not in the fetch TLB. */
  fetch: 4,
  /** It is, and there is no record for this pc. */
  decode: 5,
  /** Enough jumps have gone to this pc for it to be worth a region. */
  hot: 6,
  /** The instruction under the pc goes on on a page that is not the one it was decoded with, as far as the fetch TLB says. */
  across: 7,
  /** The way from a region to the one at the pc is told of: `EngineLayout.sample` says which. */
  sample: 8,
} as const;

/**
 * How a region ends, besides `Status.jump`: numbers of which none is a `Status`, nor `Reason.across`, which a handler may give too. The loop does not know where it ended, so the pc is in the state.
 *
 * - `alone`: in front of an instruction in whose place a region stands: that one is to be done by its own handler.
 * - `faulted`: in an instruction that faulted.
 * - `sampled`: in front of another region, and the way there is to be told of.
 */
export const RegionStatus = { alone: 5, faulted: 6, sampled: 8 } as const;

/** The functions of the loop module. */
export interface Loop {
  /** Runs from the pc in the state until something is wanted of the engine. Returns a `Reason`. `delivered`: 1 when a fault has led there, which counts as a jump. */
  run(delivered: number): number;
  /** Runs one record at the pc in the state. Returns a `Reason`; `budget` also for an instruction that went well. */
  one(at: number): number;
  /**
   * For a region that ends: goes on at a pc, with the budget in the state. In the region which stands there, in place of the caller; where none does,
   * the pc goes into the state and `Status.jump` is returned. Its other arguments are the region's index, or 0 for a way that is not to be told
   * of, and where its first page starts.
   */
  readonly chain: WebAssembly.ExportValue;
}

/** Table slots which are not forms. */
export const endHandler = 0;
export const acrossHandler = 1;
export const firstForm = 2;

/**
 * The interpreter: fetch, count, do what the handler does, go on. Emitted rather than written in TypeScript since that makes it some
 * four times faster; the meaning of instructions is in the handlers alone. Those of the most common forms (`FrontEnd.common`) are built into the loop: a call costs more than what most of
 * them do.
 *
 * @param inlined the first forms. @param sequences of them, each of which has a handler more, behind those.
 */
export function emitLoop(
  front: FrontEnd,
  layout: EngineLayout,
  pages: number,
  tableSize: number,
  mostForms: number,
  inlined: readonly Form[],
  sequences: readonly (readonly Form[])[],
): Uint8Array<ArrayBuffer> {
  const { slots, alignment } = front;
  const module = new ModuleBuilder();
  module.importMemory("run", "memory", pages);
  module.importTable("run", "table", tableSize);
  for (const form of inlined) importsOf(openBlock(form), module, front);
  const handler = module.type(handlerParams, ["i32"]);
  const inline = new InlineLowering(new Bytes(), module, front, runLocals);
  const body = runBody(slots, layout, alignment, handler, inline, [...inlined.map((form) => [form]), ...sequences]);
  const run = module.function(
    ["i32"],
    ["i32"],
    [...new Array<Type>(runLocals - 1).fill("i32"), ...inline.locals],
    body,
  );
  const one = module.function(["i32"], ["i32"], ["i32", "i32"], oneBody(slots, handler));
  const chain = module.function(
    ["i32", "i32", "i32"],
    ["i32"],
    ["i32", "i32", "i32", "i32"],
    chainBody(slots, layout, alignment, handler, mostForms),
  );
  const across = module.function(handlerParams, ["i32"], ["i32", "i32"], acrossBody(slots, layout, handler));
  module.export("across", across);
  module.export("chain", chain);
  module.export("run", run);
  module.export("one", one);
  return module.bytes();
}

/**
 * An instruction which lies on two pages: done by its own handler as long as the second page is the one that its bytes came from.
 */
function acrossBody(slots: EngineSlots, layout: EngineLayout, handler: number): Bytes {
  const [at, pc, linear, entry] = [0, 1, 2, 3];
  const out = new Bytes();
  out.u8(op.localGet, pc);
  load(out, slots.fetchBase.offset);
  // Its first byte on the second page: the page behind the pc's.
  out
    .u8(op.i32Add, op.i32Const)
    .s32(-pageSize)
    .u8(op.i32And, op.i32Const)
    .s32(pageSize)
    .u8(op.i32Add, op.localSet, linear);
  emitFetchEntry(out, linear, entry);
  out.u8(op.i32Load, 2).u32(layout.fetchTlb + fetchTlb.tag);
  out.u8(op.localGet, linear);
  load(out, slots.mode.offset);
  out.u8(op.i32Or, op.i32Eq, op.if, noValue);
  out.u8(op.localGet, entry, op.i32Load, 2).u32(layout.fetchTlb + fetchTlb.table);
  out.u8(op.localGet, at, op.i32Load, 2).u32(record.second).u8(op.i32Eq, op.if, noValue);
  out.u8(op.localGet, at, op.localGet, pc, op.localGet, at, op.i32Load16U, 1).u8(record.original);
  out.u8(op.returnCallIndirect).u32(handler).u8(0, op.end, op.end);
  // It has not been begun.
  out.u8(op.i32Const, 0);
  load(out, slots.budget.offset);
  out.u8(op.i32Const, 1, op.i32Add, op.i32Store, 2).u32(slots.budget.offset);
  return out.u8(op.i32Const, Reason.across);
}

function load(out: Bytes, offset: number): void {
  out.u8(op.i32Const, 0, op.i32Load, 2).u32(offset);
}

function lessOne(out: Bytes, offset: number): void {
  out.u8(op.i32Const, 0);
  load(out, offset);
  out.u8(op.i32Const, 1, op.i32Sub, op.i32Store, 2).u32(offset);
}

function storeLocal(out: Bytes, offset: number, local: number): void {
  out.u8(op.i32Const, 0, op.localGet, local, op.i32Store, 2).u32(offset);
}

/** The locals of `run` which are not of handlers in it, its parameter among them. The first two lie where a handler has its parameters. */
const runLocals = 8;

function runBody(
  slots: EngineSlots,
  layout: EngineLayout,
  alignment: 1 | 4,
  handler: number,
  inline: InlineLowering,
  inside: readonly (readonly Form[])[],
): Bytes {
  const [at, pc, linear, budget, entry, jumped, from, next] = [0, 1, 2, 3, 4, 5, 6, 7];
  const { out } = inline;
  const leave = (reason: number) => {
    storeLocal(out, slots.pc.offset, pc);
    out.u8(op.i32Const, reason, op.return);
  };
  // An instruction begins, or where the budget is used up, it is gone elsewhere.
  const count = (usedUp: () => void) => {
    load(out, slots.budget.offset);
    out.u8(op.localTee, budget, op.i32Eqz).hint(0);
    usedUp();
    out.u8(op.i32Const, 0, op.localGet, budget, op.i32Const, 1, op.i32Sub, op.i32Store).u8(2).u32(slots.budget.offset);
  };
  const begin = () =>
    count(() => {
      out.u8(op.if, noValue);
      leave(Reason.budget);
      out.u8(op.end);
    });
  out.u8(op.localGet, 0, op.localSet, jumped);
  load(out, slots.pc.offset);
  out.u8(op.localSet, pc);
  out.u8(op.loop, noValue); // look up the pc
  const find = () =>
    lookUp(
      out,
      { pc, at, linear, entry },
      slots,
      layout,
      alignment,
      () => leave(Reason.fetch),
      () => leave(Reason.decode),
    );
  out.u8(op.localGet, next, op.if, noValue);
  out.u8(op.localGet, next, op.localSet, at, op.i32Const, 0, op.localSet, next).u8(op.else);
  // Where it came from, until `linear` is that of the place it goes to. The last places of a page may be forgotten by themselves, so nothing is linked to them.
  out.u8(op.localGet, linear, op.localSet, budget);
  find();
  out.u8(op.localGet, from, op.if, noValue);
  out.u8(op.localGet, budget, op.localGet, linear, op.i32Xor, op.i32Const).s32(pageSize).u8(op.i32LtU);
  out
    .u8(op.localGet, linear, op.i32Const)
    .s32(pageSize - 1)
    .u8(op.i32And, op.i32Const)
    .s32(lastPlaces)
    .u8(op.i32LtU);
  out.u8(op.i32And, op.if, noValue, op.localGet, from, op.localGet, at).u8(op.i32Store, 2, record.link, op.end);
  out.u8(op.end, op.end, op.i32Const, 0, op.localSet, from);
  // Each jump here makes the place hotter, and so does a fault; 0 is a place which is not watched. To begin here, or to come from the instruction before, is neither.
  out.u8(op.localGet, jumped, op.if, noValue);
  out.u8(op.localGet, at, op.i32Load16U, 1, record.heat, op.localTee, entry, op.if).u8(noValue);
  out.u8(op.localGet, at, op.localGet, entry);
  load(out, layout.warmth);
  out.u8(op.i32Sub, op.localTee, entry, op.i32Store16, 1, record.heat);
  out.u8(op.localGet, entry, op.i32Const, 1, op.i32LtS).hint(0).u8(op.if, noValue);
  leave(Reason.hot);
  out.u8(op.end, op.end, op.end);
  out.u8(op.loop, noValue); // an instruction
  begin();
  // The handlers inside are those of the first forms and of sequences of them; all the others are called.
  const follow = () => {
    out.u8(op.localGet, at, op.localTee, from, op.i32Load, 2, record.link).u8(op.localSet, next);
  };
  for (let k = -2; k < inside.length; k++) out.u8(op.block, noValue);
  out.u8(op.localGet, at, op.i32Load, 2, record.handler, op.brTable).u32(firstForm + inside.length);
  for (let k = 0; k < firstForm; k++) out.u32(k === endHandler ? 0 : inside.length + 1);
  for (let k = 0; k <= inside.length; k++) out.u32(k + 1);
  out.u8(op.end);
  // The end of a run is no instruction: what was counted is given back.
  follow();
  out.u8(op.i32Const, 0, op.localGet, budget, op.i32Store, 2).u32(slots.budget.offset);
  out.u8(op.i32Const, 1, op.localSet, jumped, op.br).u32(inside.length + 2);
  out.u8(op.end);
  for (const [k, forms] of inside.entries()) {
    // Around it are the blocks behind it, the loop of an instruction, and the loop which looks up the pc.
    const behind = inside.length - k;
    for (const [place, form] of forms.entries()) {
      const block = openBlock(form);
      if (place > 0) count(() => out.u8(op.brIf).u32(behind));
      inline.handlerInside(block, behind + 1, (ways) => {
        out.u8(op.localSet, pc, op.i32Const, 1, op.localSet, jumped);
        if (isLinked(form)) follow();
        out.u8(op.br).u32(ways);
      });
      if (terminated(block)) break;
      advance(out, pc, at);
      out.u8(op.localGet, at, op.i32Const, record.size, op.i32Add, op.localSet, at);
      if (place === forms.length - 1) out.u8(op.br).u32(behind);
    }
    out.u8(op.end);
  }
  out.u8(op.localGet, at, op.localGet, pc, op.localGet, at, op.i32Load, 2).u8(record.handler);
  out.u8(op.callIndirect).u32(handler).u8(0, op.localTee, entry);
  out.u8(op.i32Eqz, op.if, noValue);
  advance(out, pc, at);
  out.u8(op.localGet, at, op.i32Const, record.size, op.i32Add, op.localSet, at);
  out.u8(op.br, 1, op.end, op.end);
  // entry = how it ended
  out.u8(op.localGet, entry, op.i32Const, RegionStatus.alone, op.i32Eq, op.if, noValue);
  load(out, slots.pc.offset);
  out.u8(op.localSet, pc);
  find();
  begin();
  out.u8(op.localGet, at, op.localGet, pc, op.localGet, at, op.i32Load16U, 1).u8(record.original);
  out.u8(op.callIndirect).u32(handler).u8(0, op.localTee, entry);
  out.u8(op.i32Eqz, op.if, noValue);
  advance(out, pc, at);
  out.u8(op.i32Const, 0, op.localSet, jumped, op.br, 2, op.end, op.end);
  out.u8(op.localGet, entry, op.i32Const, RegionStatus.faulted, op.i32Eq, op.if, noValue);
  out.u8(op.i32Const, Reason.fault, op.return, op.end);
  out.u8(op.localGet, entry, op.i32Const, RegionStatus.sampled, op.i32Eq).hint(0).u8(op.if, noValue);
  out.u8(op.i32Const, Reason.sample, op.return, op.end);
  out.u8(op.localGet, entry, op.i32Const, Status.jump, op.i32Eq, op.if, noValue);
  load(out, slots.pc.offset);
  out.u8(op.localSet, pc, op.i32Const, 1, op.localSet, jumped, op.br, 1).u8(op.end);
  out.u8(op.localGet, entry, op.i32Const, Status.leave, op.i32Eq, op.if, noValue);
  advance(out, pc, at);
  out.u8(op.end);
  storeLocal(out, slots.pc.offset, pc);
  out.u8(op.localGet, entry, op.return, op.end, op.unreachable);
  return out;
}

/** at = the record under the pc. `noPage`: the page is not in the fetch TLB; `noRecord`: it holds no record for this place. */
function lookUp(
  out: Bytes,
  {
    pc,
    at,
    linear,
    entry,
  }: { readonly pc: number; readonly at: number; readonly linear: number; readonly entry: number },
  slots: EngineSlots,
  layout: EngineLayout,
  alignment: 1 | 4,
  noPage: () => void,
  noRecord: () => void,
): void {
  // linear = pc + fetchBase; entry = fetch TLB entry of its page
  out.u8(op.localGet, pc);
  load(out, slots.fetchBase.offset);
  out.u8(op.i32Add, op.localSet, linear);
  emitFetchEntry(out, linear, entry);
  out.u8(op.i32Load, 2).u32(layout.fetchTlb + fetchTlb.tag);
  out.u8(op.localGet, linear, op.i32Const).s32(-pageSize).u8(op.i32And);
  load(out, slots.mode.offset);
  out.u8(op.i32Or, op.i32Ne).hint(0).u8(op.if, noValue);
  noPage();
  out.u8(op.end);
  // at = table[offset in page]
  out.u8(op.localGet, entry, op.i32Load, 2).u32(layout.fetchTlb + fetchTlb.table);
  if (alignment === 1)
    out.u8(op.localGet, linear, op.i32Const).s32(4095).u8(op.i32And, op.i32Const, 2, op.i32Shl, op.i32Add);
  else out.u8(op.localGet, linear, op.i32Const).s32(4092).u8(op.i32And, op.i32Add);
  out.u8(op.i32Load, 2, 0, op.localTee, at, op.i32Eqz).hint(0).u8(op.if, noValue);
  noRecord();
  out.u8(op.end);
}

function chainBody(
  slots: EngineSlots,
  layout: EngineLayout,
  alignment: 1 | 4,
  handler: number,
  mostForms: number,
): Bytes {
  const [pc, from, page, at, linear, entry, index] = [0, 1, 2, 3, 4, 5, 6];
  const out = new Bytes();
  const leave = (status: number) => {
    storeLocal(out, slots.pc.offset, pc);
    out.u8(op.i32Const, status, op.return);
  };
  const back = (why: Counted) => {
    countOne(out, layout.counters + counterOffset(why));
    leave(Status.jump);
  };
  lookUp(
    out,
    { pc, at, linear, entry },
    slots,
    layout,
    alignment,
    () => back("unchained-page"),
    () => back("unchained-record"),
  );
  out.u8(op.localGet, at, op.i32Load, 2, record.handler, op.localTee, index);
  out.u8(op.i32Const).s32(mostForms).u8(op.i32LtU).hint(0).u8(op.if, noValue);
  back("unchained-region");
  out.u8(op.end);
  load(out, slots.budget.offset);
  out.u8(op.i32Eqz).hint(0).u8(op.if, noValue);
  back("unchained-budget");
  out.u8(op.end);
  load(out, layout.sample);
  out.u8(op.i32Eqz).hint(0).u8(op.if, noValue);
  out.u8(op.i32Const, 0, op.i32Const).s32(sampled).u8(op.i32Store, 2).u32(layout.sample);
  storeLocal(out, layout.sample + 4, from);
  storeLocal(out, layout.sample + 8, page);
  leave(RegionStatus.sampled);
  out.u8(op.end);
  lessOne(out, layout.sample);
  // What the loop does for an instruction: it is counted before it is begun.
  lessOne(out, slots.budget.offset);
  out.u8(op.localGet, at, op.localGet, pc, op.localGet, index, op.returnCallIndirect).u32(handler).u8(0);
  return out;
}

function advance(out: Bytes, pc: number, at: number): void {
  out.u8(op.localGet, pc, op.localGet, at, op.i32Load8U, 0, record.length, op.i32Add).u8(op.localSet, pc);
}

function oneBody(slots: EngineSlots, handler: number): Bytes {
  const [at, pc, status] = [0, 1, 2];
  const out = new Bytes();
  load(out, slots.budget.offset);
  out.u8(op.i32Eqz, op.if, noValue, op.i32Const, Reason.budget, op.return, op.end);
  out.u8(op.i32Const, 0);
  load(out, slots.budget.offset);
  out.u8(op.i32Const, 1, op.i32Sub, op.i32Store, 2).u32(slots.budget.offset);
  load(out, slots.pc.offset);
  out.u8(op.localSet, pc);
  out.u8(op.localGet, at, op.localGet, pc, op.localGet, at, op.i32Load, 2).u8(record.handler);
  out.u8(op.callIndirect).u32(handler).u8(0, op.localTee, status);
  out.u8(op.i32Const, Status.jump, op.i32Eq, op.if, noValue, op.i32Const, Reason.budget, op.return).u8(op.end);
  out.u8(op.localGet, status, op.i32Const, Status.fault, op.i32Ne, op.if, noValue);
  advance(out, pc, at);
  out.u8(op.end);
  storeLocal(out, slots.pc.offset, pc);
  return out.u8(op.localGet, status);
}
