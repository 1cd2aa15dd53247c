import { type Device, State } from "../bus/state.ts";
import type { BusTarget, Width } from "../bus/target.ts";

/** Who wants to see the accesses to a layout's registers: a checker of drivers. It may change nothing. */
export interface AccessObserver {
  /** After a read. */
  read(layout: string, offset: number, width: Width, value: number): void;
  /** Before a write is made. */
  write(layout: string, offset: number, width: Width, value: number): void;
}

/**
 * What a transport costs, seen from the device's side of the bus: the argument between layouts in numbers.
 *
 * An access is one of the bus's, of whatever width; an access of 8 bytes is two. Those to the MSI-X table and to configuration space are
 * not counted: they are the same in every layout.
 */
export class TransportCounts implements Device {
  readonly name: string;
  readonly state: State<{ accesses: number; setup: number; messages: number; pins: number }>;
  /** Whether the driver has said that it is ready, asked after each write. */
  #ready: () => boolean = () => false;

  /** Sees the accesses to those layouts which say their names. */
  observer: AccessObserver | undefined;

  constructor(name: string) {
    this.name = `${name}.counts`;
    this.state = new State(this.name, { accesses: 0, setup: 0, messages: 0, pins: 0 });
  }

  /** Accesses from the last reset of the device, the write which reset it included, to the one which set DRIVER_OK; 0 until then. */
  get setup(): number {
    return this.state.now.setup;
  }

  /** MSI-X messages which left the function since the machine's reset. */
  get messages(): number {
    return this.state.now.messages;
  }

  /** How often the function has asserted its interrupt pin since the machine's reset. */
  get pins(): number {
    return this.state.now.pins;
  }

  reset(): void {
    this.state.reset();
  }

  /** The driver has reset the device: its set-up begins. */
  begin(): void {
    this.state.now.accesses = 0;
    this.state.now.setup = 0;
  }

  message(): void {
    this.state.now.messages++;
  }

  pin(): void {
    this.state.now.pins++;
  }

  watch(ready: () => boolean): void {
    this.#ready = ready;
  }

  /** The same registers, counted. */
  counted(target: BusTarget, layout?: string): BusTarget {
    const { now } = this.state;
    return {
      read: (offset: number, width: Width) => {
        now.accesses++;
        const value = target.read(offset, width);
        if (layout !== undefined) this.observer?.read(layout, offset, width, value);
        return value;
      },
      write: (offset: number, width: Width, value: number) => {
        if (layout !== undefined) this.observer?.write(layout, offset, width, value);
        target.write(offset, width, value);
        // After the write: one which resets the device is the first of the next set-up.
        now.accesses++;
        if (now.setup === 0 && this.#ready()) now.setup = now.accesses;
      },
    };
  }
}
