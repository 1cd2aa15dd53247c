import { type Device, State } from "../bus/state.ts";
import type { BusTarget } from "../bus/target.ts";
import { byteWide } from "./byte-wide.ts";

/**
 * Port 0x92 of a PC: bit 0 going up resets the CPU, bit 1 is the A20 gate, which is always on here.
 * The other bits keep what is written.
 */
export class SystemControlPortA implements Device {
  readonly name = "port92";
  readonly state = new State("port92", { value: 0 });
  readonly registers: BusTarget;

  constructor(wires: { readonly reset: () => void }) {
    const s = this.state.now;
    this.registers = byteWide(
      1,
      () => s.value | 0x02,
      (_, byte) => {
        const rises = (byte & ~s.value & 1) !== 0;
        s.value = byte;
        if (rises) wires.reset();
      },
    );
  }

  reset(): void {
    this.state.reset();
  }
}

/**
 * The reset control register of PIIX, port 0xcf9 (82371SB data sheet section 2.5.5): bit 2 going up resets, hard
 * where bit 1 is set. Both are the same here: a reset of the machine.
 */
export class ResetControl implements Device {
  readonly name = "reset-control";
  readonly state = new State("reset-control", { value: 0 });
  readonly registers: BusTarget;

  constructor(wires: { readonly reset: () => void }) {
    const s = this.state.now;
    this.registers = byteWide(
      1,
      () => s.value,
      (_, byte) => {
        const rises = (byte & ~s.value & 0x04) !== 0;
        s.value = byte & 0x06;
        if (rises) wires.reset();
      },
    );
  }

  reset(): void {
    this.state.reset();
  }
}
