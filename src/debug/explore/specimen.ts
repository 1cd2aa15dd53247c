import { MemoryBlock } from "../../backend/memory-block.ts";
import type { Fields, FieldValue, State } from "../../bus/state.ts";
import type { Width } from "../../bus/target.ts";
import type { PciFunction } from "../../pci/function.ts";
import { capability, header } from "../../pci/registers.ts";
import { ManualClock } from "../../time/clock.ts";
import { Trace } from "../../trace/trace.ts";
import { Blk } from "../../virtio/device/blk/blk.ts";
import { createVirtioPci, type VirtioPciOptions } from "../../virtio/pci.ts";

/** All fields of a specimen, in the order of its parts. */
export type Snapshot = readonly FieldValue[];

interface Field {
  readonly part: string;
  readonly name: string;
  readonly of: Fields;
  /** Which part, by number. */
  readonly owner: number;
}

const msixEnable = 0x8000;

/**
 * A disk as a PCI function which stands alone, for somebody who wants to meet all of its states: its registers are read and written as the bus
 * would, what it does is what its own trace says, and any state can be gone back to.
 */
export class Specimen {
  readonly fn: PciFunction;
  readonly name = "disk";
  readonly queueSize: number;
  readonly #fields: readonly Field[];
  /** What each part computes from its fields, and which of them need it now. */
  readonly #restored: readonly (() => void)[];
  readonly #stale: boolean[];
  /** After reset. */
  readonly #initial: Snapshot;
  /** The first queue, of split rings. */
  readonly #queue: Fields;
  readonly #control: number;
  readonly #lines: string[] = [];

  constructor(options: Pick<VirtioPciOptions, "layout" | "space" | "withheld">, queueSize = 16) {
    const trace = new Trace();
    trace.sink = ({ text }) => this.#lines.push(text);
    trace.enable("specimen");
    const channel = trace.channel("specimen");
    const clock = new ManualClock();
    this.queueSize = queueSize;
    const blk = new Blk(this.name, {
      disk: new MemoryBlock(new Uint8Array(64 * 512)),
      clock,
      trace: channel,
      queueSize,
    });
    this.fn = createVirtioPci(blk, { ...options, clock, trace: channel });
    // Configuration space is behind the MSI-X enable bit alone, and counts are no state of the device.
    const parts = this.fn.parts.filter((part) => part !== this.fn && !part.name.endsWith(".counts"));
    this.#fields = parts.flatMap((part, owner) => {
      const of = (part.state as State<Fields>).now;
      return Object.keys(of).map((name) => ({ part: part.name, name, of, owner }));
    });
    this.#queue = this.#find(".queue0", "descriptorArea")?.of ?? {};
    this.#restored = parts.map((part) => () => part.restored?.());
    this.#stale = parts.map(() => false);
    this.#control = this.#findCapability(capability.msix) + 2;
    this.#initial = this.save();
  }

  /** The layout's BARs, without the one of the MSI-X table. */
  get bars(): readonly number[] {
    const table = this.fn.peek(this.#control + 2, 4) & 7;
    return this.fn.bars.map(({ index }) => index).filter((index) => index !== table);
  }

  get msix(): boolean {
    return (this.fn.peek(this.#control, 2) & msixEnable) !== 0;
  }

  set msix(on: boolean) {
    if (on !== this.msix) this.fn.writeConfig(this.#control, 2, on ? msixEnable : 0);
  }

  read(bar: number, offset: number, width: Width): number {
    return this.fn.readBar(bar, offset, width);
  }

  write(bar: number, offset: number, width: Width, value: number): void {
    this.fn.writeBar(bar, offset, width, value);
  }

  /** What the device has said since it was asked last. */
  said(): readonly string[] {
    return this.#lines.splice(0);
  }

  save(): Snapshot {
    const values: FieldValue[] = [this.msix];
    for (const { of, name } of this.#fields) {
      const value = of[name] as FieldValue;
      values.push(typeof value === "object" ? value.slice() : value);
    }
    return values;
  }

  /** Only what differs is put back: this is done millions of times. */
  restore(snapshot: Snapshot): void {
    this.msix = snapshot[0] as boolean;
    this.#stale.fill(false);
    for (let i = 0; i < this.#fields.length; i++) {
      const { of, name, owner } = this.#fields[i] as Field;
      const value = snapshot[i + 1] as FieldValue;
      const now = of[name] as FieldValue;
      if (same(now, value)) continue;
      if (typeof now === "object") now.set(value as Uint8Array);
      else of[name] = value;
      this.#stale[owner] = true;
    }
    for (let owner = 0; owner < this.#restored.length; owner++) if (this.#stale[owner]) this.#restored[owner]?.();
    this.#lines.length = 0;
  }

  /** The same state has the same key: all fields which are not as after reset. */
  key(): string {
    let key = this.msix ? "m" : "";
    for (let i = 0; i < this.#fields.length; i++) {
      const { of, name } = this.#fields[i] as Field;
      const now = of[name] as FieldValue;
      if (!same(now, this.#initial[i + 1] as FieldValue)) key += `,${i}=${now}`;
    }
    return key;
  }

  /** A named field, of the part whose name ends so; undefined where there is none. */
  field(part: string, name: string): FieldValue | undefined {
    return this.#find(part, name)?.of[name];
  }

  /** Puts a number into a field, or into the first place of one that is a list, past every register. False where there is no such field. */
  poke(part: string, name: string, value: number): boolean {
    const found = this.#find(part, name);
    if (found === undefined) return false;
    const old = found.of[name];
    if (typeof old === "object") old[0] = value;
    else found.of[name] = value;
    return true;
  }

  /** The first queue as the device has it: its size and where its parts are, or undefined while it has none. */
  get ring(): { readonly size: number; readonly areas: readonly [number, number, number] } | undefined {
    const { enabled, size, descriptorArea, driverArea, deviceArea } = this.#queue;
    if (enabled !== true) return undefined;
    return { size: Number(size), areas: [Number(descriptorArea), Number(driverArea), Number(deviceArea)] };
  }

  #find(part: string, name: string): Field | undefined {
    return this.#fields.find((field) => field.name === name && field.part.endsWith(part));
  }

  #findCapability(id: number): number {
    for (let at = this.fn.peek(header.capabilities, 1); at !== 0; at = this.fn.peek(at + 1, 1))
      if (this.fn.peek(at, 1) === id) return at;
    throw new Error(`${this.name} has no capability ${id}`);
  }
}

function same(a: FieldValue, b: FieldValue): boolean {
  if (typeof a !== "object" || typeof b !== "object") return a === b;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
