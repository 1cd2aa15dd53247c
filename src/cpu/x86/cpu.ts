import type { InterruptSource } from "../../bus/line.ts";
import {
  Access,
  type Decoded,
  type EngineServices,
  type Form,
  type FrontEnd,
  type Helper,
  type QuickWay,
  Translation,
} from "../../ir/frontend.ts";
import { type Slot, wordsOf } from "../../ir/slots.ts";
import { common } from "./common.ts";
import { Cr0, Flag, Right, Vector } from "./constants.ts";
import { Core, type Wires } from "./core.ts";
import { addDr6, Dr6, touched } from "./debug.ts";
import { decode } from "./decode.ts";
import { containedFpu, fpuHelpers } from "./fpu/helpers.ts";
import { quickFpu } from "./fpu/quick.ts";
import { quickImages } from "./fpu/quick-image.ts";
import { cr4Bits, Feature, lacks, type Model, models, mxcsrBits } from "./identification.ts";
import type { FormOfModels } from "./instruction.ts";
import { deliver, type Origin } from "./interrupts.ts";
import { translate } from "./mmu.ts";
import { resetMsrs } from "./msr.ts";
import { endings, quickSystem } from "./quick-system.ts";
import { containedSegments } from "./segment-reload.ts";
import { containedSimd, simdHelpers } from "./simd/helpers.ts";
import { quickSimd } from "./simd/quick.ts";
import { quickPacked } from "./simd/quick-packed.ts";
import * as s from "./slots.ts";
import { systemHelpers } from "./system.ts";

export interface X86Options {
  readonly model?: string;
  readonly wires: Wires;
  readonly interrupts: InterruptSource;
}

/** Exceptions that make a double fault of a second one. SDM vol. 3 table 6-4. */
const contributory: ReadonlySet<number> = new Set([
  Vector.divide,
  Vector.invalidTss,
  Vector.notPresent,
  Vector.stack,
  Vector.protection,
]);

/** Whether a fault while another is delivered makes a double fault of both. SDM vol. 3 table 6-5. */
function doubles(first: number, second: number): boolean {
  if (first === Vector.page) return second === Vector.page || contributory.has(second);
  return contributory.has(first) && contributory.has(second);
}

/** Prefixes which may stand before a repeat prefix, and how many bytes an instruction has at most. SDM vol. 2 section 2.1.1. */
const prefixes: ReadonlySet<number> = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0]);
const longest = 15;

/** What an instruction is that the model does not have. */
const absent: Form = { name: "absent", ends: true, body: (b) => b.exit("undefinedOpcode") };

/** The x86 front end: a P6 of 32 bits, one processor. */
export class X86 implements FrontEnd {
  readonly name = "x86";
  readonly slots = s.engine;
  readonly alignment = 1;
  readonly helpers: Readonly<Record<string, Helper>>;
  readonly stateSlots = s.slots;
  readonly core: Core;
  readonly model: Model;
  readonly #interrupts: InterruptSource;
  readonly #peek = new Translation();

  constructor(options: X86Options) {
    const name = options.model ?? "pentium-pro";
    const model = models[name];
    if (model === undefined)
      throw new RangeError(`no x86 processor ${name}: there is ${Object.keys(models).join(", ")}`);
    this.model = model;
    this.core = new Core(options.wires, {
      pse36: (model.features & Feature.pse36) !== 0,
      cr4Bits: cr4Bits(model),
    });
    this.#interrupts = options.interrupts;
    this.core.interruptWaits = () => options.interrupts.pending || this.core.get(s.nmi) !== 0;
    this.helpers = {
      ...systemHelpers(this.core, model),
      ...fpuHelpers(this.core, mxcsrBits(model)),
      ...simdHelpers(this.core, mxcsrBits(model)),
    };
    this.quick = {
      ...quickFpu,
      ...quickImages(mxcsrBits(model)),
      ...quickSimd,
      ...quickPacked,
      ...quickSystem,
    };
  }

  readonly common = common;
  readonly cells = wordsOf(s.slots);
  readonly quick: Readonly<Record<string, QuickWay>>;
  readonly ending = endings;
  readonly wide: ReadonlyMap<number, "i64" | "v128"> = new Map([
    ...[...s.xmm.filter((_, k) => k % 2 === 0), s.simdOperand].map(({ offset }) => [offset, "v128"] as const),
    ...[...s.fpuSignificand, s.fpuOut].map(({ offset }) => [offset, "i64"] as const),
  ]);
  readonly steady = s.fpuTop;
  readonly inside: ReadonlySet<string> = new Set(Object.keys({ ...quickFpu, ...quickSimd, ...quickPacked }));
  readonly scratch: ReadonlySet<number> = new Set(
    [s.simdOperand, s.fpuOut, s.fpuOutHigh, s.fpuRaised].map(({ offset }) => offset),
  );
  readonly readsWhatItMayWrite = true;
  readonly contained = { ...containedSegments, ...containedFpu, ...containedSimd };

  get fault(): object {
    return this.core.fault;
  }

  attach(engine: EngineServices): void {
    this.core.engine = engine;
    this.core.words = engine.words;
    this.reset();
  }

  /** As RESET# leaves it. SDM vol. 3 section 9.1.1, table 9-1. */
  reset(): void {
    const { core } = this;
    const word = (slot: Slot, value: number) => core.set(slot, value);
    for (const slot of s.slots)
      if (!shared.has(slot)) for (let k = 0; k < slot.width / 4; k++) core.words[slot.index + k] = 0;
    for (let n = 0; n < 8; n++) {
      word(s.limit[n] as Slot, 0xffff);
      word(
        s.rights[n] as Slot,
        n < 6
          ? Right.present | Right.segment | Right.readWrite | Right.accessed
          : Right.present | (n === s.segment.ldtr ? 0x200 : 0xb00),
      );
    }
    word(s.selector[s.segment.cs] as Slot, 0xf000);
    word(s.base[s.segment.cs] as Slot, 0xffff_0000);
    word(s.engine.pc, 0xfff0);
    word(s.edx, this.model.signature);
    word(s.cr0, Cr0.et | Cr0.cd | Cr0.nw);
    word(s.gdtrLimit, 0xffff);
    word(s.idtrLimit, 0xffff);
    word(s.dr[6] as Slot, 0xffff_0ff0);
    word(s.dr[7] as Slot, 0x400);
    // The x87 as RESET# leaves it, which is not what FNINIT makes of it: all masks clear, all registers 0 and in use.
    word(s.fpuControl, 0x40);
    word(s.fpuUsed, 0xff);
    word(s.mxcsr, 0x1f80);
    core.setFlags(0, -1);
    resetMsrs(core);
    core.setCpl(0);
    core.updateMode();
    core.flushTlb();
  }

  decode(bytes: Uint8Array, available: number, pc: number, mode: number, into: Decoded): boolean {
    if (!decode(bytes, available, pc, mode, into)) return false;
    if (lacks(this.model, (into.form as FormOfModels).needs)) into.form = absent;
    return true;
  }

  translate(address: number, access: Access, user: boolean, into: Translation): boolean {
    return translate(this.core, address, access, user, into);
  }

  /** #AC at ring 3. SDM vol. 3 section 6.15. */
  aligned(address: number, width: number): boolean {
    if ((address & (Math.min(width, 8) - 1)) === 0) return true;
    this.core.raise(Vector.alignment, 0);
    return false;
  }

  touched(address: number, width: number, write: boolean): void {
    touched(this.core, address, width, write);
  }

  /** SDM vol. 3 section 6.15, #DF: a fault on the way to the handler of another is a third thing, and one on the way to that shuts down. */
  deliverFault(): void {
    const { core } = this;
    if (core.frozen) {
      core.frozen = false;
      return;
    }
    let vector = core.get(s.faultVector);
    let code = core.get(s.faultHasCode) !== 0 ? core.get(s.faultCode) : undefined;
    for (;;) {
      const returnTo = core.restart ?? core.get(s.engine.pc);
      core.restart = undefined;
      if (this.#deliver(vector, "fault", code, returnTo)) return;
      if (vector === Vector.doubleFault) {
        this.#shutdown();
        return;
      }
      const second = core.get(s.faultVector);
      const double = doubles(vector, second);
      vector = double ? Vector.doubleFault : second;
      code = double ? 0 : core.get(s.faultHasCode) !== 0 ? core.get(s.faultCode) : undefined;
    }
  }

  get attention(): boolean {
    const { core } = this;
    const now = core.engine.instructions;
    if (core.get(s.debugPending) !== 0 && now >= core.count(s.quiet)) return true;
    if (core.count(s.stepAt) !== 0 && now >= core.count(s.stepAt)) return true;
    const flags = core.get(s.eflags);
    if ((flags & Flag.rf) !== 0 && this.#resumed(now)) return true;
    return this.#nmiDue(now) || this.#interruptDue(now);
  }

  /** Whether the instruction is done which RF was set for. SDM vol. 3 section 17.3.1.1. */
  #resumed(now: number): boolean {
    const { core } = this;
    if (now <= core.count(s.resumedAt)) return false;
    return core.get(s.engine.pc) !== core.get(s.resumedPc) || !this.#repeating();
  }

  /** Whether a repeat prefix is on the instruction at the pc: one that has come back there is between two of its steps. */
  #repeating(): boolean {
    const { core } = this;
    const cr2 = core.get(s.cr2);
    const at = core.get(s.engine.fetchBase) + core.get(s.engine.pc);
    for (let k = 0; k < longest; k++) {
      if (!translate(core, (at + k) >>> 0, Access.fetch, core.cpl === 3, this.#peek)) {
        // A look that nobody asked for leaves no trace.
        core.set(s.cr2, cr2);
        return false;
      }
      const byte = core.engine.readPhysical(this.#peek.physical, 1);
      if (byte === 0xf2 || byte === 0xf3) return true;
      if (!prefixes.has(byte)) return false;
    }
    return false;
  }

  #nmiDue(now: number): boolean {
    const { core } = this;
    return core.get(s.nmi) !== 0 && core.get(s.nmiBlocked) === 0 && now >= core.count(s.quiet);
  }

  #interruptDue(now: number): boolean {
    const { core } = this;
    return (
      (core.get(s.eflags) & Flag.if) !== 0 &&
      this.#interrupts.pending &&
      core.get(s.halted) !== 2 &&
      now >= core.count(s.shadow) &&
      !this.#held
    );
  }

  /** Whether the instruction before this one was an STI which set IF. */
  get #held(): boolean {
    return this.core.get(s.heldPc) === this.core.get(s.engine.pc);
  }

  /** What happens between two instructions, in the order of SDM vol. 3 table 6-2: debug traps, then NMIs, then interrupts. */
  service(): void {
    const { core } = this;
    const now = core.engine.instructions;
    if ((core.get(s.eflags) & Flag.rf) !== 0 && this.#resumed(now)) core.setFlags(0, Flag.rf);
    this.#debugTraps(now);
    if (this.#nmiDue(now)) {
      core.set(s.nmi, 0);
      core.set(s.nmiBlocked, 1);
      this.#take(Vector.nmi);
    }
    if (this.#interruptDue(now)) this.#take(this.#interrupts.acknowledge());
  }

  #take(vector: number): void {
    const { core } = this;
    core.set(s.halted, 0);
    const { irq } = core.wires;
    if (irq.on)
      irq.log(`cpu: takes vector 0x${vector.toString(16)} at 0x${(core.get(s.engine.pc) >>> 0).toString(16)}`);
    if (!this.#deliver(vector, "between", undefined, core.get(s.engine.pc))) this.deliverFault();
  }

  /** Single steps and breakpoints on data, ports and tasks. A step that ends in MOV SS is not seen: SDM vol. 3 sections 6.8.3 and 17.3. */
  #debugTraps(now: number): void {
    const { core } = this;
    const quiet = now < core.count(s.quiet);
    const stepAt = core.count(s.stepAt);
    const stepped = stepAt !== 0 && now >= stepAt;
    if (stepped) core.setCount(s.stepAt, 0);
    if (quiet) return;
    const bits = core.get(s.debugPending) | (stepped ? Dr6.bs : 0);
    if (bits === 0) return;
    core.set(s.debugPending, 0);
    addDr6(core, bits);
    if (!this.#deliver(Vector.debug, "between", undefined, core.get(s.engine.pc))) this.deliverFault();
  }

  get halted(): boolean {
    return this.core.get(s.halted) !== 0;
  }

  get window(): number {
    const { core } = this;
    const flags = core.get(s.eflags);
    const now = core.engine.instructions;
    const { pending } = this.#interrupts;
    core.set(s.asked, (pending ? s.Asked.waits : 0) | (core.wires.exceptions.on ? s.Asked.traced : 0));
    if (this.#held && pending) {
      core.setCount(s.shadow, now + 1);
      // Once: the next instruction may be one that jumps to itself.
      core.set(s.heldPc, ~core.get(s.engine.pc));
    }
    if ((flags & Flag.rf) !== 0) core.set(s.resumedPc, core.get(s.engine.pc));
    if ((flags & Flag.tf) !== 0) core.setCount(s.stepAt, now + 1);
    if ((flags & (Flag.tf | Flag.rf)) !== 0) return 1;
    return now < core.count(s.shadow) ? 1 : Number.POSITIVE_INFINITY;
  }

  /** The NMI pin rose. */
  nmi(): void {
    this.core.set(s.nmi, 1);
    this.core.engine.attention();
  }

  /** The state as named fields, for save, restore and the monitor. */
  fields(): Record<string, number> {
    return Object.fromEntries(
      s.slots.filter((slot) => slot.width === 4).map((slot) => [slot.name, this.core.get(slot)]),
    );
  }

  /** False when the delivery itself faulted; that fault is then recorded. */
  #deliver(vector: number, origin: Origin, code: number | undefined, returnTo: number): boolean {
    try {
      deliver(this.core, { vector, origin, code, returnTo });
      return true;
    } catch (thrown) {
      if (thrown !== this.core.fault) throw thrown;
      return false;
    }
  }

  #shutdown(): void {
    this.core.set(s.halted, 2);
    this.core.wires.shutdown();
    this.core.engine.stop();
  }
}

/** Words which belong to the engine while it runs. */
const shared: ReadonlySet<Slot> = new Set([s.engine.budget, s.engine.tlb]);
