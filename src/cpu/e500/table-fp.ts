import * as floating from "./floating.ts";
import { Attribute, byExtendedOpcode, op, type Row } from "./pattern.ts";

/*
 * Primary opcodes 59 and 63, floating point, by extended opcode. Arithmetic has five bits of extended opcode, with FRC in the five before them
 * where it has three operands. fsqrt, fre, frsqrtes and the conversions of 64-bit integers are not in this core. Core manual, "Instruction Model".
 */

const { record: Rc } = Attribute;

type Entry = readonly [number, Row];

/** Five bits of extended opcode: each of the 32 numbers that end in it. */
function five(mnemonic: string, xo: number, operands: string, body = floating.arithmetic(mnemonic)): Entry[] {
  const row = op(mnemonic, operands, body, Rc);
  return Array.from({ length: 32 }, (_, frc) => [frc * 32 + xo, row]);
}

const [ab, ac, abc, b] = ["FT,FA,FB,W", "FT,FA,FC,W", "FT,FA,FB,FC,W", "FT,FB,W"];

export const table59 = byExtendedOpcode([
  ...five("fdivs", 18, ab),
  ...five("fsubs", 20, ab),
  ...five("fadds", 21, ab),
  ...five("fres", 24, b),
  ...five("fmuls", 25, ac),
  ...five("fmsubs", 28, abc),
  ...five("fmadds", 29, abc),
  ...five("fnmsubs", 30, abc),
  ...five("fnmadds", 31, abc),
]);

export const table63 = byExtendedOpcode([
  [0, op("fcmpu", "BF,FA,FB", floating.compare("compareUnordered"))],
  [12, op("frsp", b, floating.arithmetic("frsp"), Rc)],
  [14, op("fctiw", b, floating.arithmetic("fctiw"), Rc)],
  [15, op("fctiwz", b, floating.arithmetic("fctiwz"), Rc)],
  ...five("fdiv", 18, ab),
  ...five("fsub", 20, ab),
  ...five("fadd", 21, ab),
  ...five("fsel", 23, "FT,FA,FB,FC", floating.fsel),
  ...five("fmul", 25, ac),
  ...five("frsqrte", 26, b),
  ...five("fmsub", 28, abc),
  ...five("fmadd", 29, abc),
  ...five("fnmsub", 30, abc),
  ...five("fnmadd", 31, abc),
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
