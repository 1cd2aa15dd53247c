import { floatOperation } from "./evaluate-float.ts";
import type { Block, Node } from "./node.ts";
import { Status } from "./node.ts";
import type { Operation, Type } from "./ops.ts";

/** What a block of IR runs against: the guest, as plainly as it can be said. */
export interface Environment {
  /** The state, little-endian. */
  readonly state: DataView;
  readonly operands: ArrayLike<number>;
  readonly pc: number;
  readonly nextPc: number;
  /** Guest memory, `width` bytes; throws to fault, and the block ends with `Status.fault`. */
  load(address: number, width: number, forWriting: boolean): bigint;
  store(address: number, width: number, value: bigint): void;
  probe(address: number, width: number): void;
  helper(name: string, args: readonly number[]): number;
  /** Whether what was thrown is the guest's fault and not ours. */
  isFault(thrown: unknown): boolean;
  jump(target: number): void;
}

type Known = number | bigint;

class Ended {
  readonly status: number;
  constructor(status: number) {
    this.status = status;
  }
}

/**
 * Runs a block: the definition of the IR, to which the interpreter and the compiled regions are held.
 * Returns how the block ended, a `Status`.
 */
export function evaluate(block: Block, env: Environment): number {
  const known = new Map<Node, Known>();
  try {
    run(block, env, known);
    return Status.next;
  } catch (thrown) {
    if (thrown instanceof Ended) return thrown.status;
    if (env.isFault(thrown)) return Status.fault;
    throw thrown;
  }
}

function run(block: Block, env: Environment, known: Map<Node, Known>): void {
  for (const node of block.nodes) {
    const value = step(node, env, known);
    if (value !== undefined) known.set(node, value);
  }
}

function step(node: Node, env: Environment, known: Map<Node, Known>): Known | undefined {
  const of = (arg: Node | undefined): Known => {
    if (arg === undefined) throw new Error(`${node.op}: an argument is missing`);
    if (arg.op === "const") return arg.type === "i64" ? arg.long : arg.imm;
    const value = known.get(arg);
    if (value === undefined) throw new Error(`${node.op} uses a value which is not there yet`);
    return value;
  };
  const word = (k: number): number => Number(of(node.args[k])) | 0;
  switch (node.op) {
    case "const":
      return undefined;
    case "field":
      return env.operands[node.imm] as number;
    case "pc":
      return env.pc;
    case "next_pc":
      return env.nextPc;
    case "get":
      return getState(env.state, node, node.imm + (node.args.length > 0 ? word(0) : 0));
    case "set":
      setState(env.state, node, node.imm + (node.args.length > 1 ? word(1) : 0), of(node.args[0]));
      return undefined;
    case "load":
    case "load_rw": {
      const value = env.load(word(0) >>> 0, node.width, node.op === "load_rw");
      if (node.type === "v128") return value;
      return node.type === "i64" ? BigInt.asIntN(64, value) : Number(BigInt.asIntN(32, value));
    }
    case "store":
      env.store(word(0) >>> 0, node.width, BigInt.asUintN(8 * node.width, BigInt(of(node.args[1]))));
      return undefined;
    case "probe":
      env.probe(word(0) >>> 0, node.width);
      return undefined;
    case "if": {
      const arm = word(0) !== 0 ? node.yes : node.no;
      if (arm === undefined) return undefined;
      run(arm, env, known);
      const { result } = arm;
      if (result === undefined || node.type === undefined) return undefined;
      return result.op === "const" ? (result.type === "i64" ? result.long : result.imm) : known.get(result);
    }
    case "call":
      return env.helper(
        node.helper,
        node.args.map((_, k) => word(k)),
      );
    case "exit":
      throw new Ended(
        env.helper(
          node.helper,
          node.args.map((_, k) => word(k)),
        ),
      );
    case "jump":
      env.jump(word(0));
      throw new Ended(Status.jump);
    default: {
      if (node.op === "select") return word(0) !== 0 ? of(node.args[1]) : of(node.args[2]);
      const type = node.args[0]?.type === "i64" ? "i64" : "i32";
      const result = integerOperation(
        node.op,
        type,
        node.args.map((a) => BigInt(of(a))),
      );
      if (result === undefined)
        throw new Error(`${node.op} of ${node.args.map((a) => of(a)).join(", ")} has no result`);
      return result.type === "i32" ? Number(result.value) : result.value;
    }
  }
}

function getState(state: DataView, node: Node, at: number): Known {
  switch (node.width) {
    case 1:
      return state.getUint8(at);
    case 2:
      return state.getUint16(at, true);
    case 4:
      return state.getInt32(at, true);
    case 16:
      return state.getBigUint64(at, true) | (state.getBigUint64(at + 8, true) << 64n);
    default:
      return state.getBigInt64(at, true);
  }
}

function setState(state: DataView, node: Node, at: number, value: Known): void {
  switch (node.width) {
    case 1:
      state.setUint8(at, Number(value));
      return;
    case 2:
      state.setUint16(at, Number(value), true);
      return;
    case 4:
      state.setInt32(at, Number(value), true);
      return;
    case 16:
      state.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
      state.setBigUint64(at + 8, BigInt.asUintN(64, BigInt(value) >> 64n), true);
      return;
    default:
      state.setBigInt64(at, BigInt(value), true);
  }
}

/** The value of an operation on integers, or undefined where it has none (division by zero, or its overflow). */
export function integerOperation(
  op: Operation,
  type: "i32" | "i64",
  values: readonly bigint[],
): { type: Type; value: bigint } | undefined {
  const float = floatOperation(op, type, values);
  if (float !== undefined) return float;
  const bits = type === "i64" ? 64 : 32;
  const signed = (v: bigint) => BigInt.asIntN(bits, v);
  const unsigned = (v: bigint) => BigInt.asUintN(bits, v);
  const x = values[0] ?? 0n;
  const y = values[1] ?? 0n;
  const z = values[2] ?? 0n;
  const sx = signed(x);
  const sy = signed(y);
  const ux = unsigned(x);
  const uy = unsigned(y);
  const amount = uy % BigInt(bits);
  const same = (value: bigint) => ({ type, value: signed(value) });
  const truth = (value: boolean) => ({ type: "i32" as const, value: value ? 1n : 0n });
  const i32 = (value: bigint) => ({ type: "i32" as const, value: BigInt.asIntN(32, value) });
  switch (op) {
    case "add":
      return same(x + y);
    case "sub":
      return same(x - y);
    case "mul":
      return same(x * y);
    case "div_s":
      return sy === 0n || (sy === -1n && sx === -(1n << BigInt(bits - 1))) ? undefined : same(sx / sy);
    case "div_u":
      return uy === 0n ? undefined : same(ux / uy);
    case "rem_s":
      return sy === 0n ? undefined : same(sx % sy);
    case "rem_u":
      return uy === 0n ? undefined : same(ux % uy);
    case "and":
      return same(x & y);
    case "or":
      return same(x | y);
    case "xor":
      return same(x ^ y);
    case "shl":
      return same(ux << amount);
    case "shr_s":
      return same(sx >> amount);
    case "shr_u":
      return same(ux >> amount);
    case "rotl":
      return same((ux << amount) | (ux >> (BigInt(bits) - amount)));
    case "rotr":
      return same((ux >> amount) | (ux << (BigInt(bits) - amount)));
    case "clz":
      return same(BigInt(bits - (ux === 0n ? 0 : ux.toString(2).length)));
    case "ctz":
      return same(BigInt(ux === 0n ? bits : ux.toString(2).length - 1 - ux.toString(2).lastIndexOf("1")));
    case "popcnt":
      return same(BigInt(ux.toString(2).replaceAll("0", "").length));
    case "eqz":
      return truth(ux === 0n);
    case "eq":
      return truth(ux === uy);
    case "ne":
      return truth(ux !== uy);
    case "lt_s":
      return truth(sx < sy);
    case "lt_u":
      return truth(ux < uy);
    case "gt_s":
      return truth(sx > sy);
    case "gt_u":
      return truth(ux > uy);
    case "le_s":
      return truth(sx <= sy);
    case "le_u":
      return truth(ux <= uy);
    case "ge_s":
      return truth(sx >= sy);
    case "ge_u":
      return truth(ux >= uy);
    case "sext8":
      return i32(BigInt.asIntN(8, x));
    case "sext16":
      return i32(BigInt.asIntN(16, x));
    case "bswap": {
      let value = 0n;
      for (let i = 0; i < bits; i += 8) value = (value << 8n) | ((ux >> BigInt(i)) & 0xffn);
      return same(value);
    }
    case "extend_s":
      return { type: "i64", value: BigInt.asIntN(32, x) };
    case "extend_u":
      return { type: "i64", value: BigInt.asUintN(32, x) };
    case "wrap":
      return i32(x);
    case "select":
      return { type, value: x !== 0n ? y : z };
    case "carries":
      return i32((ux & uy) | ((ux | uy) & ~unsigned(z)));
    case "borrows":
      return i32((~ux & uy) | ((~ux | uy) & unsigned(z)));
    case "carries16":
    case "borrows16":
    case "carries8":
    case "borrows8": {
      const carries = op.startsWith("carries")
        ? (ux & uy) | ((ux | uy) & ~unsigned(z))
        : (~ux & uy) | ((~ux | uy) & unsigned(z));
      return i32((carries << (op.endsWith("8") ? 24n : 16n)) | (carries & 8n));
    }
    default:
      return undefined;
  }
}
