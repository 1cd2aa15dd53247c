import { byCode, codeOf } from "./codes.ts";
import { type AccessWidth, type Block, type Effect, Node, terminated } from "./node.ts";
import { type Operation, operations, type Type } from "./ops.ts";
import { fold } from "./simplify.ts";
import type { Slot } from "./slots.ts";

/** What a front end calls a node that has a value. */
export type Value = Node;

/** The type of what each operation gives, where that is not the type of its last argument. */
const results = byCode<Type>(
  Object.entries(operations).flatMap(([op, { signature }]) => {
    const result = signature.slice(signature.indexOf("->") + 2);
    return result === "T" ? [] : [[op, result as Type] as const];
  }),
);

const none: readonly Node[] = [];
const code = {
  const: codeOf("const"),
  field: codeOf("field"),
  pc: codeOf("pc"),
  next_pc: codeOf("next_pc"),
  get: codeOf("get"),
  set: codeOf("set"),
  load: codeOf("load"),
  load_rw: codeOf("load_rw"),
  store: codeOf("store"),
  probe: codeOf("probe"),
  if: codeOf("if"),
  call: codeOf("call"),
  exit: codeOf("exit"),
  jump: codeOf("jump"),
  add: codeOf("add"),
  sub: codeOf("sub"),
  mul: codeOf("mul"),
  and: codeOf("and"),
  or: codeOf("or"),
  xor: codeOf("xor"),
  shl: codeOf("shl"),
  shr_s: codeOf("shr_s"),
  shr_u: codeOf("shr_u"),
  eq: codeOf("eq"),
  ne: codeOf("ne"),
  lt_s: codeOf("lt_s"),
  lt_u: codeOf("lt_u"),
  eqz: codeOf("eqz"),
  sext8: codeOf("sext8"),
  sext16: codeOf("sext16"),
  select: codeOf("select"),
} as const;

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
  /** Where they begin. */
  #from = 0;
  readonly #constants = new Map<number, Value>();
  /** How many nodes it has made. */
  #made = 0;

  constructor(operands: Operands = "open") {
    this.#operands = operands;
  }

  /** What was built. */
  get block(): Block {
    return this.#block;
  }

  /** The operands of the next instruction, when several are built into one block. */
  operands(operands: Operands, from = 0): void {
    this.#operands = operands;
    this.#from = from;
  }

  /** Another block, of which nothing is built yet. */
  protected anew(): void {
    this.#block = { nodes: [], result: undefined };
  }

  /** Forgets the nodes that were made: those to come have their numbers. */
  protected renumber(): void {
    this.#constants.clear();
    this.#made = 0;
  }

  /** From here to the end of the instruction equal values are to be one, where that can be had. */
  unify(): void {}

  /** This condition holds from here on. */
  know(_condition: Value): void {}

  // --- values

  i32(value: number): Value {
    const known = this.#constants.get(value | 0);
    if (known !== undefined) return known;
    // Constants stand nowhere: they are in force everywhere, and are printed where they are used.
    const made = new Node(++this.#made, "const", code.const, "i32", none, value | 0);
    this.#constants.set(value | 0, made);
    return made;
  }

  i64(value: bigint): Value {
    return new Node(++this.#made, "const", code.const, "i64", none, 0, 4, BigInt.asIntN(64, value));
  }

  /** Operand `k` of the instruction: 0..5 are 16 bits unsigned, 6 and 7 are 32 bits. */
  field(k: number): Value {
    if (this.#operands !== "open") return this.i32(this.#operands[this.#from + k] as number);
    return this.node("field", "i32", none, k);
  }

  /** Address of this instruction. */
  pc(): Value {
    return this.node("pc", "i32", none);
  }

  /** Address of the instruction behind this one. */
  nextPc(): Value {
    return this.node("next_pc", "i32", none);
  }

  op(op: Operation, x: Value, y?: Value, z?: Value): Value {
    return this.coded(op, codeOf(op), x, y, z);
  }

  /** An operation whose number is known. */
  protected coded(op: Operation, number: number, x: Value, y?: Value, z?: Value): Value {
    const folded = fold(this, op, number, x, y, z);
    if (folded !== undefined) return folded;
    const args = y === undefined ? [x] : z === undefined ? [x, y] : [x, y, z];
    const type = results[number] ?? (z ?? y ?? x).type;
    return this.put(new Node(++this.#made, op, number, type, args));
  }

  add(a: Value, b: Value): Value {
    return this.coded("add", code.add, a, b);
  }

  sub(a: Value, b: Value): Value {
    return this.coded("sub", code.sub, a, b);
  }

  mul(a: Value, b: Value): Value {
    return this.coded("mul", code.mul, a, b);
  }

  and(a: Value, b: Value): Value {
    return this.coded("and", code.and, a, b);
  }

  or(a: Value, b: Value): Value {
    return this.coded("or", code.or, a, b);
  }

  xor(a: Value, b: Value): Value {
    return this.coded("xor", code.xor, a, b);
  }

  shl(a: Value, b: Value): Value {
    return this.coded("shl", code.shl, a, b);
  }

  shrS(a: Value, b: Value): Value {
    return this.coded("shr_s", code.shr_s, a, b);
  }

  shrU(a: Value, b: Value): Value {
    return this.coded("shr_u", code.shr_u, a, b);
  }

  eq(a: Value, b: Value): Value {
    return this.coded("eq", code.eq, a, b);
  }

  ne(a: Value, b: Value): Value {
    return this.coded("ne", code.ne, a, b);
  }

  ltS(a: Value, b: Value): Value {
    return this.coded("lt_s", code.lt_s, a, b);
  }

  ltU(a: Value, b: Value): Value {
    return this.coded("lt_u", code.lt_u, a, b);
  }

  eqz(a: Value): Value {
    return this.coded("eqz", code.eqz, a);
  }

  not(a: Value): Value {
    return this.coded("xor", code.xor, a, this.i32(-1));
  }

  sext8(a: Value): Value {
    return this.coded("sext8", code.sext8, a);
  }

  sext16(a: Value): Value {
    return this.coded("sext16", code.sext16, a);
  }

  select(condition: Value, yes: Value, no: Value): Value {
    return this.coded("select", code.select, condition, yes, no);
  }

  // --- guest state

  get(slot: Slot): Value {
    return this.node("get", slot.type, none, slot.offset, slot.width);
  }

  set(slot: Slot, value: Value): void {
    this.node("set", undefined, [value], slot.offset, slot.width);
  }

  /** State at byte `offset + base`, where `base` is an operand that may be open. 8 bytes give i64, fewer i32. */
  getAt(base: Value, width: AccessWidth, offset = 0, type: Type = width === 8 ? "i64" : "i32"): Value {
    if (base.op === "const") return this.node("get", type, none, base.imm + offset, width);
    return this.node("get", type, [base], offset, width);
  }

  setAt(base: Value, width: AccessWidth, value: Value, offset = 0): void {
    if (base.op === "const") this.node("set", undefined, [value], base.imm + offset, width);
    else this.node("set", undefined, [value, base], offset, width);
  }

  // --- guest memory

  load(width: AccessWidth, address: Value, type: Type = width === 8 ? "i64" : "i32"): Value {
    return this.node("load", type, [address], 0, width);
  }

  /** A load which faults as a store would: the first half of a read-modify-write. */
  loadRw(width: AccessWidth, address: Value, type: Type = width === 8 ? "i64" : "i32"): Value {
    return this.node("load_rw", type, [address], 0, width);
  }

  store(width: AccessWidth, address: Value, value: Value): void {
    this.node("store", undefined, [address, value], 0, width);
  }

  probe(width: AccessWidth, address: Value): void {
    this.node("probe", undefined, [address], 0, width);
  }

  // --- control

  /** Both arms, or the one that a constant condition leaves. With values in both arms the `if` has a value. */
  // biome-ignore lint/suspicious/noConfusingVoidType: an arm that gives nothing is an ordinary function
  if(condition: Value, then: () => Value | void, otherwise?: () => Value | void): Value | undefined {
    if (condition.op === "const") return (condition.imm !== 0 ? then() : otherwise?.()) || undefined;
    const yes = this.nested(then);
    const no = otherwise && this.nested(otherwise);
    const type = yes.result !== undefined && no?.result !== undefined ? yes.result.type : undefined;
    return this.branch(type, condition, yes, no);
  }

  /** An `if` whose two arms give a value. */
  choose(condition: Value, then: () => Value, otherwise: () => Value): Value {
    return this.if(condition, then, otherwise) as Value;
  }

  call(helper: string, ...args: Value[]): Value {
    return this.node("call", "i32", args, 0, 4, helper);
  }

  exit(helper: string, ...args: Value[]): void {
    this.node("exit", undefined, args, 0, 4, helper);
  }

  jump(target: Value): void {
    this.node("jump", undefined, [target]);
  }

  // biome-ignore lint/suspicious/noConfusingVoidType: see above
  protected nested(build: () => Value | void): Block {
    const outer = this.open();
    return this.close(outer, build() || undefined);
  }

  /** What comes next is in an arm. Gives the block in which that stands, which its end is told. */
  protected open(): Block {
    const outer = this.#block;
    this.#block = { nodes: [], result: undefined };
    return outer;
  }

  protected close(outer: Block, result: Value | undefined): Block {
    const inner = this.#block;
    inner.result = result;
    this.#block = outer;
    return inner;
  }

  /** Puts a node with an effect behind what was built. */
  protected node(
    op: Effect,
    type: Type | undefined,
    args: readonly Node[],
    imm = 0,
    width: AccessWidth = 4,
    helper = "",
  ): Node {
    return this.put(new Node(++this.#made, op, code[op], type, args, imm, width, 0n, helper));
  }

  protected branch(type: Type | undefined, condition: Value, yes: Block, no: Block | undefined): Node {
    return this.put(new Node(++this.#made, "if", code.if, type, [condition], 0, 4, 0n, "", yes, no));
  }

  protected put(node: Node): Node {
    if (!terminated(this.#block)) this.#block.nodes.push(node);
    return node;
  }
}
