import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, describe as group, it } from "vitest";
import { X87Runner } from "../../../support/x87-run.ts";

/* SDM vol. 1 section 8.3.10: less than one unit in the last place from the true value, which here has 112 bits. */

const text = gunzipSync(
  readFileSync(new URL("../../../vectors/x86/x87-transcendental.txt.gz", import.meta.url)),
).toString();
const lines = text.trim().split("\n");

const codes: Record<string, string> = {
  f2xm1: "d9f0",
  fyl2x: "d9f1",
  fptan: "d9f2",
  fpatan: "d9f3",
  fyl2xp1: "d9f9",
  fsincos: "d9fb",
  fsin: "d9fe",
  fcos: "d9ff",
};
const zero = "0".repeat(20);

/** The distance from the truth, in units of the result's last place, in 1/65536. */
function distance(result: string, sign: number, exponent: number, significand: bigint): number {
  const word = Number.parseInt(result.slice(0, 4), 16);
  // Both as integers times 2^(exponent - 111).
  const shift = BigInt((word & 0x7fff) - 16383 - exponent);
  const ours = (BigInt(`0x${result.slice(4)}`) << 48n) * 4n;
  const scaled = shift >= 0n ? ours << shift : ours >> -shift;
  const difference = word >> 15 === sign ? scaled - significand * 4n : scaled + significand * 4n;
  const unit = shift >= 0n ? 50n + shift : 50n + shift;
  return Math.abs(Number((difference << 16n) >> unit));
}

group.each(Object.keys(codes))("%s", (name) => {
  const runner = new X87Runner("interpreter");
  const cases = lines.filter((line) => line.startsWith(`${name} `));

  it.each([
    ["nearest", 0, 0x8100],
    ["down", 1, 0x10000],
    ["up", 2, 0x10000],
    ["to zero", 3, 0x10000],
  ] as const)("rounding %s is within one unit in the last place of the true value", (_, mode, bound) => {
    expect(cases.length).toBeGreaterThan(100);
    for (const line of cases) {
      const [, x, y, ...truth] = line.split(" ") as [string, string, string, ...string[]];
      const { state } = runner.run(codes[name] as string, {
        control: 0x37f | (mode << 10),
        status: 0x3000,
        used: 0xc0,
        registers: [x, y === "0" ? zero : y, zero, zero, zero, zero, zero, zero],
        memory: "",
        eax: 0,
        flags: 0,
      });
      for (let k = 0; k < truth.length / 3; k++) {
        const [sign, exponent, significand] = truth.slice(3 * k, 3 * k + 3) as [string, string, string];
        const off = distance(state.registers[k] as string, Number(sign), Number(exponent), BigInt(`0x${significand}`));
        if (off > bound) expect.fail(`${line}: ST(${k}) is ${state.registers[k]}, ${off / 65536} units away`);
      }
    }
  });
});
