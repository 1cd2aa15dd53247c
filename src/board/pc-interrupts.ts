import { fanOut, type InterruptSource, type IrqLine, SharedLine } from "../bus/line.ts";
import type { AddressSpace } from "../bus/space.ts";
import type { Device } from "../bus/state.ts";
import { I8259Pair } from "../devices/i8259.ts";
import { IoApic } from "../devices/ioapic.ts";
import { Lapic, lapicBase } from "../devices/lapic/lapic.ts";
import type { Clock } from "../time/clock.ts";
import type { Trace } from "../trace/trace.ts";
import { priority } from "./common.ts";
import { findDevice } from "./find-device.ts";
import { MachineError } from "./options.ts";
import type { PcSpec } from "./spec.ts";

export interface InterruptWires {
  readonly memory: AddressSpace;
  readonly ports: AddressSpace;
  readonly clock: Clock;
  readonly trace: Trace;
  /** The processor's interrupt pin changed. */
  attention(): void;
  nmi(): void;
  reset(why: string): void;
}

/** The 8259s, the local APIC in front of them, the IO-APIC beside them, and the sixteen ISA lines which lead to both. */
export class PcInterrupts implements InterruptSource {
  readonly lapic: Lapic;
  readonly devices: readonly Device[];
  /** Interrupts which the processor has taken. */
  taken = 0;
  readonly #isa: readonly SharedLine[];

  constructor(spec: PcSpec, wires: InterruptWires) {
    const { memory, ports } = wires;
    const trace = wires.trace.channel("irq");
    const picSpec = findDevice(spec, "i8259");
    const ioApicSpec = findDevice(spec, "ioapic");
    const lapicSpec = findDevice(spec, "lapic");
    const timer = findDevice(spec, "i8254");
    if (lapicSpec.address !== lapicBase || lapicSpec.id !== 0)
      throw new MachineError(`machine ${spec.name}: the local APIC of a PC is number 0 at 0x${lapicBase.toString(16)}`);
    if (picSpec.cascade !== 2) throw new MachineError(`machine ${spec.name}: the second 8259 of a PC hangs on line 2`);

    const pic = new I8259Pair({ intr: { set: (level) => lapic.lint0.set(level) }, trace });
    const lapic: Lapic = new Lapic({
      clock: wires.clock,
      busFrequency: lapicSpec.clock,
      pic,
      intr: { set: () => wires.attention() },
      nmi: () => wires.nmi(),
      init: () => wires.reset("an INIT message"),
      startUp: (page) => trace.once("start-up", `a start-up message for page ${page}: there is no second processor`),
      endOfInterrupt: (vector) => ioApic.endOfInterrupt(vector),
      moved: (base, enabled) => registers.update({ base, enabled }),
      trace,
    });
    const ioApic = new IoApic({
      deliver: (destination, logical, mode, vector, level) => lapic.deliver(destination, logical, mode, vector, level),
      trace,
    });
    const chip = (name: string) => ({ name, priority: priority.chip });
    const registers = memory.map(lapicBase, 4096, lapic.registers, chip("lapic"));
    memory.map(lapicBase, lapicSpec.size, lapic.messages, { name: "lapic messages", priority: priority.message });
    memory.map(ioApicSpec.address, 4096, ioApic.registers, chip("ioapic"));
    ports.map(picSpec.master, 2, pic.master, chip("i8259"));
    ports.map(picSpec.slave, 2, pic.slave, chip("i8259"));
    ports.map(picSpec.elcr, 2, pic.edgeLevel, chip("elcr"));

    this.lapic = lapic;
    this.devices = [pic, ioApic, lapic];
    this.#isa = Array.from({ length: 16 }, (_, irq) => {
      if (irq === picSpec.cascade) return new SharedLine({ set() {} });
      // The cascade's input of the IO-APIC is free, and has the timer.
      const pin = irq === timer.irq ? picSpec.cascade : irq;
      return new SharedLine(fanOut(pic.input(irq), ioApic.input(pin)));
    });
  }

  /** A new input of an ISA interrupt. */
  isa(irq: number): IrqLine {
    const line = this.#isa[irq];
    if (line === undefined) throw new MachineError(`there is no ISA interrupt ${irq}`);
    return line.input();
  }

  get pending(): boolean {
    return this.lapic.pending;
  }

  acknowledge(): number {
    this.taken++;
    return this.lapic.acknowledge();
  }
}
