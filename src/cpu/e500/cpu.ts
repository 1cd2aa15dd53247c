import type { InterruptSource } from "../../bus/line.ts";
import type { StateList } from "../../bus/state.ts";
import type { Access, Decoded, EngineServices, FrontEnd, Helper, Translation } from "../../ir/frontend.ts";
import { type Slot, wordsOf } from "../../ir/slots.ts";
import { common } from "./common.ts";
import { Core, type Wires } from "./core.ts";
import { decode } from "./decode.ts";
import { containedFloating, floatingState, insideFloating, quickFloating } from "./floating-quick.ts";
import { deliverFault, pending, stepping, take } from "./interrupts.ts";
import { translate } from "./mmu.ts";
import * as s from "./slots.ts";
import { pvrE500mc } from "./spr-effects.ts";
import { containedSystem, endingSystem, systemHelpers } from "./system.ts";
import { Timers } from "./timers.ts";

export interface E500Options {
  readonly wires: Wires;
  /** The external input. `acknowledge` is called when the interrupt is taken; what it gives is to be read from EPR. */
  readonly interrupts: InterruptSource;
  /** System version register. */
  readonly svr: number;
  /** Physical address of the 4 KiB which the core sees at 0xFFFFF000 after reset. */
  readonly bootPage: number;
}

/** How a kernel is entered without firmware: ePAPR 1.1 section 5.4.1. */
export interface EpaprEntry {
  /** Where the device tree lies. */
  readonly dtb: number;
  readonly entry: number;
  /** Bytes which TLB1 maps from address 0 on: a power of 4, from 4 KiB to 1 GiB. */
  readonly mappedSize: number;
}

const epaprMagic = 0x4550_4150;
const resetVector = 0xffff_fffc | 0;

/** The e500mc front end: big-endian, 32 bits, one core. */
export class E500 implements FrontEnd {
  readonly name = "e500";
  readonly slots = s.engine;
  readonly common = common;
  readonly cells = wordsOf(s.slots);
  readonly wide = floatingState;
  readonly quick = quickFloating;
  readonly inside = insideFloating;
  readonly contained = { ...containedFloating, ...containedSystem };
  readonly ending = endingSystem;
  readonly alignment = 4;
  readonly helpers: Readonly<Record<string, Helper>>;
  readonly core: Core;
  readonly #timers: Timers;
  readonly #options: E500Options;
  readonly #acknowledge: () => number;

  constructor(options: E500Options) {
    this.#options = options;
    this.core = new Core(options.wires);
    this.core.wanted = () => this.attention;
    this.#timers = new Timers(this.core);
    this.#acknowledge = () => options.interrupts.acknowledge();
    this.helpers = systemHelpers(this.core, this.#timers, { pvr: pvrE500mc, svr: options.svr });
  }

  get fault(): object {
    return this.core.fault;
  }

  /** The TLBs, whose entries do not lie in the guest memory. */
  get tlb(): StateList {
    return this.core.tlb.state;
  }

  attach(engine: EngineServices): void {
    this.core.engine = engine;
    this.core.words = engine.words;
    this.reset();
  }

  /** As a hard reset leaves it. One entry maps the boot page. */
  reset(): void {
    this.core.reset(resetVector, this.#options.bootPage, size4K);
    this.#put(s.engine.pc, resetVector);
    this.#timers.reset();
  }

  /** The state in which ePAPR has a boot program start a kernel. Throws `RangeError` for a size that one TLB1 entry cannot map. */
  enterEpapr(to: EpaprEntry): void {
    const size = Math.log2(to.mappedSize / 1024) / 2;
    if (!Number.isInteger(size) || size < size4K || to.mappedSize > 2 ** 30)
      throw new RangeError(`no TLB entry maps ${to.mappedSize} bytes`);
    this.core.reset(0, 0, size);
    this.#put(s.engine.pc, to.entry);
    this.#put(s.gpr[1], 0x00ff_fff8);
    this.#put(s.gpr[3], to.dtb);
    this.#put(s.gpr[6], epaprMagic);
    this.#put(s.gpr[7], to.mappedSize);
    this.#timers.reset();
  }

  decode(bytes: Uint8Array, available: number, _pc: number, mode: number, into: Decoded): boolean {
    return decode(bytes, available, mode, into);
  }

  translate(address: number, access: Access, user: boolean, into: Translation): boolean {
    return translate(this.core, address, access, user, into);
  }

  deliverFault(): void {
    deliverFault(this.core);
  }

  get attention(): boolean {
    return pending(this.core, this.#options.interrupts.pending) >= 0;
  }

  service(): void {
    // Each interrupt that is taken masks its own class, so this ends.
    for (;;) {
      const ivor = pending(this.core, this.#options.interrupts.pending);
      if (ivor < 0) return;
      take(this.core, ivor, this.#acknowledge);
    }
  }

  get halted(): boolean {
    return this.core.get(s.halted) !== 0;
  }

  get window(): number {
    return stepping(this.core) ? 1 : Number.POSITIVE_INFINITY;
  }

  // --- the core's other inputs

  /** The timebase has reached what `Wires.setTimer` was given. */
  timer(): void {
    this.#timers.update();
  }

  /** The critical input, a level. */
  criticalInput(level: boolean): void {
    if ((this.core.get(s.criticalInput) !== 0) === level) return;
    this.#put(s.criticalInput, level ? 1 : 0);
    if (this.attention) this.core.engine.attention();
  }

  /** A machine check: bits for MCSR, and the address for MCAR. */
  machineCheck(bits: number, address = 0): void {
    const { core } = this;
    this.#put(s.spr.MCSR, core.get(s.spr.MCSR) | bits);
    this.#put(s.spr.MCAR, address | 0);
    this.#put(s.spr.MCARU, Math.floor(address / 2 ** 32));
    this.#put(s.machineCheck, 1);
    if (this.attention) core.engine.attention();
  }

  /** The state was put back: what follows from it is made again. */
  restored(): void {
    this.core.restored();
    this.#timers.restored();
  }

  #put(slot: Slot | undefined, value: number): void {
    this.core.set(slot as Slot, value);
  }
}

/** MAS1[TSIZE] of 4 KiB. */
const size4K = 1;
