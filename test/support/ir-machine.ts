import { GuestMemory } from "../../src/bus/guest-memory.ts";
import { Ram } from "../../src/bus/ram.ts";
import { AddressSpace } from "../../src/bus/space.ts";
import { Engine, type EngineOptions, engineMemory } from "../../src/engine/engine.ts";
import type { Builder, Value } from "../../src/ir/builder.ts";
import { evaluate } from "../../src/ir/evaluate.ts";
import type { Access, Decoded, EngineServices, Form, FrontEnd, Helper, Translation } from "../../src/ir/frontend.ts";
import { type Block, type Node, Status } from "../../src/ir/node.ts";
import { engineSlots, SlotTable, stateSize } from "../../src/ir/slots.ts";

/** What a block is run with, and what came of it. Numbers keyed by their place. */
export interface Run {
  readonly operands: readonly number[];
  /** State bytes beyond the engine's own words, by offset: 32-bit words. */
  readonly state: ReadonlyMap<number, number>;
  /** Guest memory: 32-bit words by address; addresses from `unmapped` on fault. */
  readonly memory: ReadonlyMap<number, number>;
}

export interface Outcome {
  readonly status: number;
  readonly pc: number;
  readonly state: DataView;
  readonly memory: DataView;
  /** Helpers called, in order. */
  readonly calls: readonly string[];
}

/** Where the guest's memory ends; what lies behind it faults. */
export const unmapped = 0x2000;
const pc = 0x100;
const length = 4;

/** `sum` adds its arguments; `refuse` faults; the rest give their first argument. */
function helper(name: string, args: readonly number[], calls: string[], fault: object): number {
  calls.push(`${name}(${args.join(",")})`);
  if (name === "refuse") throw fault;
  return name === "sum" ? args.reduce((a, b) => (a + b) | 0, 0) : (args[0] ?? 0);
}

export function onEvaluator(block: Block, run: Run): Outcome {
  const state = new DataView(new ArrayBuffer(stateSize));
  const memory = new DataView(new ArrayBuffer(unmapped));
  for (const [at, value] of run.state) state.setInt32(at, value, true);
  for (const [at, value] of run.memory) memory.setInt32(at, value, true);
  const calls: string[] = [];
  const fault = {};
  let target = pc;
  const check = (at: number, width: number) => {
    if (at + width > unmapped) throw fault;
  };
  const status = evaluate(block, {
    state,
    operands: run.operands,
    pc,
    nextPc: pc + length,
    load: (at, width) => {
      check(at, width);
      let value = 0n;
      for (let i = width - 1; i >= 0; i--) value = (value << 8n) | BigInt(memory.getUint8(at + i));
      return value;
    },
    store: (at, width, value) => {
      check(at, width);
      for (let i = 0; i < width; i++) memory.setUint8(at + i, Number((value >> BigInt(8 * i)) & 0xffn));
    },
    probe: check,
    helper: (name, args) => helper(name, args, calls, fault),
    isFault: (thrown) => thrown === fault,
    jump: (to) => {
      target = to;
    },
  });
  const ended = status === Status.next || status === Status.leave ? pc + length : target;
  return { status, pc: status === Status.fault ? pc : ended, state, memory, calls };
}

/** The same on the interpreter: one instruction whose form is the block. */
export function onInterpreter(block: Block, run: Run): Outcome {
  return onEngine(block, run, { executor: "interp" });
}

/** The same as a region, which is made the first time the block is come to. */
export function onRegion(block: Block, run: Run): Outcome {
  return onEngine(block, run, { executor: "jit", threshold: 1, newFor: 0 });
}

/** Builds the nodes of a block once more, by the calls which a front end would make. */
function replay(b: Builder, block: Block, known: Map<Node, Value>): Value | undefined {
  const of = (node: Node | undefined): Value => {
    if (node?.op === "const") return node.type === "i64" ? b.i64(node.long) : b.i32(node.imm);
    return known.get(node as Node) as Value;
  };
  for (const node of block.nodes) {
    const [x, y] = node.args;
    const value = (): Value | undefined => {
      switch (node.op) {
        case "const":
          return undefined;
        case "field":
          return b.field(node.imm);
        case "pc":
          return b.pc();
        case "next_pc":
          return b.nextPc();
        case "get":
          return b.getAt(x === undefined ? b.i32(0) : of(x), node.width, node.imm, node.type);
        case "set":
          b.setAt(y === undefined ? b.i32(0) : of(y), node.width, of(x), node.imm);
          return undefined;
        case "load":
          return b.load(node.width, of(x), node.type);
        case "load_rw":
          return b.loadRw(node.width, of(x), node.type);
        case "store":
          b.store(node.width, of(x), of(y));
          return undefined;
        case "probe":
          b.probe(node.width, of(x));
          return undefined;
        case "if": {
          const no = node.no;
          return b.if(of(x), () => node.yes && replay(b, node.yes, known), no && (() => replay(b, no, known)));
        }
        case "call":
          return b.call(node.helper, ...node.args.map(of));
        case "exit":
          b.exit(node.helper, ...node.args.map(of));
          return undefined;
        case "jump":
          b.jump(of(x));
          return undefined;
        default:
          return b.op(node.op, ...(node.args.map(of) as [Value, Value?, Value?]));
      }
    };
    const made = value();
    if (made !== undefined) known.set(node, made);
  }
  return block.result && of(block.result);
}

function onEngine(block: Block, run: Run, options: EngineOptions): Outcome {
  const table = new SlotTable();
  const slots = engineSlots(table);
  const calls: string[] = [];
  const fault = {};
  let status: number = Status.next;
  let services: EngineServices | undefined;
  const form: Form = { name: "block", ends: true, body: (b) => void replay(b, block, new Map()) };
  const stop: Form = { name: "stop", ends: true, body: (b) => b.exit("stop") };
  const names = new Set(["sum", "refuse", "first", "next", "jump", "leave", "stop", ...helpersOf(block)]);
  const helpers: Record<string, Helper> = {};
  for (const name of names) {
    helpers[name] = (a, b, c, d) => {
      if (name === "stop") return Status.leave;
      const count = argumentsOf(block, name);
      const value = helper(name, [a, b, c, d].slice(0, count), calls, fault);
      return value;
    };
  }
  let delivered = false;
  const front: FrontEnd = {
    name: "test",
    slots,
    cells: new Set(Array.from({ length: stateSize / 4 }, (_, k) => 4 * k)),
    alignment: 1,
    helpers,
    fault,
    attach: (engine) => {
      services = engine;
    },
    decode: (_bytes, _available, at, _mode, into: Decoded) => {
      into.form = at === pc ? form : stop;
      into.length = length;
      into.operands.fill(0);
      for (const [k, value] of run.operands.entries()) into.operands[k] = value;
      return true;
    },
    translate: (address: number, _access: Access, _user: boolean, into: Translation) => {
      into.physical = address;
      into.writable = true;
      return address < unmapped;
    },
    deliverFault: () => {
      delivered = true;
    },
    get attention() {
      return false;
    },
    service: () => {},
    get halted() {
      return false;
    },
    get window() {
      return 1;
    },
  };
  const guest = new GuestMemory(engineMemory({ arenaSize: 65536 }) + 65536);
  const space = new AddressSpace("memory", 2 ** 32);
  const engine = new Engine(guest, space, front, { arenaSize: 65536, ...options });
  const ram = new Ram(guest, "RAM", unmapped);
  space.map(0, unmapped, ram, { name: "RAM" });
  for (const [at, value] of run.state) engine.view.setInt32(at, value, true);
  for (const [at, value] of run.memory) ram.write(at, 4, value);
  engine.words[slots.pc.index] = pc;
  engine.run(1);
  const after = engine.words[slots.pc.index] as number;
  if (delivered) status = Status.fault;
  else if (after !== pc + length) status = Status.jump;
  if (services === undefined) throw new Error("the front end was not attached");
  const memory = new DataView(new ArrayBuffer(unmapped));
  ram.copyOut(0, new Uint8Array(memory.buffer));
  return { status, pc: after, state: new DataView(guest.bytes.slice(0, stateSize).buffer), memory, calls };
}

function each(block: Block, visit: (node: Block["nodes"][number]) => void): void {
  for (const node of block.nodes) {
    visit(node);
    if (node.yes) each(node.yes, visit);
    if (node.no) each(node.no, visit);
  }
}

function helpersOf(block: Block): string[] {
  const names: string[] = [];
  each(block, (node) => {
    if (node.helper !== "") names.push(node.helper);
  });
  return names;
}

function argumentsOf(block: Block, name: string): number {
  let count = 0;
  each(block, (node) => {
    if (node.helper === name) count = Math.max(count, node.args.length);
  });
  return count;
}
