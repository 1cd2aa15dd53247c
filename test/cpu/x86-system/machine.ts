import { GuestMemory } from "../../../src/bus/guest-memory.ts";
import { Ram } from "../../../src/bus/ram.ts";
import { AddressSpace } from "../../../src/bus/space.ts";
import { Flag } from "../../../src/cpu/x86/constants.ts";
import { X86 } from "../../../src/cpu/x86/cpu.ts";
import * as s from "../../../src/cpu/x86/slots.ts";
import { Engine, engineMemory } from "../../../src/engine/engine.ts";
import type { Slot } from "../../../src/ir/slots.ts";
import { Trace } from "../../../src/trace/trace.ts";

/** Where things lie in the machine's 4 MiB. */
export const at = {
  idt: 0x1000,
  gdt: 0x2000,
  handlers: 0x3000,
  tables: 0x4000,
  code: 0x10000,
  data: 0x20000,
  stack: 0x30000,
};

const arenaSize = 1 << 20;

/** A processor with RAM, a clock that stands, and an interrupt pin which the test pulls. Everything runs in ring 0, flat, unless a test says else. */
export class SystemMachine {
  readonly front: X86;
  readonly engine: Engine;
  readonly ram: Ram;
  readonly reports: string[] = [];
  /** Whether INTR is up; the vector it has. */
  interrupt: number | undefined;
  timestamp = 0;
  shutdowns = 0;

  constructor(model = "p6-nx") {
    const size = 4 << 20;
    const pin = { machine: this as SystemMachine };
    this.front = new X86({
      model,
      wires: {
        readPort: () => 0xff,
        writePort: () => {},
        timestamp: () => this.timestamp,
        apicBase: () => 0xfee0_0900,
        setApicBase: () => {},
        shutdown: () => {
          this.shutdowns++;
        },
        report: (_key, text) => this.reports.push(text),
        exceptions: new Trace().channel("exception"),
        irq: new Trace().channel("irq"),
      },
      interrupts: {
        get pending() {
          return pin.machine.interrupt !== undefined;
        },
        acknowledge: () => {
          const vector = this.interrupt ?? 0;
          this.interrupt = undefined;
          return vector;
        },
      },
    });
    const guest = new GuestMemory(size + engineMemory({ arenaSize }) + 65536);
    const space = new AddressSpace("memory", 2 ** 36);
    this.engine = new Engine(guest, space, this.front, { arenaSize });
    this.ram = new Ram(guest, "ram", size);
    space.map(0, size, this.ram, { name: "ram", priority: 100 });
    this.#tables();
  }

  get(slot: Slot | undefined): number {
    if (slot === undefined) throw new Error("no such slot");
    return this.front.core.get(slot);
  }

  set(slot: Slot | undefined, value: number): void {
    if (slot === undefined) throw new Error("no such slot");
    this.front.core.set(slot, value);
  }

  get eip(): number {
    return this.get(s.engine.pc);
  }

  get flags(): number {
    return this.front.core.flags;
  }

  write(address: number, ...bytes: number[]): void {
    for (const [k, byte] of bytes.entries()) this.ram.write(address + k, 1, byte);
  }

  write32(address: number, value: number): void {
    this.ram.write(address, 4, value >>> 0);
  }

  read32(address: number): number {
    return this.ram.read(address, 4);
  }

  /** Puts code at `at.code` and EIP there. */
  start(...bytes: number[]): void {
    this.write(at.code, ...bytes);
    this.set(s.engine.pc, at.code);
  }

  /** Begins so many instructions, one run each, as a debugger would. */
  step(count = 1): void {
    for (let k = 0; k < count; k++) this.engine.run(1);
  }

  /** Where the handler of a vector begins: it is IRET. */
  handler(vector: number): number {
    return at.handlers + vector * 4;
  }

  #tables(): void {
    const { core } = this.front;
    for (let vector = 0; vector < 256; vector++) {
      this.write32(at.idt + vector * 8, (8 << 16) | this.handler(vector));
      this.write32(at.idt + vector * 8 + 4, 0x8e00);
      this.write(this.handler(vector), 0xcf);
    }
    this.write32(at.gdt + 8, 0xffff);
    this.write32(at.gdt + 12, 0x00cf_9b00);
    this.write32(at.gdt + 16, 0xffff);
    this.write32(at.gdt + 20, 0x00cf_9300);
    this.set(s.gdtrBase, at.gdt);
    this.set(s.gdtrLimit, 0x7f);
    this.set(s.idtrBase, at.idt);
    this.set(s.idtrLimit, 0x7ff);
    this.set(s.cr0, 0x11);
    for (let n = 0; n < 6; n++) {
      this.set(s.selector[n], n === s.segment.cs ? 8 : 16);
      this.set(s.base[n], 0);
      this.set(s.limit[n], -1);
      this.set(s.rights[n], n === s.segment.cs ? 0xc0_9b00 : 0xc0_9300);
    }
    this.set(s.esp, at.stack);
    core.setFlags(Flag.one, -1);
    core.setCpl(0);
    core.updateMode();
  }
}
