import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { X87Runner } from "../../../support/x87-run.ts";

/* Samples of Berkeley TestFloat 3e for the double extended format. */

const folder = new URL("../../../../../shared/oracle/vectors/testfloat/", import.meta.url);
const there = existsSync(folder);
if (!there) console.warn("TestFloat's samples (../shared/oracle/vectors) are not here: the x87 is not held to them");

const modes = [
  ["near_even", 0],
  ["min", 1],
  ["max", 2],
  ["minMag", 3],
] as const;

/** The opcode, with what is put into memory or taken from it. */
const operations = {
  add: "d8c1",
  sub: "d8e1",
  mul: "d8c9",
  div: "d8f1",
  sqrt: "d9fa",
  roundToInt: "d9fc",
  to_f32: "d913",
  to_f64: "dd13",
  to_i32: "db13",
  to_i64: "df3b",
} as const;

const widths: Record<string, number> = { to_f32: 4, to_f64: 8, to_i32: 4, to_i64: 8 };

/** TestFloat's exception bits as the status word has them; it knows no denormal operands. */
function flags(testFloat: number): number {
  return (
    ((testFloat & 1) << 5) |
    ((testFloat & 2) << 3) |
    ((testFloat & 4) << 1) |
    ((testFloat & 8) >> 1) |
    ((testFloat & 16) >> 4)
  );
}

function lines(operation: string, mode: string): string[] {
  const text = gunzipSync(readFileSync(new URL(`extF80_${operation}-${mode}-tinyafter.txt.gz`, folder))).toString();
  return text.trim().toLowerCase().split("\n");
}

const zero = "0".repeat(20);
const reversed = (text: string) => Buffer.from(text, "hex").reverse().toString("hex");
const isNaN80 = (text: string) => /^[7f]fff/.test(text) && !/^[7f]fff8000000000000000$/.test(text);

describe.skipIf(!there).each(modes)("rounding %s", (name, mode) => {
  const runner = new X87Runner("interpreter");
  const run = (code: string, a: string, b: string) =>
    runner.run(code, {
      control: 0x37f | (mode << 10),
      status: 0x3000,
      used: 0xc0,
      registers: [a, b, zero, zero, zero, zero, zero, zero],
      memory: "00".repeat(32),
      eax: 0,
      flags: 0,
    }).state;

  it.each(Object.keys(operations) as (keyof typeof operations)[])(
    "%s gives TestFloat's results and flags",
    (operation) => {
      for (const line of lines(operation, name)) {
        const words = line.split(" ");
        const [a, b] = [words[0] as string, words.length === 4 ? (words[1] as string) : zero];
        const state = run(operations[operation], a, b);
        const expected = words.at(-2) as string;
        const raised = flags(Number.parseInt(words.at(-1) as string, 16));
        const width = widths[operation];
        const result = width === undefined ? state.registers[0] : reversed(state.memory.slice(0, 2 * width));
        if (result !== expected || (state.status & 0x3d) !== raised)
          expect.fail(`${line}: ${result} with flags ${state.status & 0x3d}`);
      }
    },
  );
});

describe.skipIf(!there)("whatever the rounding is", () => {
  const runner = new X87Runner("interpreter");
  const run = (code: string, a: string, b: string) =>
    runner.run(code, {
      control: 0x37f,
      status: 0x3000,
      used: 0xc0,
      registers: [a, b, zero, zero, zero, zero, zero, zero],
      memory: "00".repeat(32),
      eax: 0,
      flags: 0,
    }).state;

  it("FPREM1, repeated while C2 is set, gives TestFloat's remainders", () => {
    for (const line of lines("rem", "near_even")) {
      const [a, b, expected] = line.split(" ") as [string, string, string];
      let state = run("d9f5", a, b);
      let steps = 0;
      while ((state.status & 0x400) !== 0 && steps++ < 1100) state = run("d9f5", state.registers[0] as string, b);
      const result = state.registers[0] as string;
      if (isNaN80(expected) && isNaN80(result)) continue;
      if (result !== expected) expect.fail(`${line}: ${result}`);
    }
  });

  it("FCOM and FUCOM compare as TestFloat does", () => {
    for (const [operation, code] of [
      ["lt", "d8d1"],
      ["eq", "dde1"],
    ] as const) {
      for (const line of lines(operation, "near_even")) {
        const [a, b, expected, raised] = line.split(" ") as [string, string, string, string];
        const { status } = run(code, a, b);
        const relation = status & 0x4500;
        const holds = operation === "lt" ? relation === 0x100 : relation === 0x4000;
        if (holds !== (expected === "1") || (status & 0x3d) !== flags(Number.parseInt(raised, 16)))
          expect.fail(`${line}: ${relation.toString(16)} with flags ${status & 0x3d}`);
      }
    }
  });
});
