import { PciFunction } from "./function.ts";
import { status } from "./registers.ts";

/** PMBASE: bits 15:6 are the base of 64 ports, bit 0 says that they are ports (82371AB, function 3). */
const pmbase = 0x40;
/** DEVACTB: bit 25 has a write of the SMI command port raise an SMI (82371AB, function 3). */
const deviceActivityB = 0x58;
/** PMREGMISC: bit 0 decodes them. */
const pmregmisc = 0x80;

/**
 * The PIIX4 power management function, 8086:7113 (82371AB function 3), as far as it says where the ACPI registers
 * are. Its SCI is ISA interrupt 9 by wire, whatever its interrupt line register says; the block drives it.
 */
export class Piix4Pm {
  readonly function: PciFunction;
  readonly #position: (base: number, enabled: boolean) => void;
  #told = 0;

  /** @param position tells where the 64 ports of the power management block are and whether they are decoded. */
  constructor(position: (base: number, enabled: boolean) => void) {
    this.#position = position;
    this.function = new PciFunction("piix4-pm", {
      vendor: 0x8086,
      device: 0x7113,
      revision: 3,
      class: 0x068000,
      interruptPin: 1,
      command: { initial: 0, writable: 0x0001 },
      status: status.devselMedium | status.fastBackToBack,
    });
    const tell = () => this.#tell();
    const hooks = { afterWrite: tell, loaded: tell };
    this.function.addRegisters(pmbase, Uint8Array.of(1, 0, 0, 0), Uint8Array.of(0xc0, 0xff, 0, 0), hooks);
    // There is no SMM here: what stands for its handler is there from the start, so the bit is set, and a firmware which finds it
    // set puts no handler of its own in place and does not wait for one.
    this.function.addRegisters(deviceActivityB, Uint8Array.of(0, 0, 0, 2), Uint8Array.of(0xff, 0xff, 0xff, 0xff));
    this.function.addRegisters(pmregmisc, Uint8Array.of(0), Uint8Array.of(1), hooks);
  }

  #tell(): void {
    const base = this.function.peek(pmbase, 4) & 0xffc0;
    const enabled = (this.function.peek(pmregmisc, 1) & 1) !== 0;
    const now = base + (enabled ? 1 : 0);
    if (now === this.#told) return;
    this.#told = now;
    this.#position(base, enabled);
  }
}
