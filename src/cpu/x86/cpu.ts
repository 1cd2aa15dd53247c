import type { InterruptSource } from "../../bus/line.ts";
import type { Access, Decoded, EngineServices, FrontEnd, Helper, Translation } from "../../ir/frontend.ts";
import type { Slot } from "../../ir/slots.ts";
import { Cr0, Flag, Right, Vector } from "./constants.ts";
import { Core, type Wires } from "./core.ts";
import { decode } from "./decode.ts";
import { type Model, models } from "./identification.ts";
import { deliver } from "./interrupts.ts";
import { translate } from "./mmu.ts";
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

  constructor(options: X86Options) {
    const name = options.model ?? "pentium-pro";
    const model = models[name];
    if (model === undefined)
      throw new RangeError(`no x86 processor ${name}: there is ${Object.keys(models).join(", ")}`);
    this.model = model;
    this.core = new Core(options.wires);
    this.#interrupts = options.interrupts;
    this.helpers = systemHelpers(this.core, model);
  }

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
    core.setFlags(0, -1);
    core.setCpl(0);
    core.updateMode();
    core.engine.flushTlb();
  }

  decode(bytes: Uint8Array, available: number, pc: number, mode: number, into: Decoded): boolean {
    return decode(bytes, available, pc, mode, into);
  }

  translate(address: number, access: Access, user: boolean, into: Translation): boolean {
    return translate(this.core, address, access, user, into);
  }

  deliverFault(): void {
    const { core } = this;
    const returnTo = core.get(s.engine.pc);
    const take = () => ({
      vector: core.get(s.faultVector),
      code: core.get(s.faultHasCode) !== 0 ? core.get(s.faultCode) : undefined,
    });
    const first = take();
    if (this.#deliver(first.vector, first.code, returnTo, true)) return;
    const second = take();
    const double =
      first.vector === Vector.doubleFault ||
      (contributory.has(first.vector) && contributory.has(second.vector)) ||
      (first.vector === Vector.page && (second.vector === Vector.page || contributory.has(second.vector)));
    if (first.vector === Vector.doubleFault) {
      this.#shutdown();
      return;
    }
    if (this.#deliver(double ? Vector.doubleFault : second.vector, double ? 0 : second.code, returnTo, true)) return;
    // A fault on the way to the second one: contributory to it, or to the double fault.
    if (double || !this.#deliver(Vector.doubleFault, 0, returnTo, true)) this.#shutdown();
  }

  get attention(): boolean {
    const { core } = this;
    if (core.get(s.nmi) !== 0 || core.get(s.stepping) !== 0) return true;
    return (
      (core.get(s.eflags) & Flag.if) !== 0 &&
      this.#interrupts.pending &&
      core.get(s.halted) !== 2 &&
      core.engine.instructions >= this.#shadow
    );
  }

  service(): void {
    const { core } = this;
    if (!this.attention) return;
    if (core.get(s.stepping) !== 0) {
      this.#singleStep();
      return;
    }
    core.set(s.halted, 0);
    const vector = core.get(s.nmi) !== 0 ? Vector.nmi : this.#interrupts.acknowledge();
    core.set(s.nmi, 0);
    const { irq } = core.wires;
    if (irq.on)
      irq.log(`cpu: takes vector 0x${vector.toString(16)} at 0x${(core.get(s.engine.pc) >>> 0).toString(16)}`);
    if (this.#deliver(vector, undefined, core.get(s.engine.pc), false)) return;
    this.deliverFault();
  }

  get halted(): boolean {
    return this.core.get(s.halted) !== 0;
  }

  get window(): number {
    const { core } = this;
    if ((core.get(s.eflags) & Flag.tf) !== 0) {
      core.set(s.stepping, 1);
      return 1;
    }
    return core.engine.instructions < this.#shadow ? 1 : Number.POSITIVE_INFINITY;
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

  get #shadow(): number {
    return this.core.engine.view.getFloat64(s.shadow.offset, true);
  }

  /** #DB behind an instruction that began with TF set; not behind one that loaded SS. SDM vol. 3 sections 6.8.3 and 17.3.1.4. */
  #singleStep(): void {
    const { core } = this;
    core.set(s.stepping, 0);
    if (core.engine.instructions < this.#shadow) return;
    const dr6 = s.dr[6] as Slot;
    core.set(dr6, core.get(dr6) | 0x4000);
    if (!this.#deliver(Vector.debug, undefined, core.get(s.engine.pc), false)) this.deliverFault();
  }

  /** False when the delivery itself faulted; that fault is then recorded. */
  #deliver(vector: number, code: number | undefined, returnTo: number, isFault: boolean): boolean {
    try {
      deliver(this.core, { vector, software: false, code, returnTo, isFault });
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
