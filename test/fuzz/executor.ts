import { type Device, type Fields, type FieldValue, State } from "../../src/bus/state.ts";
import type { Width } from "../../src/bus/target.ts";
import { Msix } from "../../src/pci/msix.ts";
import { VirtioCore } from "../../src/virtio/core.ts";
import { PackedQueue } from "../../src/virtio/queue/packed.ts";
import { SplitQueue } from "../../src/virtio/queue/split.ts";
import { findMessages, type Messages, type Placed } from "./drive.ts";
import { PermittedWrites } from "./permitted.ts";
import { type Script, step, stride } from "./script.ts";
import type { Form, Rig, Subject, Way } from "./subject.ts";

/** Writes by DMA in one step: more than this nobody needs for rings of eight. */
const mostWrites = 20_000;

/** Guest memory is put back in pieces of 512 bytes. */
const shift = 9;

/** What a device must do after its reset, by some registers: a script, the ring it uses, and the buffer that is written. */
export interface Probe {
  readonly script: Script;
  readonly ring: Placed;
  readonly at: number;
  readonly length: number;
}

/** Runs scripts on one device in one form, and watches what the device does to memory. */
export class Executor {
  readonly rig: Rig;
  /** Guest memory. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly probes = new Map<Way, Probe>();
  readonly messages: Messages;
  readonly bars: readonly { readonly index: number; readonly size: number }[];
  readonly #permitted: PermittedWrites;
  /** Configuration space as firmware leaves it. */
  readonly #config: Uint8Array;
  readonly #core: VirtioCore;
  /** Those whose reset is not the core's business. */
  readonly #others: readonly Device[];
  readonly #pristine: readonly Fields[];
  /** A byte for each so many: whether they may not be zero. */
  readonly #touched: Uint8Array;
  #fault: string | undefined;
  #writes = 0;
  /** Whether rings may say something else than when they were looked at. */
  #dirty = true;

  constructor(subject: Subject, form: Form) {
    const rig = subject.rig(form);
    const { bench, fn } = rig;
    this.rig = rig;
    this.messages = findMessages(fn);
    this.bars = fn.bars.map(({ index, size }) => ({ index, size }));
    this.#config = fn.state.now.config.slice();
    this.#core = fn.parts.find((part) => part instanceof VirtioCore) as VirtioCore;
    this.#pristine = this.#core.parts.map((part) => structuredClone(fieldsOf(part)));
    this.#others = fn.parts.filter((part) => part !== fn && part !== this.#core && !this.#core.parts.includes(part));
    this.bytes = bench.ram.contents();
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    this.#touched = new Uint8Array(this.bytes.length >>> shift);
    const queues = fn.parts.filter((part) => part instanceof SplitQueue || part instanceof PackedQueue);
    const table = fn.parts.find((part) => part instanceof Msix)?.state.now.table ?? new Uint32Array(0);
    this.#permitted = new PermittedWrites(this.view, queues, subject.statusLast, table);
    for (const [i, queue] of queues.entries()) {
      const start = queue.start.bind(queue);
      queue.start = (ring) => {
        this.#permitted.started(i);
        this.#dirty = true;
        return start(ring);
      };
    }
    // Every page counts as one with code: so the bus tells of each write of the device's.
    bench.guest.code.fill(1);
    const { base } = bench.ram.backing;
    bench.guest.onCodeWrite = (offset, length) => {
      this.#writes++;
      this.#touched.fill(1, (offset - base) >>> shift, ((offset - base + length - 1) >>> shift) + 1);
      this.#fault ??= this.#permitted.wrote(offset - base, length);
    };
  }

  /** The device as after power-on, guest memory and back end as at first. */
  restart(): void {
    const { bench, fn } = this.rig;
    this.rig.settle();
    this.#core.reset();
    for (const part of this.#others) part.reset();
    fn.state.now.config.set(this.#config);
    fn.state.now.interrupt = false;
    fn.restored();
    this.#clear(0, this.bytes.length);
    bench.messages.length = 0;
    bench.lines.length = 0;
    this.#fault = undefined;
    this.#permitted.clear();
  }

  /** Makes bytes of guest memory zero which may be something else. */
  #clear(start: number, end: number): void {
    const touched = this.#touched;
    const past = ((end - 1) >>> shift) + 1;
    for (
      let piece = touched.indexOf(1, start >>> shift);
      piece >= 0 && piece < past;
      piece = touched.indexOf(1, piece + 1)
    ) {
      const from = piece << shift;
      const whole = from >= start && from + (1 << shift) <= end;
      this.bytes.fill(0, Math.max(from, start), Math.min(from + (1 << shift), end));
      if (whole) touched[piece] = 0;
    }
  }

  /** A field of the device's which a reset by its driver has left otherwise than it was at first, or undefined. */
  leftOver(): string | undefined {
    const { parts } = this.#core;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as Device;
      const before = this.#pristine[i] as Fields;
      const after = fieldsOf(part);
      for (const field in before)
        if (!same(after[field], before[field])) return `${part.name}.${field} is ${after[field]}`;
    }
    return undefined;
  }

  /** The device's own memory of before is gone: what follows starts with nothing permitted. */
  forget(): void {
    this.#permitted.clear();
  }

  /** What was wrong, or undefined. Throws nothing that the device does not throw. */
  run(script: Script): string | undefined {
    const { bench, fn } = this.rig;
    const { steps, length } = script;
    const view = this.view;
    const touched = this.#touched;
    this.#dirty = true;
    this.#permitted.exact = script.exact;
    for (let i = 0; i < length; i += stride) {
      const a = steps[i + 1] as number;
      const b = steps[i + 2] as number;
      const c = steps[i + 3] as number;
      const d = steps[i + 4] as number;
      const code = steps[i] as number;
      if (code === step.put) {
        view.setUint32(a, b, c === 1);
        touched[a >>> shift] = 1;
        this.#dirty = true;
        continue;
      }
      if (code === step.put16) {
        view.setUint16(a, b, c === 1);
        touched[a >>> shift] = 1;
        this.#dirty = true;
        continue;
      }
      if (code === step.fill) {
        if (c === 0) this.#clear(a, a + b);
        else {
          this.bytes.fill(c, a, a + b);
          touched.fill(1, a >>> shift, ((a + b - 1) >>> shift) + 1);
        }
        this.#dirty = true;
        continue;
      }
      if (this.#dirty) {
        this.#permitted.scan();
        this.#dirty = false;
      }
      this.#writes = 0;
      switch (code) {
        case step.write:
          fn.writeBar(a, b, c as Width, d);
          break;
        case step.read: {
          const value = fn.readBar(a, b, c as Width);
          if (!(value >= 0 && value < 2 ** (8 * c))) this.#fault ??= `a read of ${c} bytes gives ${value}`;
          break;
        }
        case step.configWrite:
          fn.writeConfig(b, c as Width, d);
          break;
        case step.configRead:
          fn.readConfig(b, c as Width);
          break;
        case step.advance:
          bench.clock.advance(a);
          break;
        case step.event:
          this.rig.event(a, b);
          break;
      }
      if (this.#writes > mostWrites) this.#fault ??= `${this.#writes} writes by DMA in one step`;
      if (this.#writes > 0) this.#dirty = true;
      this.#fault ??= this.#permitted.check();
      if (this.#fault !== undefined) return `step ${i / stride}: ${this.#fault}`;
    }
    return undefined;
  }
}

/** Looked at as they are: to save them costs more than an execution. */
function fieldsOf({ name, state }: Device): Fields {
  if (!(state instanceof State)) throw new Error(`${name} has no plain state`);
  return state.now;
}

function same(a: FieldValue | undefined, b: FieldValue | undefined): boolean {
  if (typeof a !== "object" || typeof b !== "object") return a === b;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return a.length === b.length;
}
