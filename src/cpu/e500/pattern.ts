import type { Form } from "../../ir/frontend.ts";
import type { Instruction } from "./instruction.ts";

/** An instruction's meaning. */
export type Body = (i: Instruction) => void;

/**
 * Operands by the names which Power ISA 2.06 Book I section 1.6 gives the fields of an instruction, and the operand of the decoded
 * instruction where each goes. Register operands are offsets in the state.
 *
 * - `T` RT, RS (0), `A` RA (1), `A0` (RA|0) (1), `B` RB (2); `FT` FRT, FRS (0), `FA` (1), `FB` (2), `FC` (3)
 * - `SI` signed, `UI` unsigned, `SIS` and `UIS` the same shifted left by 16; `BD` and `LI` branch displacements; `W` the whole word (6)
 * - `SH` shift (4), `M` the mask from MB and ME (7), `NB` a small number where RB would be (4)
 * - `BF` (3) and `BFA` (5) CR fields; `BI`, `BC` a CR bit: field (3) and place in it (4)
 * - `BT`, `BA`, `BB` CR bits of the logical instructions: fields (0, 1, 2) and places (3, 4, 5)
 */
export type Operand =
  | ("T" | "A" | "A0" | "B" | "FT" | "FA" | "FB" | "FC")
  | ("SI" | "UI" | "SIS" | "UIS" | "BD" | "LI" | "W" | "SH" | "M" | "NB")
  | ("BF" | "BFA" | "BI" | "BC" | "BT" | "BA" | "BB");

/** What else the decoder has to know of an instruction. Bits, so that rows can add them. */
export const Attribute = {
  /** Rc: bit 31 asks for CR0. */
  record: 1,
  /** OE: bit 21 asks for OV and SO. */
  overflow: 2,
  /** A branch: bit 31 is LK and bit 30 is AA. */
  branch: 4,
  /** See `Form.ends`. */
  ends: 8,
  /** Supervisor only: a privileged-instruction exception in problem state. */
  privileged: 16,
  /** The field of RT (BO, TO, the first register of a multiple, T of tlbilx) is part of the form. */
  first: 32,
  /** The SPR or PMR number is part of the form. */
  register: 64,
  /** FXM of mtcrf and mfcr is part of the form, with the bit before it that tells mtocrf and mfocrf. */
  fields: 128,
  /** Whether RA is 0 is part of the form. */
  plain: 256,
  /** Whether RS and RB are one register is part of the form. */
  same: 512,
  /** Bit 16, E of wrteei, is part of the form. */
  bit16: 1024,
} as const;

/**
 * What tells two forms of one row apart: a number made of these. `special` is the field which the row's attributes name.
 */
export const Variant = { record: 1, overflow: 2, debug: 4, plain: 8, same: 16 } as const;
export const specialShift = 8;

/** Looks at an instruction word and the privilege: what is wrong with it, if anything. */
export type Check = (word: number, user: boolean) => "illegal" | "privileged" | undefined;

/** One instruction. */
export class Row {
  readonly mnemonic: string;
  readonly operands: readonly Operand[];
  readonly body: Body;
  readonly attributes: number;
  readonly check: Check | undefined;
  readonly forms = new Map<number, Form>();

  constructor(mnemonic: string, pattern: string, body: Body, attributes: number, check: Check | undefined) {
    this.mnemonic = mnemonic;
    this.operands = pattern === "" ? [] : (pattern.split(",") as Operand[]);
    this.body = body;
    this.attributes = attributes;
    this.check = check;
  }

  has(attribute: number): boolean {
    return (this.attributes & attribute) !== 0;
  }
}

/** Rows by extended opcode; a hole is no instruction. */
export type Table = readonly (Row | undefined)[];

/** Makes a table of 1024 extended opcodes from rows in their order. With OE an instruction has a second one, 512 further on. */
export function byExtendedOpcode(rows: readonly (readonly [number, Row])[]): Table {
  const table: (Row | undefined)[] = Array.from({ length: 1024 }, () => undefined);
  for (const [xo, row] of rows) {
    for (const at of row.has(Attribute.overflow) ? [xo, xo + 512] : [xo]) {
      if (table[at] !== undefined) throw new Error(`extended opcode ${at}: ${table[at].mnemonic} and ${row.mnemonic}`);
      table[at] = row;
    }
  }
  return table;
}

/** An instruction's row. `operands` as in "T,A,B". */
export function op(mnemonic: string, operands: string, body: Body, attributes = 0, check?: Check): Row {
  return new Row(mnemonic, operands, body, attributes, check);
}
