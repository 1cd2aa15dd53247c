import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Builder, type Value } from "../../src/ir/builder.ts";
import { integerOperation } from "../../src/ir/evaluate.ts";
import { type Operation, operations } from "../../src/ir/ops.ts";
import { onEvaluator, onInterpreter, onRegion } from "../support/ir-machine.ts";

const binary = (Object.keys(operations) as Operation[]).filter((op) => /^T,T->/.test(operations[op].signature));
const edge = fc.oneof(
  fc.constantFrom(0, 1, -1, 2, 31, 32, 0x7fffffff, -0x80000000, 0xff, 0x80),
  fc.integer({ min: -0x80000000, max: 0x7fffffff }),
);

/** What the table of operations leaves open: which NaN comes out of an IEEE operation is the host's choice among its operands'. */
function settled(op: Operation, bits: number): number {
  const isNumber = !op.startsWith("f") || (bits & 0x7fffffff) <= 0x7f800000;
  return isNumber ? bits : 0x7fc00000;
}

/** Writes the value of an expression to the state. */
function block(make: (b: Builder) => Value) {
  const b = new Builder();
  const value = make(b);
  b.setAt(b.i32(256), 4, value);
  return b.block;
}

describe("folding", () => {
  it("gives what the operation gives, with either operand known, both or none", () => {
    fc.assert(
      fc.property(fc.constantFrom(...binary), edge, edge, (op, x, y) => {
        const expected = integerOperation(op, "i32", [BigInt(x), BigInt(y)]);
        fc.pre(expected !== undefined);
        const operands = [0, 0, 0, 0, 0, 0, x, y];
        const run = { operands, state: new Map<number, number>(), memory: new Map<number, number>() };
        const shapes: ((b: Builder) => Value)[] = [
          (b) => b.op(op, b.i32(x), b.i32(y)),
          (b) => b.op(op, b.field(6), b.i32(y)),
          (b) => b.op(op, b.i32(x), b.field(7)),
          (b) => b.op(op, b.field(6), b.field(7)),
        ];
        for (const shape of shapes) {
          expect(settled(op, onEvaluator(block(shape), run).state.getInt32(256, true))).toBe(
            settled(op, Number(expected?.value)),
          );
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("is what the interpreter and a region compute too", () => {
    fc.assert(
      fc.property(fc.constantFrom(...binary), edge, edge, (op, x, y) => {
        const expected = integerOperation(op, "i32", [BigInt(x), BigInt(y)]);
        fc.pre(expected !== undefined);
        const run = {
          operands: [0, 0, 0, 0, 0, 0, x, y],
          state: new Map<number, number>(),
          memory: new Map<number, number>(),
        };
        const made = block((b) => b.op(op, b.field(6), b.field(7)));
        expect(settled(op, onInterpreter(made, run).state.getInt32(256, true))).toBe(
          settled(op, Number(expected?.value)),
        );
        expect(settled(op, onRegion(made, run).state.getInt32(256, true))).toBe(settled(op, Number(expected?.value)));
      }),
      { numRuns: 200 },
    );
  });

  it("leaves out what has no effect", () => {
    const b = new Builder();
    const x = b.field(6);
    expect(b.add(x, b.i32(0))).toBe(x);
    expect(b.xor(x, x).imm).toBe(0);
    expect(b.add(b.add(x, b.i32(5)), b.i32(-3)).args[1]?.imm).toBe(2);
  });

  /** A field as a comparison leaves it: 8, 4 or 2 for less, greater, equal, and a summary bit. */
  function field(b: Builder, less: "lt_s" | "lt_u", x: Value, y: Value, summary: Value): Value {
    const order = b.select(b.op(less, x, y), b.i32(8), b.select(b.eq(x, y), b.i32(2), b.i32(4)));
    return b.or(order, b.and(summary, b.i32(1)));
  }
  const bit = (b: Builder, value: Value, k: number) => b.and(b.shrU(value, b.i32(k)), b.i32(1));

  it("makes one comparison of a bit that was made by comparing", () => {
    const b = new Builder();
    const [x, y, s] = [b.field(6), b.field(7), b.field(0)];
    for (const [less, greater] of [
      ["lt_s", "gt_s"],
      ["lt_u", "gt_u"],
    ] as const) {
      const made = field(b, less, x, y, s);
      expect(bit(b, made, 3).op).toBe(less);
      expect(bit(b, made, 2).op).toBe(greater);
      expect(bit(b, made, 1).op).toBe("eq");
      expect(b.xor(bit(b, made, 1), b.i32(1)).op).toBe("ne");
    }
  });

  it("leaves every bit of such a field as it was", () => {
    fc.assert(
      fc.property(
        edge,
        edge,
        fc.boolean(),
        fc.constantFrom("lt_s", "lt_u"),
        fc.nat(5),
        fc.boolean(),
        (p, q, s, less, k, same) => {
          const [x, y] = [p, same ? p : q];
          const lower = less === "lt_s" ? x < y : x >>> 0 < y >>> 0;
          const expected = (((lower ? 8 : x === y ? 2 : 4) | (s ? 1 : 0)) >> k) & 1;
          const run = { operands: [s ? 1 : 0, 0, 0, 0, 0, 0, x, y], state: new Map(), memory: new Map() };
          const made = block((b) => bit(b, field(b, less, b.field(6), b.field(7), b.field(0)), k));
          expect(onEvaluator(made, run).state.getInt32(256, true)).toBe(expected);
          const known = block((b) => bit(b, field(b, less, b.field(6), b.i32(y), b.field(0)), k));
          expect(onEvaluator(known, run).state.getInt32(256, true)).toBe(expected);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("takes a rotated and masked word, and a mask of a mask, for what it was before", () => {
    const masks = fc.oneof(
      edge,
      fc.nat(31).map((n) => -1 << n),
      fc.nat(31).map((n) => -1 >>> (n + 1)),
    );
    fc.assert(
      fc.property(edge, fc.nat(31), masks, masks, (x, n, first, second) => {
        const rotated = (x << n) | (n === 0 ? 0 : x >>> (32 - n));
        const run = { operands: [0, 0, 0, 0, 0, 0, x, 0], state: new Map(), memory: new Map() };
        const made = block((b) => b.and(b.and(b.op("rotl", b.field(6), b.i32(n)), b.i32(first)), b.i32(second)));
        expect(onEvaluator(made, run).state.getInt32(256, true)).toBe(rotated & first & second);
      }),
      { numRuns: 2000 },
    );
  });

  it("moves a byte-reversed word back at no cost", () => {
    const b = new Builder();
    const x = b.field(6);
    expect(b.op("bswap", b.op("bswap", x))).toBe(x);
  });
});
