import { type Device, State } from "../bus/state.ts";
import type { BusTarget } from "../bus/target.ts";

/** Bytes of an entry: the address to go to, what its r3 will be, the processor's number (ePAPR 1.1 section 5.5.2). */
const entrySize = 32;
/** An address whose lowest bit is set holds the processor. */
const hold = 1;

/**
 * Where processors of an ePAPR system wait for an address to go to (ePAPR 1.1 section 5.5.2): plain big-endian words,
 * each entry holding its processor. Processor 0 starts by itself and never looks here, so a board of one processor just
 * keeps what is written.
 */
export class SpinTable implements Device {
  readonly name = "spin-table";
  readonly state: State<{ bytes: Uint8Array }>;
  readonly registers: BusTarget;
  readonly size: number;

  constructor(processors: number) {
    this.size = processors * entrySize;
    const bytes = new Uint8Array(this.size);
    const words = new DataView(bytes.buffer);
    for (let n = 0; n < processors; n++) {
      const at = n * entrySize;
      words.setUint32(at + 4, hold);
      words.setUint32(at + 12, n);
      words.setUint32(at + 20, n);
    }
    this.state = new State(this.name, { bytes });
    const { now } = this.state;
    this.registers = {
      read: (offset, width) => {
        let value = 0;
        for (let i = width - 1; i >= 0; i--) value = value * 256 + (now.bytes[offset + i] ?? 0);
        return value;
      },
      write: (offset, width, value) => {
        for (let i = 0; i < width && offset + i < now.bytes.length; i++) now.bytes[offset + i] = value >>> (8 * i);
      },
    };
  }

  reset(): void {
    this.state.reset();
  }
}
