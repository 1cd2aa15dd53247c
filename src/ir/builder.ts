import { type AccessWidth, type Block, type Node, terminated } from "./node.ts";
import { info, type Operation, type Type } from "./ops.ts";
import { fold } from "./simplify.ts";
import type { Slot } from "./slots.ts";

/** What a front end calls a node that has a value. */
export type Value = Node;

export const blank = { imm: 0, long: 0n, width: 4 as AccessWidth, helper: "", yes: undefined, no: undefined };

/** How the operands of a decoded instruction are found: left open, or known. */
export type Operands = "open" | Int32Array;

/**
 * Builds the IR of an instruction, or of several.
 *
 * The front end writes an instruction's meaning once, against this class. With its operands open the result is the
 * interpreter's handler for every instruction of that form; with them known it is part of a region, and what follows from the
 * constants is folded away here, as it is built.
 */
export class Builder {
  #block: Block = { nodes: [], result: undefined };
  #operands: Operands;
  readonly #constants = new Map<number, Value>();

  constructor(operands: Operands = "open") {
    this.#operands = operands;
  }

  /** What was built. */
  get block(): Block {
    return this.#block;
  }

  /** The operands of the next instruction, when several are built into one block. */
  operands(operands: Operands): void {
    this.#operands = operands;
  }

  // --- values

  i32(value: number): Value {
    const known = this.#constants.get(value | 0);
    if (known !== undefined) return known;
    // Constants stand nowhere: they are in force everywhere, and are printed where they are used.
    const node: Node = { ...blank, op: "const", type: "i32", args: [], imm: value | 0 };
    this.#constants.set(value | 0, node);
    return node;
  }

  i64(value: bigint): Value {
    return { ...blank, op: "const", type: "i64", args: [], long: BigInt.asIntN(64, value) };
  }

  /** Operand `k` of the instruction: 0..5 are 16 bits unsigned, 6 and 7 are 32 bits. */
  field(k: number): Value {
    if (this.#operands !== "open") return this.i32(this.#operands[k] as number);
    return this.put({ ...blank, op: "field", type: "i32", args: [], imm: k });
  }

  /** Address of this instruction. */
  pc(): Value {
    return this.put({ ...blank, op: "pc", type: "i32", args: [] });
  }

  /** Address of the instruction behind this one. */
  nextPc(): Value {
    return this.put({ ...blank, op: "next_pc", type: "i32", args: [] });
  }

  op(op: Operation, ...args: Value[]): Value {
    const folded = fold(this, op, args);
    if (folded !== undefined) return folded;
    const { signature } = info(op);
    const result = signature.slice(signature.indexOf("->") + 2);
    const type = result === "T" ? (args.at(-1) as Value).type : (result as Type);
    return this.put({ ...blank, op, type, args });
  }

  add = (a: Value, b: Value) => this.op("add", a, b);
  sub = (a: Value, b: Value) => this.op("sub", a, b);
  mul = (a: Value, b: Value) => this.op("mul", a, b);
  and = (a: Value, b: Value) => this.op("and", a, b);
  or = (a: Value, b: Value) => this.op("or", a, b);
  xor = (a: Value, b: Value) => this.op("xor", a, b);
  shl = (a: Value, b: Value) => this.op("shl", a, b);
  shrS = (a: Value, b: Value) => this.op("shr_s", a, b);
  shrU = (a: Value, b: Value) => this.op("shr_u", a, b);
  eq = (a: Value, b: Value) => this.op("eq", a, b);
  ne = (a: Value, b: Value) => this.op("ne", a, b);
  ltS = (a: Value, b: Value) => this.op("lt_s", a, b);
  ltU = (a: Value, b: Value) => this.op("lt_u", a, b);
  eqz = (a: Value) => this.op("eqz", a);
  not = (a: Value) => this.op("xor", a, this.i32(-1));
  sext8 = (a: Value) => this.op("sext8", a);
  sext16 = (a: Value) => this.op("sext16", a);
  select = (condition: Value, yes: Value, no: Value) => this.op("select", condition, yes, no);

  // --- guest state

  get(slot: Slot): Value {
    return this.put({ ...blank, op: "get", type: slot.type, args: [], imm: slot.offset, width: slot.width });
  }

  set(slot: Slot, value: Value): void {
    this.put({ ...blank, op: "set", type: undefined, args: [value], imm: slot.offset, width: slot.width });
  }

  /** State at byte `offset + base`, where `base` is an operand that may be open. 8 bytes give i64, fewer i32. */
  getAt(base: Value, width: AccessWidth, offset = 0, type: Type = width === 8 ? "i64" : "i32"): Value {
    if (base.op === "const") return this.put({ ...blank, op: "get", type, args: [], imm: base.imm + offset, width });
    return this.put({ ...blank, op: "get", type, args: [base], imm: offset, width });
  }

  setAt(base: Value, width: AccessWidth, value: Value, offset = 0): void {
    if (base.op === "const")
      this.put({ ...blank, op: "set", type: undefined, args: [value], imm: base.imm + offset, width });
    else this.put({ ...blank, op: "set", type: undefined, args: [value, base], imm: offset, width });
  }

  // --- guest memory

  load(width: AccessWidth, address: Value, type: Type = width === 8 ? "i64" : "i32"): Value {
    return this.put({ ...blank, op: "load", type, args: [address], width });
  }

  /** A load which faults as a store would: the first half of a read-modify-write. */
  loadRw(width: AccessWidth, address: Value, type: Type = width === 8 ? "i64" : "i32"): Value {
    return this.put({ ...blank, op: "load_rw", type, args: [address], width });
  }

  store(width: AccessWidth, address: Value, value: Value): void {
    this.put({ ...blank, op: "store", type: undefined, args: [address, value], width });
  }

  probe(width: AccessWidth, address: Value): void {
    this.put({ ...blank, op: "probe", type: undefined, args: [address], width });
  }

  // --- control

  /** Both arms, or the one that a constant condition leaves. With values in both arms the `if` has a value. */
  // biome-ignore lint/suspicious/noConfusingVoidType: an arm that gives nothing is an ordinary function
  if(condition: Value, then: () => Value | void, otherwise?: () => Value | void): Value | undefined {
    if (condition.op === "const") return (condition.imm !== 0 ? then() : otherwise?.()) || undefined;
    const yes = this.nested(then);
    const no = otherwise && this.nested(otherwise);
    const type = yes.result !== undefined && no?.result !== undefined ? yes.result.type : undefined;
    return this.put({ ...blank, op: "if", type, args: [condition], yes, no });
  }

  /** An `if` whose two arms give a value. */
  choose(condition: Value, then: () => Value, otherwise: () => Value): Value {
    return this.if(condition, then, otherwise) as Value;
  }

  call(helper: string, ...args: Value[]): Value {
    return this.put({ ...blank, op: "call", type: "i32", args, helper });
  }

  exit(helper: string, ...args: Value[]): void {
    this.put({ ...blank, op: "exit", type: undefined, args, helper });
  }

  jump(target: Value): void {
    this.put({ ...blank, op: "jump", type: undefined, args: [target] });
  }

  // biome-ignore lint/suspicious/noConfusingVoidType: see above
  protected nested(build: () => Value | void): Block {
    const outer = this.#block;
    const inner: Block = { nodes: [], result: undefined };
    this.#block = inner;
    inner.result = build() || undefined;
    this.#block = outer;
    return inner;
  }

  protected put(node: Node): Node {
    if (!terminated(this.#block)) this.#block.nodes.push(node);
    return node;
  }
}
