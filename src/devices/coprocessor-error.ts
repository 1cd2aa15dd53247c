import type { IrqLine } from "../bus/line.ts";
import { type Device, State } from "../bus/state.ts";
import type { BusTarget } from "../bus/target.ts";
import { byteWide } from "./byte-wide.ts";

/**
 * How a PC tells of x87 exceptions where CR0.NE is 0 (82371SB data sheet, register F0h; SDM vol. 1 appendix D): FERR# going
 * up raises IRQ 13, which stays until port 0xf0 is written. That also asserts IGNNE#, until FERR# goes down: the handler can use
 * the x87 while its exception waits. Reads as 0xff.
 */
export class CoprocessorError implements Device {
  readonly name = "coprocessor-error";
  readonly state = new State("coprocessor-error", { ferr: 0, irq: 0, ignne: 0 });
  readonly registers: BusTarget;
  readonly #irq: IrqLine;

  constructor(wires: { readonly irq: IrqLine }) {
    this.#irq = wires.irq;
    const s = this.state.now;
    this.registers = byteWide(
      1,
      () => 0xff,
      () => {
        s.ignne = s.ferr;
        s.irq = 0;
        this.#irq.set(false);
      },
    );
  }

  /** The level of FERR#, 1 asserted; gives that of IGNNE#. */
  ferr(level: 0 | 1): 0 | 1 {
    const s = this.state.now;
    if (level === 0) s.ignne = 0;
    else if (s.ferr === 0) {
      s.irq = 1;
      this.#irq.set(true);
    }
    s.ferr = level;
    return s.ignne === 0 ? 0 : 1;
  }

  reset(): void {
    this.state.reset();
    this.#irq.set(false);
  }

  restored(): void {
    this.#irq.set(this.state.now.irq !== 0);
  }
}
