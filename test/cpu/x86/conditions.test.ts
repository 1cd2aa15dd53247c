import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { condition, setLogic, setSub, signed, type Width } from "../../../src/cpu/x86/flags.ts";
import { Builder, type Value } from "../../../src/ir/builder.ts";
import { evaluate } from "../../../src/ir/evaluate.ts";
import { Status } from "../../../src/ir/node.ts";
import type { Slot } from "../../../src/ir/slots.ts";
import { stateSize } from "../../../src/ir/slots.ts";

/** What was set is what is got: how a region sees the flags of the instruction before. */
class Forwarding extends Builder {
  readonly #known = new Map<number, Value>();

  override get(slot: Slot): Value {
    return this.#known.get(slot.offset) ?? super.get(slot);
  }

  override set(slot: Slot, value: Value): void {
    this.#known.set(slot.offset, value);
    super.set(slot, value);
  }
}

const suffixes = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"];
/** What the conditions of a comparison of a with b are; the others have no single operation. */
const expected: Readonly<Record<string, string>> = {
  b: "lt_u",
  ae: "ge_u",
  e: "eq",
  ne: "ne",
  be: "le_u",
  a: "gt_u",
  l: "lt_s",
  ge: "ge_s",
  le: "le_s",
  g: "gt_s",
};

function compared(width: Width, x: (b: Builder) => Value, y: (b: Builder) => Value, number: number) {
  const b = new Forwarding();
  const left = signed(b, width, x(b));
  const right = signed(b, width, y(b));
  setSub(b, width, left, right, b.sub(left, right));
  return { b, value: condition(b, number), left, right };
}

/** The value for two operands. */
function evaluated(b: Builder, value: Value, x: number, y: number): number {
  const state = new DataView(new ArrayBuffer(stateSize));
  b.setAt(b.i32(stateSize - 8), 4, value);
  const fail = () => {
    throw new Error("a comparison touches no memory");
  };
  const operands = [0, 0, 0, 0, 0, 0, x, y];
  const status = evaluate(b.block, {
    state,
    operands,
    pc: 0,
    nextPc: 0,
    load: fail,
    store: fail,
    probe: fail,
    helper: fail,
    isFault: () => false,
    jump: fail,
  });
  expect(status).toBe(Status.next);
  return state.getInt32(stateSize - 8, true);
}

describe.each([1, 2, 4] as const)("CMP of %i bytes and a condition behind it", (width) => {
  it.each(Object.entries(expected))("J%s is the comparison %s", (suffix, op) => {
    const made = compared(
      width,
      (b) => b.field(6),
      (b) => b.field(7),
      suffixes.indexOf(suffix),
    );
    expect(made.value.op).toBe(op);
    expect(made.value.args).toEqual([made.left, made.right]);
  });

  const edges = fc.oneof(
    fc.constantFrom(0, 1, -1, 0x7f, -0x80, 0x7fff, -0x8000, 0x7fffffff, -0x80000000),
    fc.integer({ min: -0x80000000, max: 0x7fffffff }),
  );

  it("means the same whether an operand is known or not", () => {
    fc.assert(
      fc.property(edges, edges, fc.nat(15), (x, y, number) => {
        const bits = 8 * width;
        const [a, b] = [x, y].map((v) => BigInt.asIntN(bits, BigInt(v))) as [bigint, bigint];
        const d = a - b;
        const below = BigInt.asUintN(bits, a) < BigInt.asUintN(bits, b);
        const over = d !== BigInt.asIntN(bits, d);
        const sign = BigInt.asIntN(bits, d) < 0n;
        const low = Number(BigInt.asUintN(8, d)).toString(2).replaceAll("0", "").length;
        const plain = [over, below, a === b, below || a === b, sign, low % 2 === 0, a < b, a <= b][number >> 1];
        const should = plain === ((number & 1) === 0) ? 1 : 0;
        const shapes: [(b: Builder) => Value, (b: Builder) => Value][] = [
          [(b) => b.field(6), (b) => b.field(7)],
          [(b) => b.field(6), (b) => b.i32(y)],
          [(b) => b.i32(x), (b) => b.field(7)],
          [(b) => b.i32(x), (b) => b.i32(y)],
        ];
        for (const [left, right] of shapes) {
          const made = compared(width, left, right, number);
          expect(evaluated(made.b, made.value, x, y)).toBe(should);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("is a comparison with 0 behind TEST", () => {
    for (const [suffix, op] of [
      ["le", "le_s"],
      ["g", "gt_s"],
    ] as const) {
      const b = new Forwarding();
      setLogic(b, width, b.field(6));
      const value = condition(b, suffixes.indexOf(suffix));
      expect(value.op).toBe(op);
      expect(value.args[1]).toEqual(b.i32(0));
    }
  });
});
