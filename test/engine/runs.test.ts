import { describe, expect, it } from "vitest";
import { ctr, ivor, spr } from "../../src/cpu/e500/slots.ts";
import { addi, b, bc, lwz, stb, stw } from "../cpu/e500/asm.ts";
import { Bare, type Executor, executors } from "../cpu/e500/bare.ts";

const [code, handler, from, to] = [0x1000, 0x2000, 0x10_0000, 0x20_0000];
const dataTlbError = 13;
/** `enter` maps 64 MiB from 0 on. */
const unmapped = 64 << 20;
const turns = 3000;

/** A body again and again, as often as CTR says. */
function looping(executor: Executor, body: readonly number[], count = turns): Bare {
  const m = new Bare(executor, { threshold: 4, memory: unmapped });
  m.enter(code);
  m.set(spr.IVPR, 0);
  m.set(ivor[dataTlbError], handler);
  m.code(code, ...body, bc(16, 0, -4 * body.length), b(0));
  m.code(handler, b(0));
  m.set(ctr, count);
  return m;
}

/** By how much the copied words move on, and where the first one lies in its page. */
const copies = [
  [4, 0],
  [4, 0xffd],
  [-4, 0x800],
  [12, 0x7fe],
  [256, 0xff0],
  [260, 0],
] as const;

describe.each(executors)("loops whose addresses move evenly, on the %s", (executor) => {
  it.each(copies)("copy every word on every page, %i bytes further each time from %i on", (stride, first) => {
    const m = looping(executor, [lwz(6, 3, 0), stw(6, 4, 0), addi(3, 3, stride), addi(4, 4, stride)]);
    const whole = new Uint8Array(2 * 1024 * 1024).map((_, k) => (k * 7 + (k >> 8)) & 0xff);
    const start = stride < 0 ? 0x40_0000 : 0x20_0000;
    const other = stride < 0 ? 0x80_0000 : 0x60_0000;
    m.load(stride < 0 ? start - whole.length + 0x1000 : start, whole);
    m.setR(3, start + first);
    m.setR(4, other + first + 8);
    m.run(5 * turns);
    expect([m.r(3), m.r(4), m.get(ctr)]).toEqual([
      start + first + stride * turns,
      other + first + 8 + stride * turns,
      0,
    ]);
    for (let k = 0; k < turns; k++) {
      const at = first + stride * k;
      if (m.word(start + at) !== m.word(other + 8 + at)) expect.fail(`word ${k}`);
    }
  });

  it("see what they have just stored", () => {
    const m = looping(executor, [lwz(6, 3, 0), addi(6, 6, 1), stw(6, 3, 4), addi(3, 3, 4)]);
    m.setR(3, from);
    m.run(5 * turns);
    expect([m.word(from + 4), m.word(from + 4 * turns), m.r(6)]).toEqual([1, turns, turns]);
  });

  it("stop at the page that is not there, with all in front of it done", () => {
    const body = [addi(8, 8, 1), addi(3, 3, 4), stw(8, 3, 0)];
    const m = looping(executor, body);
    const words = 2500;
    m.setR(3, unmapped - 4 * words - 4);
    m.run(4 * turns);
    expect([m.r(8), m.r(3), m.get(ctr)]).toEqual([words + 1, unmapped, turns - words]);
    expect([m.word(unmapped - 4), m.get(spr.SRR0), m.get(spr.DEAR)]).toEqual([words, code + 8, unmapped]);
    expect(m.pc).toBe(handler);
  });

  it.each([1, 7, 333, 4001])("end each slice of %i instructions where it ends", (slice) => {
    const body = [stb(8, 3, 0), addi(3, 3, 1), addi(8, 8, 1)];
    const m = looping(executor, body, 3000);
    m.setR(3, to);
    const per = body.length + 1;
    for (let done = 0; done + slice < 3000 * per; done += slice) {
      const now = done + slice;
      m.run(slice);
      const at = [m.pc, m.get(ctr), m.r(3)];
      const begun = Math.floor(now / per);
      expect(at).toEqual([code + 4 * (now % per), 3000 - begun, to + begun + (now % per > 1 ? 1 : 0)]);
    }
  });

  it("find the one word that they all touch, where no address moves", () => {
    const m = looping(executor, [lwz(6, 3, 0), addi(6, 6, 1), stw(6, 3, 0)], 500);
    m.setR(3, from + 0x5000);
    m.run(4 * 500);
    expect(m.word(from + 0x5000)).toBe(500);
  });

  it("leave when they are done in the middle of a page", () => {
    for (const count of [1, 2, 9, 10, 17, 100, 1023, 1025]) {
      const m = looping(executor, [stw(8, 3, 0), addi(3, 3, 4), addi(8, 8, 1)], count);
      m.setR(3, from);
      m.run(4 * count);
      expect([m.pc, m.r(8), m.word(from + 4 * count - 4), m.word(from + 4 * count)]).toEqual([
        code + 16,
        count,
        count - 1,
        0,
      ]);
    }
  });
});
