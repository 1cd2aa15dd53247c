import { type Device, State } from "../../../bus/state.ts";
import { allOnes, type BusTarget, type Width } from "../../../bus/target.ts";
import type { Channel } from "../../../trace/trace.ts";

/** Where a legacy driver writes 0 to reset (virtio 1.2 section 4.1.4.10). */
const legacyStatus = 18;

/**
 * Rusty Russell's latch: the first access to a modern BAR puts the device into modern mode, and its legacy BAR goes dead.
 *
 * Reads count as much as writes; so does the window in configuration space, which accesses the BAR; sizing and decoding
 * do not (docs/overlay.md, D23). Back to legacy: a reset of the function, or the reset of a legacy driver, a byte of 0 to
 * its status; firmware which used the modern registers would otherwise leave nothing to a legacy kernel. A modern driver's
 * reset leaves modern mode on.
 */
export class ModernLatch implements Device {
  readonly name: string;
  readonly state: State<{ modern: boolean }>;
  readonly #trace: Channel;

  constructor(name: string, trace: Channel) {
    this.name = `${name}.latch`;
    this.#trace = trace;
    this.state = new State(this.name, { modern: false });
  }

  reset(): void {
    this.state.reset();
  }

  /** The modern BAR: whoever touches it sets the latch. */
  setting(target: BusTarget): BusTarget {
    return {
      read: (offset: number, width: Width) => {
        this.#set();
        return target.read(offset, width);
      },
      write: (offset: number, width: Width, value: number) => {
        this.#set();
        target.write(offset, width, value);
      },
    };
  }

  /** The legacy BAR: dead in modern mode, but for its reset. */
  gated(target: BusTarget): BusTarget {
    const now = this.state.now;
    return {
      read: (offset: number, width: Width) => (now.modern ? allOnes(width) : target.read(offset, width)),
      write: (offset: number, width: Width, value: number) => {
        if (now.modern && !(offset === legacyStatus && width === 1 && value === 0)) return;
        now.modern = false;
        target.write(offset, width, value);
      },
    };
  }

  #set(): void {
    const now = this.state.now;
    if (!now.modern && this.#trace.on) this.#trace.log(`${this.name}: modern mode from this access on`);
    now.modern = true;
  }
}
