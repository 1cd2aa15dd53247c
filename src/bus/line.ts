/** One interrupt wire, seen by the chip that drives it. A level is held until it is changed. */
export interface IrqLine {
  set(level: boolean): void;
}

/** A line that leads nowhere. */
export const unconnected: IrqLine = { set() {} };

/**
 * A wire which several chips pull: high while any of them does. This is how INTx lines are shared
 * (PCI 3.0 section 2.2.6, with the sense turned round: a level is true when asserted).
 */
export class SharedLine {
  readonly #out: IrqLine;
  #high = 0;

  constructor(out: IrqLine) {
    this.#out = out;
  }

  /** A new input of the wire. */
  input(): IrqLine {
    let level = false;
    return {
      set: (next) => {
        if (next === level) return;
        level = next;
        this.#high += next ? 1 : -1;
        this.#out.set(this.#high > 0);
      },
    };
  }
}

/** A line whose changes are seen by all of several: an ISA interrupt goes to the 8259 and to the IO-APIC. */
export function fanOut(...lines: readonly IrqLine[]): IrqLine {
  return {
    set: (level) => {
      for (const line of lines) line.set(level);
    },
  };
}

/** What is at the other end of a CPU's external interrupt pin. The CPU asks for the vector only when it takes the interrupt. */
export interface InterruptSource {
  /** Whether an interrupt waits for the CPU. */
  readonly pending: boolean;
  /** The interrupt acknowledge cycle: gives the vector and moves the request to in-service. */
  acknowledge(): number;
}
