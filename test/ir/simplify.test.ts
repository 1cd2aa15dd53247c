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
});
