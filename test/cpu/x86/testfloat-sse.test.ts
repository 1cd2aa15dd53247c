import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type Answer, fpuOffset } from "../../campaign/x86-answer.ts";
import { initialFpu, offset } from "../../campaign/x86-fpu-state.ts";
import { CampaignMachine } from "../../campaign/x86-machine.ts";
import { codeAt, dataAt, stackTop } from "../../support/x86-vectors.ts";

/* Samples of Berkeley TestFloat 3e for single and double precision, all of them, by SSE and SSE2; and what the x87 loads. */

const folder = new URL("../../../../shared/oracle/vectors/testfloat/", import.meta.url);
const there = existsSync(folder);
if (!there) console.warn("TestFloat's samples (../shared/oracle/vectors) are not here: SSE is not held to them");

const modes = [
  ["near_even", 0],
  ["min", 1],
  ["max", 2],
  ["minMag", 3],
] as const;

/** Operands go to XMM1 and XMM2, to XMM2 alone when there is one, to EDX, or to memory at EBX. */
type Where = "xmm" | "edx" | "memory";
type Result = "xmm4" | "xmm8" | "ecx" | "truth" | "st";

interface Operation {
  readonly name: string;
  readonly code: string;
  readonly from: Where;
  readonly to: Result;
}

const operations: readonly Operation[] = [
  ...(["f3", "f2"] as const).flatMap((prefix) => {
    const [f, to] = prefix === "f3" ? (["f32", "xmm4"] as const) : (["f64", "xmm8"] as const);
    return [
      ["add", "58"],
      ["mul", "59"],
      ["sub", "5c"],
      ["div", "5e"],
      ["sqrt", "51"],
    ].map(([name, opcode]) => ({ name: `${f}_${name}`, code: `${prefix}0f${opcode}ca`, from: "xmm" as const, to }));
  }),
  { name: "f32_to_f64", code: "f30f5aca", from: "xmm", to: "xmm8" },
  { name: "f64_to_f32", code: "f20f5aca", from: "xmm", to: "xmm4" },
  { name: "f32_to_i32", code: "f30f2dca", from: "xmm", to: "ecx" },
  { name: "f64_to_i32", code: "f20f2dca", from: "xmm", to: "ecx" },
  { name: "i32_to_f32", code: "f30f2aca", from: "edx", to: "xmm4" },
  { name: "i32_to_f64", code: "f20f2aca", from: "edx", to: "xmm8" },
  { name: "f64_eq", code: "f20fc2ca00", from: "xmm", to: "truth" },
  { name: "f64_lt", code: "f20fc2ca01", from: "xmm", to: "truth" },
  { name: "f32_to_extF80", code: "d903", from: "memory", to: "st" },
  { name: "f64_to_extF80", code: "dd03", from: "memory", to: "st" },
  { name: "i64_to_extF80", code: "df2b", from: "memory", to: "st" },
];

/** TestFloat's exception bits as MXCSR and the status word have them; it knows no denormal operands. */
function flags(testFloat: number): number {
  return (
    ((testFloat & 1) << 5) |
    ((testFloat & 2) << 3) |
    ((testFloat & 4) << 1) |
    ((testFloat & 8) >> 1) |
    ((testFloat & 16) >> 4)
  );
}

const file = (name: string, mode: string) => new URL(`${name}-${mode}-tinyafter.txt.gz`, folder);
const cases = operations.flatMap((operation) =>
  modes.flatMap(([mode, rounding]) => (existsSync(file(operation.name, mode)) ? [{ operation, mode, rounding }] : [])),
);

describe.skipIf(!there)("on the interpreter SSE and the x87 give TestFloat's results and flags", () => {
  const machine = new CampaignMachine("interpreter");

  function run(operation: Operation, operands: readonly string[], rounding: number): Answer {
    const fpu = initialFpu.slice();
    const memory = new Uint8Array(64);
    const view = new DataView(fpu.buffer);
    view.setUint32(offset.mxcsr, 0x1f80 | (rounding << 13), true);
    const registers = [0, 0, 0, dataAt, stackTop, 0, 0, 0];
    const reversed = operands.map((text) => Buffer.from(text, "hex").reverse());
    const [a, b] = reversed as [Buffer, Buffer | undefined];
    if (operation.from === "memory") memory.set(a);
    else if (operation.from === "edx") registers[2] = Number.parseInt(operands[0] as string, 16);
    else {
      fpu.set(b === undefined ? new Uint8Array(8) : a, offset.xmm + 16);
      fpu.set(b ?? a, offset.xmm + 32);
    }
    return machine.run({
      elements: [{ mnemonic: operation.name, bytes: [...Buffer.from(operation.code, "hex")] }],
      registers,
      flags: 0,
      memory,
      eip: codeAt,
      selectors: [0x2b, 0x23, 0x2b, 0x2b, 0, 0],
      writable: false,
      fpu,
      translated: false,
    });
  }

  function result(a: Answer, to: Result): string {
    const bytes = Buffer.from(a.buffer, a.byteOffset);
    const text = (at: number, length: number) =>
      Buffer.from(bytes.subarray(at, at + length))
        .reverse()
        .toString("hex");
    const xmm1 = fpuOffset + offset.xmm + 16;
    if (to === "ecx") return text(4, 4);
    if (to === "st") return text(fpuOffset + offset.st, 10);
    if (to === "truth") return text(xmm1, 8) === "f".repeat(16) ? "1" : "0";
    return text(xmm1, to === "xmm4" ? 4 : 8);
  }

  it.each(cases.map((c) => [c.operation.name, c.mode, c] as const))("%s, rounding %s", (_name, _mode, c) => {
    const { operation, mode, rounding } = c;
    const lines = gunzipSync(readFileSync(file(operation.name, mode)))
      .toString()
      .trim()
      .toLowerCase()
      .split("\n");
    for (const line of lines) {
      const words = line.split(" ");
      const a = run(operation, words.slice(0, -2), rounding);
      const raised = flags(Number.parseInt(words.at(-1) as string, 16));
      const image = fpuOffset / 4;
      const is = operation.to === "st" ? (a[image] as number) >>> 16 : (a[image + offset.mxcsr / 4] as number);
      const value = result(a, operation.to);
      if (value !== words.at(-2) || (is & 0x3d) !== raised)
        expect.fail(`${line}: ${value} with flags ${(is & 0x3d).toString(16)}`);
    }
  });

  it("they are all that there are but for fused multiply-add, which no x86 here has", () => {
    const named = readdirSync(folder).filter((name) => /^[fi]\d.*tinyafter/.test(name) && !name.includes("mulAdd"));
    expect(cases.map((c) => `${c.operation.name}-${c.mode}-tinyafter.txt.gz`).sort()).toEqual(named.sort());
  });
});
