import { type IrqLine, SharedLine } from "../bus/line.ts";
import { PciFunction } from "./function.ts";
import { status } from "./registers.ts";

/** PIRQRC[A:D] of the 82371SB: bit 7 set is not routed, the low four bits name the ISA interrupt. */
const pirqrc = 0x60;
const notRouted = 0x80;

/** The ISA interrupts which a PIRQ may go to: not the timer, keyboard, cascade, clock and coprocessor. */
const routable = 0b1101_1110_1111_1000;

/**
 * Which PIRQ, 0 to 3 for A to D, a slot's interrupt pin is wired to on a PC's board: each slot is turned by one.
 * @param pin 1 to 4 as in the interrupt pin register. ACPI's _PRT counts pins from 0.
 */
export function pirqOf(slot: number, pin: number): number {
  return (slot + pin + 2) & 3;
}

/**
 * The PIIX3 ISA bridge, 8086:7000 (82371SB), as far as it routes PCI interrupts: PIRQA# to PIRQD# to ISA
 * interrupts, level-triggered. Several PIRQs may share one; the interrupt is high while any of them is.
 */
export class Piix3 {
  readonly function: PciFunction;
  readonly #irqs: readonly IrqLine[];
  readonly #pirqs: readonly SharedLine[];
  /** Which PIRQs are high and which interrupts are driven, a bit each. Both follow from the functions' levels. */
  #high = 0;
  #driven = 0;

  /** @param irq an input of ISA interrupt 0 to 15, which leads to the 8259s and to the IO-APIC pin of the same number. */
  constructor(irq: (number: number) => IrqLine) {
    this.#irqs = Array.from({ length: 16 }, (_, number) => irq(number));
    this.#pirqs = Array.from({ length: 4 }, (_, pirq) => new SharedLine({ set: (level) => this.#set(pirq, level) }));
    this.function = new PciFunction("piix3", {
      vendor: 0x8086,
      device: 0x7000,
      revision: 0,
      class: 0x060100,
      // I/O, memory and bus master are hard-wired; special cycles may be enabled.
      command: { initial: 0x0007, writable: 0x0008 },
      status: status.devselMedium | status.fastBackToBack,
    });
    const route = () => this.#route();
    this.function.addRegisters(pirqrc, new Uint8Array(4).fill(notRouted), new Uint8Array(4).fill(0x8f), {
      afterWrite: route,
      loaded: route,
    });
  }

  /** A new input of the PIRQ which a slot's pin, 1 to 4, is wired to. */
  intx(slot: number, pin: number): IrqLine {
    return (this.#pirqs[pirqOf(slot, pin)] as SharedLine).input();
  }

  #set(pirq: number, level: boolean): void {
    this.#high = level ? this.#high | (1 << pirq) : this.#high & ~(1 << pirq);
    this.#route();
  }

  #route(): void {
    let driven = 0;
    for (let pirq = 0; pirq < 4; pirq++) {
      const register = this.function.peek(pirqrc + pirq, 1);
      if ((this.#high & (1 << pirq)) !== 0 && (register & notRouted) === 0) driven |= 1 << (register & 15);
    }
    driven &= routable;
    const changed = driven ^ this.#driven;
    this.#driven = driven;
    for (let irq = 0; changed >>> irq !== 0; irq++)
      if ((changed & (1 << irq)) !== 0) (this.#irqs[irq] as IrqLine).set((driven & (1 << irq)) !== 0);
  }
}
