import { GuestMemory } from "../../../src/bus/guest-memory.ts";
import { Ram } from "../../../src/bus/ram.ts";
import { AddressSpace } from "../../../src/bus/space.ts";
import type { Wires } from "../../../src/cpu/e500/core.ts";
import { E500 } from "../../../src/cpu/e500/cpu.ts";
import * as s from "../../../src/cpu/e500/slots.ts";
import { Engine, engineMemory } from "../../../src/engine/engine.ts";
import { Builder } from "../../../src/ir/builder.ts";
import { evaluate } from "../../../src/ir/evaluate.ts";
import { Access, Decoded, type EngineServices, Fields, type Form, Translation } from "../../../src/ir/frontend.ts";
import { type Block, Status } from "../../../src/ir/node.ts";
import { type Slot, stateSize } from "../../../src/ir/slots.ts";

/** `regions`: every instruction is translated the first time it is come to by a jump. */
export type Executor = "evaluator" | "interpreter" | "regions";
export const executors: readonly Executor[] = ["evaluator", "interpreter", "regions"];

export interface BareOptions {
  /** Bytes of RAM from physical address 0 on; 1 MiB when left out. */
  readonly memory?: number;
  /** Jumps to a place before it is translated, where regions are made; 1 when left out. */
  readonly threshold?: number;
  /** Instructions before the interpreter has sequences; 0 when left out. */
  readonly sequencesAfter?: number;
}

/**
 * An e500 with nothing around it but RAM at 0, a timebase which a test turns and an external input, on the evaluator or on the
 * engine. The front end is the real one: both decode, translate and call helpers alike, and differ in who executes the IR.
 */
export class Bare {
  readonly front: E500;
  readonly wires: TestWires;
  readonly external = { pending: false, vector: 0, acknowledged: 0 };
  readonly #machine: {
    words: Int32Array;
    read(at: number): number;
    write(at: number, byte: number): void;
    load(at: number, bytes: Uint8Array): void;
    bytes(at: number, length: number): Uint8Array;
    run(limit: number): void;
    readonly engine?: Engine;
  };

  constructor(executor: Executor, options: BareOptions = {}) {
    this.wires = new TestWires();
    const { external } = this;
    this.front = new E500({
      wires: this.wires,
      svr: 0x8021_0151 | 0,
      bootPage: 0xf_ffff_f000,
      interrupts: {
        get pending() {
          return external.pending;
        },
        acknowledge() {
          external.pending = false;
          external.acknowledged++;
          return external.vector;
        },
      },
    });
    const size = options.memory ?? 1 << 20;
    this.#machine =
      executor === "evaluator" ? new OnEvaluator(this.front, size) : onEngine(this.front, size, executor, options);
    this.wires.count = () => this.front.core.engine.instructions;
  }

  run(limit: number): void {
    this.#machine.run(limit);
  }

  /** The engine, where there is one. */
  get onEngine(): Engine | undefined {
    return this.#machine.engine;
  }

  get(slot: Slot | undefined): number {
    return (this.#machine.words[(slot as Slot).index] as number) >>> 0;
  }

  set(slot: Slot | undefined, value: number): void {
    this.#machine.words[(slot as Slot).index] = value;
  }

  r(number: number): number {
    return this.get(s.gpr[number]);
  }

  setR(number: number, value: number): void {
    this.set(s.gpr[number], value);
  }

  get pc(): number {
    return this.get(s.engine.pc);
  }

  set pc(value: number) {
    this.set(s.engine.pc, value);
  }

  /** Big-endian, physical. */
  word(at: number): number {
    return [0, 1, 2, 3].reduce((value, k) => value * 256 + this.#machine.read(at + k), 0);
  }

  byte(at: number): number {
    return this.#machine.read(at);
  }

  setByte(at: number, byte: number): void {
    this.#machine.write(at, byte);
  }

  /** Many bytes at once, physical. */
  load(at: number, bytes: Uint8Array): void {
    this.#machine.load(at, bytes);
  }

  /** To be looked at only. */
  bytes(at: number, length: number): Uint8Array {
    return this.#machine.bytes(at, length);
  }

  setWord(at: number, value: number): void {
    for (let k = 0; k < 4; k++) this.#machine.write(at + k, (value >>> (24 - 8 * k)) & 0xff);
  }

  /** Instructions from a physical address on. */
  code(at: number, ...words: readonly number[]): void {
    for (const [k, word] of words.entries()) this.setWord(at + 4 * k, word);
  }

  /** As a kernel is entered: 64 MiB mapped one to one, MSR 0, at `pc`. */
  enter(pc: number): void {
    this.front.enterEpapr({ dtb: 0, entry: pc, mappedSize: 64 << 20 });
  }

  msr(value: number): void {
    this.front.core.setMsr(value);
  }
}

/** A timebase that a test turns, or that follows instructions. */
class TestWires implements Wires {
  now = 0;
  due = Number.POSITIVE_INFINITY;
  readonly resets: string[] = [];
  readonly reports: string[] = [];
  count: () => number = () => 0;

  timebase(): number {
    return this.now;
  }

  setTimer(due: number): void {
    this.due = due;
  }

  reset(why: string): void {
    this.resets.push(why);
  }

  report(_key: string, text: string): void {
    this.reports.push(text);
  }
}

function onEngine(
  front: E500,
  size: number,
  executor: "interpreter" | "regions",
  { threshold = 1, sequencesAfter = 0 }: BareOptions,
) {
  const guest = new GuestMemory(size + stateSize + engineMemory({ arenaSize: 1 << 20 }) + 65536);
  const space = new AddressSpace("memory", 2 ** 36);
  const engine = new Engine(guest, space, front, {
    arenaSize: 1 << 20,
    sequencesAfter,
    ...(executor === "regions" ? { threshold, newFor: 0 } : { executor: "interp" }),
  });
  const ram = new Ram(guest, "ram", size);
  space.map(0, size, ram, { name: "ram", priority: 100 });
  return {
    words: engine.words,
    read: (at: number) => space.read(at, 1),
    write: (at: number, byte: number) => space.write(at, 1, byte),
    load: (at: number, bytes: Uint8Array) => ram.load(at, bytes),
    bytes: (at: number, length: number) => ram.contents().subarray(at, at + length),
    run: (limit: number) => engine.run(limit),
    engine,
  };
}

/** The plainest engine there is: one instruction at a time, each access translated anew, nothing kept but the forms' blocks. */
class OnEvaluator implements EngineServices {
  readonly words: Int32Array;
  readonly view: DataView;
  readonly #front: E500;
  readonly #bytes: Uint8Array;
  readonly #blocks = new Map<Form, Block>();
  readonly #decoded = new Decoded();
  readonly #translation = new Translation();
  #user = false;
  #stopped = false;
  instructions = 0;

  constructor(front: E500, size: number) {
    this.#front = front;
    const state = new ArrayBuffer(stateSize);
    this.words = new Int32Array(state);
    this.view = new DataView(state);
    this.#bytes = new Uint8Array(size);
    front.attach(this);
  }

  read(at: number): number {
    return this.#bytes[at] ?? 0xff;
  }

  write(at: number, byte: number): void {
    if (at < this.#bytes.length) this.#bytes[at] = byte;
  }

  load(at: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, at);
  }

  bytes(at: number, length: number): Uint8Array {
    return this.#bytes.subarray(at, at + length);
  }

  readPhysical(at: number, width: number): number {
    let value = 0;
    for (let k = width - 1; k >= 0; k--) value = value * 256 + this.read(at + k);
    return value;
  }

  writePhysical(at: number, width: number, value: number): void {
    for (let k = 0; k < width; k++) this.write(at + k, (value >>> (8 * k)) & 0xff);
  }

  readonly memory = {
    read: (at: number, width: 1 | 2 | 4) => Number(this.#load(at, width, Access.read)),
    write: (at: number, width: 1 | 2 | 4, value: number) => this.#store(at, width, BigInt(value >>> 0)),
    copy: () => 0,
    fill: () => 0,
    probe: (at: number, length: number) => this.#probe(at, length),
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
    const front = this.#front;
    this.#stopped = false;
    for (let k = 0; k < limit && !this.#stopped; k++) {
      if (front.attention) front.service();
      if (front.halted) return;
      this.instructions++;
      if (this.#step() === Status.fault) front.deliverFault();
    }
  }

  #step(): number {
    const front = this.#front;
    const pcWord = front.slots.pc.index;
    const pc = this.words[pcWord] as number;
    const decoded = this.#decoded;
    try {
      const bytes = new Uint8Array(16);
      for (let k = 0; k < 4; k++) bytes[k] = Number(this.#load(pc + k, 1, Access.fetch));
      front.decode(bytes, 4, pc, this.words[front.slots.mode.index] as number, decoded);
    } catch (thrown) {
      if (thrown === front.fault) return Status.fault;
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
    const nextPc = (pc + 4) | 0;
    const status = evaluate(block, {
      state: this.view,
      operands: decoded.operands,
      pc,
      nextPc,
      load: (at, width, forWriting) => this.#load(at, width, forWriting ? Access.write : Access.read),
      store: (at, width, value) => this.#store(at, width, value),
      probe: (at, width) => this.#probe(at, width),
      helper: (name, args) => {
        const helper = front.helpers[name];
        if (helper === undefined) throw new Error(`${form.name} wants a helper ${name}`);
        return helper(args[0] ?? 0, args[1] ?? 0, args[2] ?? 0, args[3] ?? 0);
      },
      isFault: (thrown) => thrown === front.fault,
      jump: (to) => {
        this.words[pcWord] = to;
      },
    });
    if (status === Status.next || status === Status.leave) this.words[pcWord] = nextPc;
    return status;
  }

  #reach(at: number, access: Access): number {
    if (!this.#front.translate(at >>> 0, access, this.#user, this.#translation)) throw this.#front.fault;
    return this.#translation.physical;
  }

  #load(at: number, width: number, access: Access): bigint {
    let value = 0n;
    for (let k = 0; k < width; k++) value |= BigInt(this.read(this.#reach(at + k, access))) << BigInt(8 * k);
    return value;
  }

  #store(at: number, width: number, value: bigint): void {
    this.#probe(at, width);
    for (let k = 0; k < width; k++)
      this.write(this.#reach(at + k, Access.write), Number((value >> BigInt(8 * k)) & 0xffn));
  }

  #probe(at: number, width: number): void {
    for (let k = 0; k < width; k++) this.#reach(at + k, Access.write);
  }
}
