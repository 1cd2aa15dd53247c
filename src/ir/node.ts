import type { Operation, Type } from "./ops.ts";

/** Bytes of an access to state or to guest memory. */
export type AccessWidth = 1 | 2 | 4 | 8 | 16;

/**
 * One node of the IR: a value, an effect, or both. Nodes stand in a block in the order in which they happen;
 * an argument is a node which stands before, in this block or in one around it.
 *
 * All have all fields, in one order: regions are made of some hundreds at a time while the guest waits.
 */
export class Node {
  /** From 1 on, of what one builder built. What is known of nodes stands in tables by this number. */
  declare readonly id: number;
  declare readonly op: Operation | Effect;
  /** The number of the operation: see `codes.ts`. */
  declare readonly code: number;
  /** Of the value it gives; undefined when it gives none. */
  declare readonly type: Type | undefined;
  declare readonly args: readonly Node[];
  /** Constant, state offset, field number: what the operation says. */
  declare readonly imm: number;
  /** Of an access to state or to guest memory. */
  declare readonly width: AccessWidth;
  /** A 64-bit constant. */
  declare readonly long: bigint;
  /** Of a call. */
  declare readonly helper: string;
  /** Of an `if`: what happens when the argument is not 0, and when it is. */
  declare readonly yes: Block | undefined;
  declare readonly no: Block | undefined;

  constructor(
    id: number,
    op: Operation | Effect,
    code: number,
    type: Type | undefined,
    args: readonly Node[],
    imm = 0,
    width: AccessWidth = 4,
    long = 0n,
    helper = "",
    yes: Block | undefined = undefined,
    no: Block | undefined = undefined,
  ) {
    this.id = id;
    this.op = op;
    this.code = code;
    this.type = type;
    this.args = args;
    this.imm = imm;
    this.width = width;
    this.long = long;
    this.helper = helper;
    this.yes = yes;
    this.no = no;
  }
}

/**
 * What is not mere computing.
 *
 * - `const`: a number. `field`: an operand of the instruction as it was decoded, left open (the interpreter reads it from the
 *   record; a region has the constant in its place). `pc`, `next_pc`: the address of this instruction and of the one behind it.
 * - `get`, `set`: guest state at byte `imm`, plus the first argument when there is one (a register number that is left open).
 *   Narrow reads come zero-extended.
 * - `load`, `store`: guest memory, little-endian; they may fault, and then nothing behind them happens: a body writes no state before
 *   its last access that may fault. `load_rw` faults as a store would, for an instruction that reads what it will write. `probe` faults
 *   as a store would and does nothing else.
 * - `if`: with a value when both blocks end in one.
 * - `call`: a helper of the front end; the state is in memory around it. `exit`: the same, and the instruction ends with the status that
 *   it gives (see `Status`). `jump`: the instruction ends and control goes to the argument.
 */
export type Effect =
  | "const"
  | "field"
  | "pc"
  | "next_pc"
  | "get"
  | "set"
  | "load"
  | "load_rw"
  | "store"
  | "probe"
  | "if"
  | "call"
  | "exit"
  | "jump";

/** Nodes in order. `result` is the value of an `if`'s arm. */
export interface Block {
  readonly nodes: Node[];
  result: Node | undefined;
}

const noArms: readonly Block[] = [];

/** The blocks that a node may go into. */
export function armsOf({ yes, no }: Node): readonly Block[] {
  if (yes === undefined) return no === undefined ? noArms : [no];
  return no === undefined ? [yes] : [yes, no];
}

/** How an instruction ended. Helpers that end an instruction return one of these. */
export const Status = {
  /** Go on with the next instruction in order. */
  next: 0,
  /** Go on at the pc in the state. */
  jump: 1,
  /** A fault is recorded in the front end: it is to be delivered. */
  fault: 2,
  /** Leave the run loop; the pc of the next instruction is in the state. */
  leave: 3,
} as const;

/** Whether a block ends in a node behind which nothing happens. */
export function terminated(block: Block): boolean {
  const { nodes } = block;
  const last = nodes[nodes.length - 1];
  if (last === undefined) return false;
  if (last.op === "exit" || last.op === "jump") return true;
  return (
    last.op === "if" && last.yes !== undefined && last.no !== undefined && terminated(last.yes) && terminated(last.no)
  );
}
