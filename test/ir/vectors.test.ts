import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Builder, type Value } from "../../src/ir/builder.ts";
import { type Operation, operations } from "../../src/ir/ops.ts";
import { onEvaluator, onInterpreter, onRegion } from "../support/ir-machine.ts";

/** Operations of vectors whose results have one meaning only: numbers, of which NaNs have several, are held to the processor elsewhere. */
const names = (Object.keys(operations) as Operation[]).filter(
  (op) => operations[op].signature.includes("v128") && !/^(add|sub|mul|div|exact)/.test(op),
);
const edge = fc.constantFrom(0, 1, -1, 0x7f80_0000, 0x7ff0_0000, 0x0080_0000, -0x8000_0000, 0x80ff_7f01 | 0);
const word = fc.oneof(edge, fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }));
const words = fc.array(word, { minLength: 8, maxLength: 8 });

/** Two vectors from the state, and what the operation makes of them, or of parts of them. */
function block(op: Operation) {
  const b = new Builder();
  const [first, second] = [512, 528].map((at) => b.getAt(b.i32(at), 16, 0, "v128")) as [Value, Value];
  const taken = operations[op].signature.slice(0, operations[op].signature.indexOf("->")).split(",");
  const args = taken.map((type, k) => {
    if (type === "v128") return k === 0 ? first : second;
    return b.getAt(b.i32(528), type === "i64" ? 8 : 4);
  });
  const value = b.op(op, ...(args as [Value, Value?, Value?]));
  b.setAt(b.i32(256), value.type === "v128" ? 16 : value.type === "i64" ? 8 : 4, value);
  return b.block;
}

describe("operations on vectors", () => {
  it.each(names)("%s is on the interpreter and in a region what the evaluator has", (op) => {
    const made = block(op);
    fc.assert(
      fc.property(words, (values) => {
        const state = new Map(values.map((value, k) => [512 + 4 * k, value]));
        const run = { operands: [0, 0, 0, 0, 0, 0, 0, 0], state, memory: new Map<number, number>() };
        const result = (view: DataView) => [256, 260, 264, 268].map((at) => view.getInt32(at, true));
        const expected = result(onEvaluator(made, run).state);
        expect(result(onInterpreter(made, run).state)).toEqual(expected);
        expect(result(onRegion(made, run).state)).toEqual(expected);
      }),
      { numRuns: 6 },
    );
  });

  it("gives the part that was put in last, and what lies beside it as it was", () => {
    const b = new Builder();
    const [x, p, q] = [b.getAt(b.i32(512), 16, 0, "v128"), b.getAt(b.i32(528), 8), b.getAt(b.i32(536), 8)];
    const low = b.op("with_low64", x, p);
    expect(b.op("low64", low)).toBe(p);
    expect(b.op("high64", low).args[0]).toBe(x);
    expect(b.op("low64", b.op("with_high64", low, q))).toBe(p);
    expect(b.op("high64", b.op("with_high64", low, q))).toBe(q);
    expect(b.op("with_low64", low, q).args[0]).toBe(x);
    expect(b.op("high64", b.op("only_low64", p)).long).toBe(0n);
    expect(b.op("low32", b.op("only_low64", b.op("extend_u", b.field(6)))).op).toBe("field");
  });
});
