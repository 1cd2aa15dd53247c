import { type Device, State } from "../bus/state.ts";
import type { BusTarget } from "../bus/target.ts";
import type { Channel } from "../trace/trace.ts";
import { bigEndianWords } from "./big-endian-words.ts";

export interface GutsWires {
  /** The processor's version, as its SPR has it, and the system's. */
  readonly pvr: number;
  readonly svr: number;
  /** The guest asked for a reset of the machine. */
  readonly reset: () => void;
  readonly trace: Channel;
}

const pvrRegister = 0xa0;
const svrRegister = 0xa4;
const rstcr = 0xb0;
/** HRESET_REQ. */
const hardReset = 0x02;

/** The global utilities of ppce500, as far as versions and reset (MPC8544E reference manual chapter 20). `registers` is 4 KiB, big-endian. */
export class Guts implements Device {
  readonly name = "guts";
  readonly state = new State("guts", {});
  readonly registers: BusTarget;

  constructor(wires: GutsWires) {
    const missing = (what: string, offset: number) =>
      wires.trace.once(
        `${what} ${offset}`,
        `guts: ${what} of register 0x${offset.toString(16)}, which is not implemented`,
      );
    this.registers = bigEndianWords(
      "guts",
      wires.trace,
      (offset) => {
        if (offset === pvrRegister) return wires.pvr;
        if (offset === svrRegister) return wires.svr;
        if (offset !== rstcr) missing("read", offset);
        return 0;
      },
      (offset, value) => {
        if (offset !== rstcr) missing("write", offset);
        else if ((value & hardReset) !== 0) wires.reset();
      },
    );
  }

  reset(): void {}
}
