import { GuestMemory } from "../../src/bus/guest-memory.ts";
import type { InterruptSource } from "../../src/bus/line.ts";
import { Ram } from "../../src/bus/ram.ts";
import { AddressSpace } from "../../src/bus/space.ts";
import { X86 } from "../../src/cpu/x86/cpu.ts";
import * as s from "../../src/cpu/x86/slots.ts";
import { Engine, engineMemory } from "../../src/engine/engine.ts";
import type { Background } from "../../src/engine/region/background.ts";
import { Builder } from "../../src/ir/builder.ts";
import { evaluate } from "../../src/ir/evaluate.ts";
import { Access, Decoded, type EngineServices, Fields, type Form, Translation } from "../../src/ir/frontend.ts";
import { type Block, Status } from "../../src/ir/node.ts";
import { type Slot, stateSize } from "../../src/ir/slots.ts";
import { Trace } from "../../src/trace/trace.ts";

/**
 * An x86 with nothing around it, on the evaluator or on the engine: the front end is the real one, so both decode, walk pages and call helpers
 * alike, and differ in who executes the IR.
 */
export interface BareX86 {
  readonly front: X86;
  readonly words: Int32Array;
  /** Physical memory, to be read only. */
  readonly bytes: Uint8Array;
  /** And a byte of it. */
  read(address: number): number;
  write(address: number, byte: number): void;
  load(address: number, bytes: Uint8Array): void;
  /** Begins at most so many instructions. */
  run(limit: number): void;
  /** The engine, where there is one. */
  readonly onEngine?: Engine;
}

/** `regions`: every instruction is translated the first time it is come to by a jump. */
export type Executor = "evaluator" | "interpreter" | "regions";

/** A fault is left in the state and stops the run, when this is set. */
export interface BareOptions {
  /** Bytes; 2 MiB when left out, so that all of real mode's addresses are there. */
  readonly memory?: number;
  /** Exceptions and INT3 stop the run instead of being delivered. */
  readonly stopAtExceptions?: boolean;
  readonly model?: string;
  /** Jumps to a place before it is translated, where regions are made; 1 when left out. */
  readonly threshold?: number;
  /** Instructions for which a page's code is new; 0 when left out. */
  readonly newFor?: number;
  /** Instructions before the interpreter has sequences; 0 when left out. */
  readonly sequencesAfter?: number;
  readonly interrupts?: InterruptSource;
  /** What makes regions, when they are not to be made at once. */
  readonly background?: Background;
  readonly readPort?: (port: number, width: number) => number;
  readonly coprocessorError?: (level: 0 | 1) => 0 | 1;
  readonly writePort?: (port: number, width: number, value: number) => void;
}

class Front extends X86 {
  readonly stops: boolean;
  /** The exception that stopped the run. */
  stoppedBy: number | undefined;

  constructor(options: BareOptions) {
    super({
      ...(options.model === undefined ? {} : { model: options.model }),
      wires: {
        readPort: (port, width) => options.readPort?.(port, width) ?? 2 ** (8 * width) - 1,
        writePort: (port, width, value) => options.writePort?.(port, width, value),
        timestamp: () => 0,
        ...(options.coprocessorError === undefined ? {} : { coprocessorError: options.coprocessorError }),
        apicBase: () => 0,
        setApicBase: () => {},
        shutdown: () => {},
        report: () => {},
        exceptions: new Trace().channel("exception"),
        irq: new Trace().channel("irq"),
      },
      interrupts: options.interrupts ?? { pending: false, acknowledge: () => 0 },
    });
    this.stops = options.stopAtExceptions ?? false;
    if (!this.stops) return;
    const stop = (vector: number) => () => {
      this.stoppedBy = vector;
      this.core.engine.stop();
      return Status.leave;
    };
    const { interrupt } = this.helpers;
    Object.assign(this.helpers, {
      breakpoint: stop(3),
      overflow: stop(4),
      debugTrap: stop(1),
      // The vectors which a program may use; with others it is refused by their gates, which have to be there.
      interrupt: (vector: number, next: number) =>
        vector === 3 || vector === 4 ? stop(vector)() : (interrupt?.(vector, next, 0, 0) ?? Status.leave),
    });
  }

  override deliverFault(): void {
    if (!this.stops || this.core.frozen) {
      super.deliverFault();
      return;
    }
    this.stoppedBy = this.core.get(s.faultVector);
    this.core.engine.stop();
  }
}

/** The vector of the exception that stopped the last run, if one did. */
export function stoppedBy(machine: BareX86): number | undefined {
  return (machine.front as Front).stoppedBy;
}

export function resume(machine: BareX86): void {
  (machine.front as Front).stoppedBy = undefined;
}

export function bareX86(executor: Executor, options: BareOptions = {}): BareX86 {
  const front = new Front(options);
  const size = options.memory ?? 2 << 20;
  return executor === "evaluator" ? new OnEvaluator(front, size) : onEngine(front, size, executor, options);
}

function onEngine(
  front: X86,
  size: number,
  executor: "interpreter" | "regions",
  { threshold = 1, newFor = 0, background, sequencesAfter = 0 }: BareOptions,
): BareX86 {
  const guest = new GuestMemory(size + stateSize + engineMemory() + 65536);
  // The state comes first in the guest memory, which is the engine's to lay out.
  const space = new AddressSpace("memory", 2 ** 32);
  const engineOptions = executor === "regions" ? { threshold, newFor, background } : { executor: "interp" as const };
  const engine = new Engine(guest, space, front, { ...engineOptions, sequencesAfter });
  const ram = new Ram(guest, "ram", size);
  space.map(0, size, ram, { name: "ram", priority: 100 });
  return {
    front,
    words: engine.words,
    bytes: ram.contents(),
    read: (address) => space.read(address, 1),
    write: (address, byte) => space.write(address, 1, byte),
    load: (address, bytes) => ram.load(address, bytes),
    run: (limit) => engine.run(limit),
    onEngine: engine,
  };
}

/** The plainest engine there is: one instruction at a time, each access translated anew, nothing kept but the forms' blocks. */
class OnEvaluator implements BareX86, EngineServices {
  readonly front: X86;
  readonly words: Int32Array;
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly #blocks = new Map<Form, Block>();
  readonly #decoded = new Decoded();
  readonly #translation = new Translation();
  #user = false;
  #stopped = false;
  instructions = 0;

  constructor(front: X86, size: number) {
    this.front = front;
    const state = new ArrayBuffer(stateSize);
    this.words = new Int32Array(state);
    this.view = new DataView(state);
    this.bytes = new Uint8Array(size);
    front.attach(this);
  }

  read(address: number): number {
    return this.bytes[address] ?? 0xff;
  }

  write(address: number, byte: number): void {
    if (address < this.bytes.length) this.bytes[address] = byte;
  }

  load(address: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, address);
  }

  readPhysical(address: number, width: number): number {
    let value = 0;
    for (let k = width - 1; k >= 0; k--) value = value * 256 + this.read(address + k);
    return value;
  }

  writePhysical(address: number, width: number, value: number): void {
    for (let k = 0; k < width; k++) this.write(address + k, (value >>> (8 * k)) & 0xff);
  }

  readonly memory = {
    read: (address: number, width: 1 | 2 | 4, privileged = false) =>
      Number(this.#load(address, width, Access.read, this.#user && !privileged)),
    write: (address: number, width: 1 | 2 | 4, value: number, privileged = false) =>
      this.#store(address, width, BigInt(value >>> 0), this.#user && !privileged),
    copy: () => 0,
    fill: () => 0,
    probe: (address: number, length: number, privileged = false) =>
      this.#probe(address, length, Access.write, this.#user && !privileged),
  };

  flushTlb(): void {}
  flushPage(): void {}
  forgetFetch(): void {}
  attention(): void {}

  selectTlb(which: 0 | 1): void {
    this.#user = which === 1;
  }

  stop(): void {
    this.#stopped = true;
  }

  run(limit: number): void {
    this.#stopped = false;
    for (let k = 0; k < limit && !this.#stopped; k++) {
      if (this.front.attention) this.front.service();
      if (this.front.halted) return;
      this.instructions++;
      if (this.#step() === Status.fault) this.front.deliverFault();
    }
  }

  #step(): number {
    const pcWord = this.front.slots.pc.index;
    const pc = this.words[pcWord] as number;
    const decoded = this.#decoded;
    try {
      this.#decode(pc);
    } catch (thrown) {
      if (thrown === this.front.fault) return Status.fault;
      throw thrown;
    }
    const form = decoded.form as Form;
    let block = this.#blocks.get(form);
    if (block === undefined) {
      const b = new Builder("open");
      form.body(b, new Fields(b));
      block = b.block;
      this.#blocks.set(form, block);
    }
    const nextPc = (pc + decoded.length) | 0;
    const status = evaluate(block, {
      state: this.view,
      operands: decoded.operands,
      pc,
      nextPc,
      load: (address, width, forWriting) =>
        this.#load(address, width, forWriting ? Access.write : Access.read, this.#user),
      store: (address, width, value) => this.#store(address, width, value, this.#user),
      probe: (address, width) => this.#probe(address, width, Access.write, this.#user),
      helper: (name, args) => {
        const helper = this.front.helpers[name];
        if (helper === undefined) throw new Error(`${form.name} wants a helper ${name}`);
        return helper(args[0] ?? 0, args[1] ?? 0, args[2] ?? 0, args[3] ?? 0);
      },
      isFault: (thrown) => thrown === this.front.fault,
      jump: (to) => {
        this.words[pcWord] = to;
      },
    });
    if (status === Status.next || status === Status.leave) this.words[pcWord] = nextPc;
    return status;
  }

  /** Asks for one more byte whenever the decoder does, so that an instruction faults for no byte it does not have. */
  #decode(pc: number): void {
    const bytes = new Uint8Array(16);
    const base = this.words[this.front.slots.fetchBase.index] as number;
    const mode = this.words[this.front.slots.mode.index] as number;
    for (let k = 0; k < 16; k++) {
      bytes[k] = Number(this.#load((base + pc + k) >>> 0, 1, Access.fetch, this.#user));
      if (this.front.decode(bytes, k + 1, pc, mode, this.#decoded)) return;
    }
    throw new Error("the decoder wants more than 16 bytes");
  }

  #reach(address: number, access: Access, user: boolean): number {
    if (!this.front.translate(address >>> 0, access, user, this.#translation)) throw this.front.fault;
    return this.#translation.physical;
  }

  #load(address: number, width: number, access: Access, user: boolean): bigint {
    let value = 0n;
    for (let k = 0; k < width; k++) value |= BigInt(this.read(this.#reach(address + k, access, user))) << BigInt(8 * k);
    return value;
  }

  #store(address: number, width: number, value: bigint, user: boolean): void {
    this.#probe(address, width, Access.write, user);
    for (let k = 0; k < width; k++)
      this.write(this.#reach(address + k, Access.write, user), Number((value >> BigInt(8 * k)) & 0xffn));
  }

  #probe(address: number, width: number, access: Access, user: boolean): void {
    for (let k = 0; k < width; k++) this.#reach(address + k, access, user);
  }
}

// --- states to run from

export function setWord(machine: BareX86, slot: Slot | undefined, value: number): void {
  if (slot === undefined) throw new Error("no such slot");
  machine.words[slot.index] = value;
}

export function word(machine: BareX86, slot: Slot | undefined): number {
  if (slot === undefined) throw new Error("no such slot");
  return machine.words[slot.index] as number;
}

const dataSegment = 0x9300;
const codeSegment = 0x9b00;
const big = 0x400000;

/** Protected mode, flat, at a privilege level, without paging: what a 32-bit program sees. `narrow`: 16-bit code and stack, still at 0. */
export function flatMode(machine: BareX86, cpl: 0 | 3, narrow = false): void {
  const { core } = machine.front;
  for (let n = 0; n < 6; n++) {
    setWord(machine, s.selector[n], 0x10 | cpl);
    setWord(machine, s.base[n], 0);
    setWord(machine, s.limit[n], -1);
    setWord(machine, s.rights[n], (n === s.segment.cs ? codeSegment : dataSegment) | (cpl << 13) | (narrow ? 0 : big));
  }
  setWord(machine, s.cr0, word(machine, s.cr0) | 1);
  core.setCpl(cpl);
  core.updateMode();
}

/** A machine with a program at an address, which it is about to run in flat protected mode, ring 0, with a stack below 0x8000. */
export function withProgram(executor: Executor, at: number, bytes: readonly number[], options?: BareOptions): BareX86 {
  const m = bareX86(executor, { memory: 1 << 20, ...options });
  flatMode(m, 0);
  m.load(at, Uint8Array.from(bytes));
  setWord(m, s.engine.pc, at);
  setWord(m, s.esp, 0x8000);
  return m;
}

/** Maps pages of 4 KiB at `[virtual, physical]`, writable by everyone, with tables from physical address `tables` on, and turns paging on. */
export function paging(machine: BareX86, tables: number, pages: readonly (readonly [number, number])[]): void {
  const put = (address: number, value: number) => {
    for (let k = 0; k < 4; k++) machine.write(address + k, (value >>> (8 * k)) & 0xff);
  };
  const get = (address: number) =>
    machine.read(address) | (machine.read(address + 1) << 8) | (machine.read(address + 2) << 16);
  for (let k = 0; k < 4096; k += 4) put(tables + k, 0);
  let next = tables + 4096;
  for (const [virtual, physical] of pages) {
    const entry = tables + (virtual >>> 22) * 4;
    if ((get(entry) & 1) === 0) {
      for (let k = 0; k < 4096; k += 4) put(next + k, 0);
      put(entry, next | 7);
      next += 4096;
    }
    put((get(entry) & 0xfff000) + ((virtual >>> 12) & 0x3ff) * 4, physical | 7);
  }
  setWord(machine, s.cr3, tables);
  setWord(machine, s.cr0, word(machine, s.cr0) | 0x80000001);
  machine.front.core.engine.flushTlb();
}

/** A segment as real mode has it. */
export function paragraph(machine: BareX86, segment: number, selector: number): void {
  setWord(machine, s.selector[segment], selector);
  setWord(machine, s.base[segment], selector * 16);
  setWord(machine, s.limit[segment], 0xffff);
  setWord(machine, s.rights[segment], dataSegment);
}
