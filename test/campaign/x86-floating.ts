import { escapes } from "../../src/cpu/x86/fpu/table-x87.ts";
import { type Entry, Row } from "../../src/cpu/x86/pattern.ts";
import { prefixed, prefixed3a, prefixed38 } from "../../src/cpu/x86/simd/table-simd.ts";
import { dataAt } from "../support/x86-vectors.ts";
import { isApproximate } from "./x86-approximate.ts";
import { byMnemonic, le, type Opcode } from "./x86-case.ts";
import type { Maker } from "./x86-maker.ts";

/*
 * x87, MMX and SSE: left out are FXSAVE and FXRSTOR, whose images tell of the processor. Of what FNSTENV and FNSAVE store the last three fields are taken
 * away again, for the same reason. Where a result is only bounded, it is by itself: x86-approximate.ts.
 */

const left = /^(fnsave|fnstenv|fxsave|fxrstor)$/;

function rows(entry: Entry, bytes: readonly number[], prefix: number | undefined): Opcode[] {
  if (entry === undefined) return [];
  if (entry instanceof Row)
    return left.test(entry.mnemonic) ? [] : [{ row: entry, bytes, prefix, digit: undefined, modrm: undefined }];
  // Which ModRM values a row has, by the row.
  const found = new Map<Row, { digits: number[]; modrm: number[] }>();
  for (const [k, row] of entry.entries()) {
    if (row === undefined || left.test(row.mnemonic)) continue;
    const known = found.get(row) ?? { digits: [], modrm: [] };
    if (k < 8) known.digits.push(k);
    else known.modrm.push(0xc0 | (k - 8));
    found.set(row, known);
  }
  return [...found].map(([row, { digits, modrm }]) => ({
    row,
    bytes,
    prefix,
    // Where it has all eight, ModRM's reg is an operand.
    digit: digits.length === 1 ? digits[0] : undefined,
    modrm: digits.length === 0 ? modrm : digits.length === 1 ? [(digits[0] as number) << 3] : undefined,
  }));
}

const allX87 = byMnemonic(escapes.flatMap((entry, k) => rows(entry, [0xd8 + k], undefined)));

const prefixes = [undefined, 0x66, 0xf3, 0xf2];
const allVectors = byMnemonic(
  [[[0x0f], prefixed] as const, [[0x0f, 0x38], prefixed38] as const, [[0x0f, 0x3a], prefixed3a] as const].flatMap(
    ([map, table]) =>
      [...table.entries()].flatMap(([opcode, choice]) =>
        (choice ?? []).flatMap((entry, k) => rows(entry, [...map, opcode], prefixes[k])),
      ),
  ),
);

const only = (all: ReadonlyMap<string, readonly Opcode[]>, approximate: boolean) =>
  new Map([...all].filter(([mnemonic]) => isApproximate(mnemonic) === approximate));

/** By mnemonic. */
export const x87 = only(allX87, false);
export const vectors = only(allVectors, false);
/** Whose results are bounded only. */
export const approximate = new Map([...only(allX87, true), ...only(allVectors, true)]);

const sizes: Record<string, number> = { w: 2, d: 4, q: 8, o: 16 };

/** Bytes of the memory operand. */
function width(opcode: Opcode): number {
  const operand = opcode.row.operands.find((o) => "MEQW".includes(o.letter));
  if (/80$|^fb/.test(opcode.row.mnemonic)) return 10;
  return sizes[operand?.size ?? ""] ?? 4;
}

export function one(m: Maker, opcode: Opcode): void {
  const { random } = m;
  const bytes = width(opcode);
  const aligned = bytes === 16 && !/u(ps|pd)|dqu|lddqu/.test(opcode.row.mnemonic) && !random.once(16);
  m.add(
    opcode.row.mnemonic,
    m.encode(opcode, { first: m.elements.length === 0, width: bytes, ...(aligned ? { alignment: 16 } : {}) }),
  );
}

/** FNSTENV or FNSAVE at the beginning of memory, and zeros over the fields which tell of the processor. */
function image(m: Maker): void {
  const { random } = m;
  const narrow = random.once(4) && m.wide.length === 0;
  const at = dataAt - m.base(3);
  const address = (k: number) =>
    [...m.wideAddress, ...(narrow ? [0x66] : m.wide)].concat([0xc7, 0x05, ...le(at + k, 4), ...le(0, narrow ? 2 : 4)]);
  const prefix = [...m.wideAddress, ...(narrow ? [0x66] : m.wide)];
  m.add("fnstenv", [
    ...prefix,
    ...random.pick([
      [0xd9, 0x35],
      [0xdd, 0x35],
    ]),
    ...le(at, 4),
  ]);
  for (const k of narrow ? [8, 10, 12] : [16, 20, 24]) m.add("mov", address(k));
}

export function floating(m: Maker): void {
  const { random } = m;
  if (random.once(40)) {
    one(m, random.pick(x87.get(random.pick([...x87.keys()])) ?? []));
    if (m.room >= 46) image(m);
    return;
  }
  if (random.once(12)) {
    const opcode = random.pick(approximate.get(random.pick([...approximate.keys()])) ?? []);
    m.suit(opcode.row);
    one(m, opcode);
    if (random.once(3)) m.add("wait", [0x9b]);
    return;
  }
  const count = random.once(3) ? 1 : 2 + random.below(4);
  // One kind mostly, as x87 and MMX registers are the same.
  const mostly = random.once(2) ? x87 : vectors;
  for (let k = 0; k < count && m.room >= 16; k++) {
    const kind = random.once(12) ? (mostly === x87 ? vectors : x87) : mostly;
    if (random.once(24)) m.add("wait", [0x9b]);
    else {
      const opcode = random.pick(kind.get(random.pick([...kind.keys()])) ?? []);
      if (k === 0) m.suit(opcode.row);
      one(m, opcode);
    }
  }
}
