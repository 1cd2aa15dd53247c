import { describe, expect, it } from "vitest";
import { ctr } from "../../../src/cpu/e500/slots.ts";
import { addi, b, bc, mtspr, x } from "./asm.ts";
import { Bare, executors } from "./bare.ts";

const cmpw = (field: number, ra: number, rb: number) => x(field << 2, ra, rb, 0);
const cmplw = (field: number, ra: number, rb: number) => x(field << 2, ra, rb, 32);
const mfcr = (rt: number) => x(rt, 0, 0, 19);
/** mtcrf of field 1 alone. */
const mtcr1 = (rs: number) => x(rs, 0x40 >> 4, 0, 144);
const onward = b(4);
const xer = 1;

const code = 0x1000;
const turns = 5;

/** Runs a body some turns over, and then goes around on the spot. Each `onward` ends a block, so that what is asked for behind it was told in another one. */
function loop(executor: (typeof executors)[number], body: readonly number[], set: (m: Bare) => void): Bare {
  const m = new Bare(executor);
  m.enter(code);
  m.code(code, ...body, bc(16, 0, -4 * body.length), b(0));
  m.set(ctr, turns);
  set(m);
  m.run((body.length + 2) * turns);
  return m;
}

const field1 = (word: number) => (word >>> 24) & 15;
const numbers = [1, 5, 0x8000_0000, 0xffff_ffff];
const order = (x: number, y: number) => (x < y ? 8 : x > y ? 4 : 2);

describe.each(executors)("a field of the condition register, on the %s", (executor) => {
  it.each([0, 1])(
    "tells in a later block how two numbers compare, signed and unsigned, beside a summary of %d",
    (so) => {
      const body = [mtspr(xer, 10), cmpw(1, 3, 4), onward, mfcr(5), cmplw(1, 3, 4), onward, mfcr(6)];
      for (const left of numbers)
        for (const right of numbers) {
          const m = loop(executor, body, (m) => {
            m.setR(3, left);
            m.setR(4, right);
            m.setR(10, so << 31);
          });
          expect(field1(m.r(5))).toBe(order(left | 0, right | 0) | so);
          expect(field1(m.r(6))).toBe(order(left, right) | so);
        }
    },
  );

  it("sends a branch in a later block the way in which they compare", () => {
    // Each branch is taken where its bit is 0, over an addi.
    const counts = [0, 1, 2].flatMap((bit) => [bc(4, 4 + bit, 8), addi(20 + bit, 20 + bit, 1)]);
    for (const left of numbers)
      for (const right of numbers) {
        const m = loop(executor, [cmplw(1, 3, 4), onward, ...counts, cmpw(1, 3, 4), onward, ...counts], (m) => {
          m.setR(3, left);
          m.setR(4, right);
        });
        const signed = order(left | 0, right | 0);
        const unsigned = order(left, right);
        const times = [8, 4, 2].map((bit) => turns * (Number(signed === bit) + Number(unsigned === bit)));
        expect([m.r(20), m.r(21), m.r(22)]).toEqual(times);
      }
  });

  it("keeps any word that is moved there, and tells it a branch bit by bit", () => {
    for (let word = 0; word < 16; word++) {
      const counts = [0, 1, 2, 3].flatMap((bit) => [onward, bc(4, 4 + bit, 8), addi(20 + bit, 20 + bit, 1)]);
      const m = loop(executor, [cmpw(1, 3, 4), onward, mtcr1(7), onward, mfcr(8), ...counts], (m) =>
        m.setR(7, word << 24),
      );
      expect(field1(m.r(8))).toBe(word);
      expect([m.r(20), m.r(21), m.r(22), m.r(23)]).toEqual([8, 4, 2, 1].map((bit) => ((word & bit) !== 0 ? turns : 0)));
    }
  });
});
