import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { FloatingUnit, Xo } from "../../../src/cpu/e500/floating-unit.ts";
import { Exact, root } from "../../../src/cpu/ieee/exact.ts";
import { double, Rounded, round, single } from "../../../src/cpu/ieee/round.ts";

/* Samples of Berkeley TestFloat 3e for single and double precision, tininess before rounding as PowerPC has it. */

const folder = new URL("../../../../shared/oracle/vectors/testfloat/", import.meta.url);
const there = existsSync(folder);
if (!there) console.warn("TestFloat's samples (../shared/oracle/vectors) are not here: the e500 is not held to them");

const modes = [
  ["near_even", 0],
  ["minMag", 1],
  ["max", 2],
  ["min", 3],
] as const;

/** By TestFloat's name: what computes it. Operands come in the order x, y, z of x + y, x * y, x * y + z. */
const operations = {
  f64_add: [63, Xo.fadd],
  f64_sub: [63, Xo.fsub],
  f64_mul: [63, Xo.fmul],
  f64_div: [63, Xo.fdiv],
  f64_mulAdd: [63, Xo.fmadd],
  f64_to_f32: [63, Xo.frsp],
  f64_to_i32: [63, Xo.fctiw],
  f32_add: [59, Xo.fadd],
  f32_mul: [59, Xo.fmul],
  f32_div: [59, Xo.fdiv],
  f32_mulAdd: [59, Xo.fmadd],
  f32_to_i32: [63, Xo.fctiw],
} as const;

function lines(operation: string, mode: string): string[][] {
  const text = gunzipSync(readFileSync(new URL(`${operation}-${mode}-tinybefore.txt.gz`, folder))).toString();
  return text
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
}

const state = new DataView(new ArrayBuffer(64));
const words = new Int32Array(state.buffer);
const scratch = new DataView(new ArrayBuffer(8));

/** TestFloat's hex as a number; NaNs, whose payloads are not compared, as any. */
function number(text: string): number {
  scratch.setBigUint64(0, BigInt(`0x${text}`) << (text.length === 8 ? 32n : 0n));
  return text.length === 8 ? scratch.getFloat32(0) : scratch.getFloat64(0);
}

function put(at: number, text: string): void {
  if (text.length === 16) state.setBigUint64(at, BigInt(`0x${text}`), true);
  else {
    const bits = Number.parseInt(text, 16);
    const isNaN32 = (bits & 0x7fff_ffff) > 0x7f80_0000;
    // lfs keeps a signalling NaN what it is.
    if (isNaN32) state.setUint32(at + 4, ((bits & 0x8000_0000) | 0x7ff0_0000 | ((bits & 0x7f_ffff) >>> 3)) >>> 0, true);
    if (isNaN32) state.setUint32(at, (bits << 29) >>> 0, true);
    else state.setFloat64(at, number(text), true);
  }
}

/** Exceptions as TestFloat says them: 1 inexact, 2 underflow, 4 overflow, 8 infinite, 16 invalid. */
function flags(status: number): number {
  const some = (bits: number, flag: number) => ((status & bits) !== 0 ? flag : 0);
  return (
    some(0x0200_0000, 1) | some(0x0800_0000, 2) | some(0x1000_0000, 4) | some(0x0400_0000, 8) | some(0x01f8_0700, 16)
  );
}

describe.skipIf(!there).each(modes)("rounding %s", (name, mode) => {
  const unit = new FloatingUnit();
  unit.attach(words);

  it.each(Object.keys(operations) as (keyof typeof operations)[])(
    "%s gives TestFloat's results and flags",
    (operation) => {
      const [opcode, xo] = operations[operation];
      const word = ((opcode << 26) | (xo << 1)) >>> 0;
      for (const line of lines(operation, name)) {
        const operands = line.slice(0, -2);
        const wanted = line.at(-2) as string;
        const [a, b, c] =
          xo === Xo.fmul ? [8, 0, 16] : xo === Xo.fmadd ? [8, 24, 16] : operands.length === 1 ? [0, 8, 0] : [8, 16, 0];
        for (const [k, text] of operands.entries()) put(8 * (k + 1), text);
        unit.compute(word, a, b, c, mode);
        state.setInt32(0, unit.low, true);
        state.setInt32(4, unit.high, true);
        const raised = flags(unit.status);
        if (xo === Xo.fctiw) {
          // TestFloat's integer for what does not fit is another one.
          if ((raised & 16) === 0) expect(unit.low, line.join(" ")).toBe(Number.parseInt(wanted, 16) | 0);
        } else if (!Object.is(state.getFloat64(0, true), number(wanted)))
          expect.fail(`${line.join(" ")}: ${state.getFloat64(0, true)}`);
        if (raised !== Number.parseInt(line.at(-1) as string, 16)) expect.fail(`${line.join(" ")}: flags ${raised}`);
      }
    },
  );

  it.each(["f64_sqrt", "f32_sqrt"])("%s too, for the library's root", (operation) => {
    const exact = new Exact();
    const rounded = new Rounded();
    for (const line of lines(operation, name)) {
      const x = number(line[0] as string);
      if (!(x >= 0 && x < Infinity)) continue;
      root(x, exact);
      round(exact, operation === "f64_sqrt" ? double : single, mode, 0, rounded);
      expect([rounded.value, rounded.inexact ? 1 : 0], line.join(" ")).toEqual([
        number(line[1] as string),
        Number.parseInt(line[2] as string, 16),
      ]);
    }
  });
});
