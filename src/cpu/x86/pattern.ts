import type { FormOfModels, Instruction } from "./instruction.ts";

/** An instruction's meaning, written with its operands as the table gives them: operand 0 is the leftmost. */
export type Body = (i: Instruction) => void;

/**
 * How an operand is found, in the letters of the SDM's opcode maps (vol. 2 appendix A.2) where it has one.
 *
 * - `E` register or memory by ModRM, `M` memory only, `R` the register of ModRM's r/m whatever mod says, `G` the register of ModRM's reg
 * - `Z` register in the opcode, `A` AL, AX or EAX, `L` CL, `1` the number one
 * - `I` immediate, sign-extended, `U` immediate, zero-extended, `J` displacement from the next instruction, `P` far pointer
 * - `O` memory at an offset in the instruction, `X` memory at DS:ESI, `Y` memory at ES:EDI, `B` memory at DS:EBX + AL
 * - `N` MMX register and `V` XMM register of ModRM's reg, `Q` and `W` the same of r/m or memory
 * - `S` segment register of ModRM's reg, `T` segment register in bits 5..3 of the opcode, `C` control and `D` debug register of ModRM's reg
 */
export type Letter =
  | "N"
  | "Q"
  | "V"
  | "W"
  | "E"
  | "M"
  | "R"
  | "G"
  | "Z"
  | "A"
  | "L"
  | "1"
  | "I"
  | "U"
  | "J"
  | "P"
  | "O"
  | "X"
  | "Y"
  | "B"
  | "S"
  | "T"
  | "C"
  | "D";

/** Size in bytes; `v` is 2 or 4 by operand size; `o` is 16; `p` a far pointer, `s` a table register's image. */
export type Size = "b" | "w" | "d" | "q" | "o" | "v" | "p" | "s";

export interface OperandSpec {
  readonly letter: Letter;
  readonly size: Size;
}

/** What else the decoder has to know of an opcode. Bits, so that rows can add them. */
export const Attribute = {
  /** Uses the stack: its width and whether it is flat are part of the form. */
  stack: 1,
  /** Goes to an offset in CS, which has to be checked against the limit. */
  near: 2,
  /** Depends on the address size without having a ModRM operand. */
  address: 4,
  /** Depends on the operand size without having an operand that shows it. */
  size: 8,
  /** REP and REPNE mean something. */
  repeat: 16,
  /** See `Form.ends`. */
  ends: 32,
  /** LOCK may stand before it when operand 0 is memory. */
  lock: 64,
  /** #UD in real and virtual-8086 mode. */
  protected: 128,
  /** #GP(0) at privilege 3. */
  privileged: 256,
  /** ENTER: the nesting level is part of the form. */
  level: 512,
  /** Differs in virtual-8086 mode. */
  v86: 1024,
} as const;

/**
 * What tells two forms of one row apart. `kind` is how the ModRM operand (or the string's segment) is reached; the masks say where each
 * thing lies in the number that is a form's key within its row.
 */
export const Variant = {
  o32: 1,
  a32: 2,
  kind: 0xc,
  ss32: 0x10,
  flatStack: 0x20,
  repeat: 0xc0,
  checkNear: 0x100,
  v86: 0x200,
  level: 0x7c00,
} as const;
export const kindShift = 2;
export const repeatShift = 6;
export const levelShift = 10;

/** Register; memory at base + displacement; memory with an index as well; memory in a segment that is added and checked. */
export const Kind = { register: 0, flat: 1, indexed: 2, segmented: 3 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** Prefixes of string instructions: none, F2, F3. */
export const Repeat = { none: 0, whileNotEqual: 1, whileEqual: 2 } as const;

/** One opcode, or one member of a group. */
export class Row {
  readonly mnemonic: string;
  readonly pattern: string;
  readonly operands: readonly OperandSpec[];
  readonly body: Body;
  readonly attributes: number;
  /** Which bits of a variant matter. */
  readonly facets: number;
  readonly modrm: boolean;
  readonly forms = new Map<number, FormOfModels>();

  constructor(mnemonic: string, pattern: string, body: Body, attributes: number) {
    this.mnemonic = mnemonic;
    this.pattern = pattern;
    this.operands =
      pattern === "" ? [] : pattern.split(",").map((text) => ({ letter: text[0] as Letter, size: text[1] as Size }));
    this.body = body;
    this.attributes = attributes;
    this.modrm = this.operands.some((o) => "EMRGSCDNQVW".includes(o.letter));
    this.facets = facetsOf(this.operands, attributes);
  }

  has(attribute: number): boolean {
    return (this.attributes & attribute) !== 0;
  }
}

function facetsOf(operands: readonly OperandSpec[], attributes: number): number {
  let facets = 0;
  if (operands.some((o) => o.size === "v" || o.size === "p" || o.size === "s")) facets |= Variant.o32;
  if (operands.some((o) => "EMOXYBQW".includes(o.letter))) facets |= Variant.a32 | Variant.kind;
  if (attributes & Attribute.stack) facets |= Variant.ss32 | Variant.flatStack | Variant.o32;
  if (attributes & Attribute.near) facets |= Variant.checkNear | Variant.o32;
  if (attributes & Attribute.address) facets |= Variant.a32;
  if (attributes & Attribute.size) facets |= Variant.o32;
  if (attributes & Attribute.repeat) facets |= Variant.repeat;
  if (attributes & Attribute.level) facets |= Variant.level;
  if (attributes & Attribute.v86) facets |= Variant.v86;
  return facets;
}

const rows = new Map<string, Row>();

/** One opcode's row, `operands` as in "Ev,Gv". Opcodes that mean the same with the same operands share it, and so its forms. */
export function op(mnemonic: string, operands: string, body: Body, attributes = 0): Row {
  const name = `${mnemonic} ${operands}`;
  const known = rows.get(name);
  if (known === undefined) {
    const row = new Row(mnemonic, operands, body, attributes);
    rows.set(name, row);
    return row;
  }
  if (known.body !== body || known.attributes !== attributes) throw new Error(`two instructions are called ${name}`);
  return known;
}

/**
 * Eight rows told apart by ModRM's reg; undefined where there is no instruction. Behind them may stand 64 for register operands, told apart by ModRM's reg and r/m.
 */
export type Group = readonly (Row | undefined)[];
export type Entry = Row | Group | undefined;
