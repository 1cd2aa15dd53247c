import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Exact, fused, product, quotient, root, sum } from "../../../src/cpu/ieee/exact.ts";
import { double, Rounded, round, single, Trap } from "../../../src/cpu/ieee/round.ts";
import { bitsOf, type Dyadic, dyadic, formats, fromBits, over, plus, rootOf, roundTo, times } from "./reference.ts";

/** Doubles whose exponents and fractions lie at the edges as often as anywhere. */
const field = fc.oneof(
  fc.integer({ min: 0, max: 0x7fe }),
  fc.integer({ min: 1020, max: 1026 }),
  fc.constantFrom(0, 1, 2, 52, 53, 54, 895, 896, 897, 898, 1149, 1150, 1151, 0x7fd, 0x7fe),
);
const fraction = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 52n) - 1n }),
  fc.integer({ min: 0, max: 51 }).map((k) => 1n << BigInt(k)),
  fc.integer({ min: 0, max: 51 }).map((k) => (1n << 52n) - (1n << BigInt(k))),
  fc.constantFrom(0n, 1n, 0x1000_0000n, 0x1fff_ffffn, 0x2fff_ffffn, 0x3000_0000n, (1n << 52n) - 1n),
);
const finite = fc
  .tuple(fc.boolean(), field, fraction)
  .map(([negative, e, f]) => fromBits((negative ? 1n << 63n : 0n) | (BigInt(e) << 52n) | f));
const positive = finite.map(Math.abs);
/** A number close to another one's negative, or anything. */
const near = (x: number) =>
  fc.oneof(
    finite,
    fc.integer({ min: -3, max: 3 }).map((k) => fromBits(bitsOf(-x) + BigInt(k))),
  );

const exact = new Exact();
const rounded = new Rounded();
const keys = ["value", "inexact", "up", "overflow", "tiny"] as const;

function agree(truth: Dyadic): void {
  if (truth.n === 0n) {
    if (exact.value !== 0) expect.fail(`${exact.value} for 0`);
    return;
  }
  for (const format of ["double", "single"] as const)
    for (const mode of [0, 1, 2, 3])
      for (const traps of [0, 1, 2, 3]) {
        round(exact, format === "double" ? double : single, mode, traps, rounded);
        const wanted = roundTo(
          truth,
          formats[format],
          mode,
          (traps & Trap.overflow) !== 0,
          (traps & Trap.underflow) !== 0,
        );
        // An exponent that the adjustment leaves outside of the double's range has no meaning.
        if (wanted.value === 0 ? wanted.tiny && traps > 1 : Math.abs(wanted.value) === Infinity && traps % 2 === 1)
          continue;
        if (traps > 1 && wanted.tiny && Math.abs(wanted.value) < 2 ** -1022) continue;
        const same = keys.every((key) => Object.is(rounded[key], wanted[key]));
        if (!same) expect({ ...rounded, format, mode, traps }).toEqual({ ...wanted, format, mode, traps });
      }
}

const runs = { numRuns: 1000 };

describe("the exact result of an operation, rounded once in any mode to either format, is that of integer arithmetic", () => {
  it("sum", () => {
    const pairs = finite.chain((x) => fc.tuple(fc.constant(x), near(x)));
    const check = ([x, y]: [number, number]) => {
      if (!Number.isFinite(y)) return;
      sum(x, y, exact);
      agree(plus(dyadic(x), dyadic(y)));
    };
    fc.assert(fc.property(pairs, check), runs);
  });

  it("product", () => {
    const check = (x: number, y: number) => {
      product(x, y, exact);
      agree(times(dyadic(x), dyadic(y)));
    };
    fc.assert(fc.property(finite, finite, check), runs);
  });

  it("quotient", () => {
    const check = (x: number, y: number) => {
      if (y === 0) return;
      quotient(x, y, exact);
      agree(over(dyadic(x), dyadic(y)));
    };
    fc.assert(fc.property(finite, finite, check), runs);
  });

  it("square root", () => {
    const check = (x: number) => {
      root(x, exact);
      agree(x === 0 ? { n: 0n, e: 0 } : rootOf(dyadic(x)));
    };
    fc.assert(fc.property(positive, check), runs);
  });

  it("product and sum", () => {
    const triples = fc
      .tuple(finite, finite)
      .chain(([x, y]) => fc.tuple(fc.constant(x), fc.constant(y), near(Number.isFinite(x * y) ? x * y : 1)));
    const check = ([x, y, z]: [number, number, number]) => {
      if (!Number.isFinite(z)) return;
      fused(x, y, z, exact);
      agree(plus(times(dyadic(x), dyadic(y)), dyadic(z)));
    };
    fc.assert(fc.property(triples, check), { numRuns: 3000 });
  });
});
