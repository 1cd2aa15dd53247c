import { PciFunction } from "./function.ts";
import { status } from "./registers.ts";

/** A stretch below 1 MiB whose reads and writes go to RAM or to what lies under it. */
export interface PamSegment {
  readonly base: number;
  readonly size: number;
}

/** Where the PAM registers are, and their reset value: nothing goes to RAM (82441FX, PAM[6:0]). */
const pam0 = 0x59;
const pamCount = 7;
const smram = 0x72;

/** The 13 segments. The first has a register's upper half to itself; the others take halves in order of address. */
export const pamSegments: readonly PamSegment[] = [
  { base: 0xf0000, size: 0x10000 },
  ...Array.from({ length: 12 }, (_, i) => ({ base: 0xc0000 + i * 0x4000, size: 0x4000 })),
];

/**
 * The i440FX host bridge, 8086:1237 (82441FX PCI and memory controller).
 *
 * Of its own registers the PAM and SMRAM registers are here. There is no system management mode, so SMRAM
 * only keeps what is written.
 */
export class I440fx {
  readonly function: PciFunction;
  readonly #changed: (segment: PamSegment, readRam: boolean, writeRam: boolean) => void;
  /** The attributes told last, 2 bits a segment. */
  readonly #told = new Uint8Array(pamSegments.length);

  /** @param changed tells where reads and where writes of a segment go from now on; all go past RAM after reset. */
  constructor(changed: (segment: PamSegment, readRam: boolean, writeRam: boolean) => void) {
    this.#changed = changed;
    this.function = new PciFunction("i440fx", {
      vendor: 0x8086,
      device: 0x1237,
      revision: 2,
      class: 0x060000,
      // Memory and bus master are hard-wired; SERR and parity may be set.
      command: { initial: 0x0006, writable: 0x0140 },
      status: status.devselMedium | status.fastBackToBack,
    });
    // Read and write enable of each half; PAM0 has only the upper one.
    const writable = new Uint8Array(pamCount).fill(0x33);
    writable[0] = 0x30;
    const tell = () => this.#tell();
    this.function.addRegisters(pam0, new Uint8Array(pamCount), writable, { afterWrite: tell, loaded: tell });
    // The low bits say that SMRAM is at 0xA0000.
    this.function.addRegisters(smram, Uint8Array.of(0x02), Uint8Array.of(0x78));
  }

  #tell(): void {
    for (const [i, segment] of pamSegments.entries()) {
      const register = this.function.peek(pam0 + ((i + 1) >>> 1), 1);
      const attributes = (i & 1 ? register : register >>> 4) & 3;
      if (attributes === this.#told[i]) continue;
      this.#told[i] = attributes;
      this.#changed(segment, (attributes & 1) !== 0, (attributes & 2) !== 0);
    }
  }
}
