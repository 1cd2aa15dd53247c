import * as floating from "./floating.ts";
import { Attribute, byExtendedOpcode, op, type Row } from "./pattern.ts";
import * as system from "./system-bodies.ts";

/*
 * Primary opcodes 59 and 63, floating point, by extended opcode. Arithmetic has five bits of extended opcode, with FRC in the five before them
 * where it has three operands. None of the arithmetic is there yet: its rows say so when they are met.
 */

const { record: Rc } = Attribute;

type Entry = readonly [number, Row];

/** Arithmetic with a five-bit opcode: each of the 32 numbers that end in it. */
function arithmetic(mnemonic: string, xo: number): Entry[] {
  const row = op(mnemonic, "W", system.floatingPoint);
  return Array.from({ length: 32 }, (_, frc) => [frc * 32 + xo, row]);
}

function unary(mnemonic: string, xo: number): Entry {
  return [xo, op(mnemonic, "W", system.floatingPoint)];
}

export const table59 = byExtendedOpcode([
  ...arithmetic("fdivs", 18),
  ...arithmetic("fsubs", 20),
  ...arithmetic("fadds", 21),
  ...arithmetic("fres", 24),
  ...arithmetic("fmuls", 25),
  ...arithmetic("fmsubs", 28),
  ...arithmetic("fmadds", 29),
  ...arithmetic("fnmsubs", 30),
  ...arithmetic("fnmadds", 31),
]);

const fsel = op("fsel", "FT,FA,FB,FC", floating.fsel, Rc);

export const table63 = byExtendedOpcode([
  [0, op("fcmpu", "BF,FA,FB", floating.compare("compareUnordered"))],
  unary("frsp", 12),
  unary("fctiw", 14),
  unary("fctiwz", 15),
  ...arithmetic("fdiv", 18),
  ...arithmetic("fsub", 20),
  ...arithmetic("fadd", 21),
  ...Array.from({ length: 32 }, (_, frc) => [frc * 32 + 23, fsel] as const),
  ...arithmetic("fmul", 25),
  ...arithmetic("frsqrte", 26),
  ...arithmetic("fmsub", 28),
  ...arithmetic("fmadd", 29),
  ...arithmetic("fnmsub", 30),
  ...arithmetic("fnmadd", 31),
  [32, op("fcmpo", "BF,FA,FB", floating.compare("compareOrdered"))],
  [38, op("mtfsb1", "W", floating.status("mtfsb1"), Rc)],
  [40, op("fneg", "FT,FB", floating.fneg, Rc)],
  [64, op("mcrfs", "W", floating.status("mcrfs"))],
  [70, op("mtfsb0", "W", floating.status("mtfsb0"), Rc)],
  [72, op("fmr", "FT,FB", floating.fmr, Rc)],
  [134, op("mtfsfi", "W", floating.status("mtfsfi"), Rc)],
  [136, op("fnabs", "FT,FB", floating.fnabs, Rc)],
  [264, op("fabs", "FT,FB", floating.fabs, Rc)],
  [583, op("mffs", "FT", floating.mffs, Rc)],
  [711, op("mtfsf", "W", floating.status("mtfsf"), Rc)],
]);
