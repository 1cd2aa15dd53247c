import { type Device, State } from "../bus/state.ts";
import type { BusTarget, Width } from "../bus/target.ts";

/** Who wants to see the accesses to a layout's registers: a checker of drivers. It may change nothing. */
export interface AccessObserver {
  /** After a read. */
  read(layout: string, offset: number, width: Width, value: number): void;
  /** Before a write is made. */
  write(layout: string, offset: number, width: Width, value: number): void;
  /** Before an access to configuration space; nothing is written by a read. */
  config(offset: number, width: Width, written: number | undefined): void;
  /** A message leaves. */
  message(): void;
}

/** What a driver reaches a function by: registers in I/O BARs and in memory BARs, configuration space, the MSI-X table. */
export const accessKinds = ["ports", "memory", "config", "table"] as const;
export type AccessKind = (typeof accessKinds)[number];
export type AccessCounts = Readonly<Record<AccessKind, number>>;

/**
 * What a transport costs, seen from the device's side of the bus: the argument between layouts in numbers.
 *
 * An access is one of the bus's, of whatever width; an access of 8 bytes is two. Kinds are those of PCI, so that what a PowerPC reaches by a
 * load counts as a port where the bridge makes an I/O cycle of it. All count from the last reset of the device on, messages, pins and doorbells from
 * the machine's.
 */
export class TransportCounts implements Device {
  readonly name: string;
  readonly state: State<Record<AccessKind | `setup_${AccessKind}` | "doorbells" | "messages" | "pins", number>>;
  /** Whether the driver has said that it is ready, asked after each write. */
  #ready: () => boolean = () => false;

  /** Sees every access to the registers of every layout, by its name. */
  observer: AccessObserver | undefined;

  constructor(name: string) {
    this.name = `${name}.counts`;
    this.state = new State(this.name, {
      ...{ ports: 0, memory: 0, config: 0, table: 0 },
      ...{ setup_ports: 0, setup_memory: 0, setup_config: 0, setup_table: 0 },
      ...{ doorbells: 0, messages: 0, pins: 0 },
    });
  }

  /** Accesses of each kind since the last reset of the device, the write which reset it included. */
  get accesses(): AccessCounts {
    const { ports, memory, config, table } = this.state.now;
    return { ports, memory, config, table };
  }

  /** The same up to the access which set DRIVER_OK; 0 until then. */
  get setupAccesses(): AccessCounts {
    const { setup_ports, setup_memory, setup_config, setup_table } = this.state.now;
    return { ports: setup_ports, memory: setup_memory, config: setup_config, table: setup_table };
  }

  /** Those of them which went to the layout's registers: the MSI-X table and configuration space are the same in every layout. */
  get setup(): number {
    return this.state.now.setup_ports + this.state.now.setup_memory;
  }

  /** Notifications which named a queue of the device, since the machine's reset. */
  get doorbells(): number {
    return this.state.now.doorbells;
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
    const { now } = this.state;
    now.ports = now.memory = now.config = now.table = 0;
    now.setup_ports = now.setup_memory = now.setup_config = now.setup_table = 0;
  }

  access(kind: AccessKind): void {
    this.state.now[kind]++;
  }

  doorbell(): void {
    this.state.now.doorbells++;
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
  counted(target: BusTarget, kind: "ports" | "memory", layout: string): BusTarget {
    const { now } = this.state;
    return {
      read: (offset: number, width: Width) => {
        now[kind]++;
        const value = target.read(offset, width);
        this.observer?.read(layout, offset, width, value);
        return value;
      },
      write: (offset: number, width: Width, value: number) => {
        this.observer?.write(layout, offset, width, value);
        target.write(offset, width, value);
        // After the write: one which resets the device is the first of the next set-up.
        now[kind]++;
        if (this.setup === 0 && this.#ready()) this.#settle();
      },
    };
  }

  #settle(): void {
    const { now } = this.state;
    now.setup_ports = now.ports;
    now.setup_memory = now.memory;
    now.setup_config = now.config;
    now.setup_table = now.table;
  }
}
