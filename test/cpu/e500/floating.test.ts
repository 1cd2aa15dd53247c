import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cr, fpr, fpscr, spr } from "../../../src/cpu/e500/slots.ts";
import { fp, lfd, lfs, lwz, stfd, stfs, x } from "./asm.ts";
import { Bare, executors } from "./bare.ts";
import { vectors } from "./vectors-of-interrupts.ts";

const on = 0x2000;

describe.each(executors)("floating-point moves, on the %s", (executor) => {
  const m = new Bare(executor);
  m.enter(0x1000);
  vectors.set(m);
  const run = (...code: number[]) => {
    m.set(fpscr, 0);
    m.msr(on);
    m.pc = 0x1000;
    m.code(0x1000, ...code);
    m.run(code.length);
  };
  const view = () => m.front.core.engine.view;
  const setF = (k: number, bits: bigint) => view().setBigUint64(fpr[k]?.offset ?? 0, bits, true);
  const getF = (k: number) => view().getBigUint64(fpr[k]?.offset ?? 0, true);
  const bits = (value: number) => {
    const scratch = new DataView(new ArrayBuffer(8));
    scratch.setFloat64(0, value);
    return scratch.getBigUint64(0);
  };

  /** What a host's own conversion makes of a single, NaNs aside. */
  const doubleOf = (single: number) => {
    const scratch = new DataView(new ArrayBuffer(4));
    scratch.setUint32(0, single);
    return scratch.getFloat32(0);
  };

  it("lfs converts every single exactly, and stfs gives it back", () => {
    const edges = [
      0, 1, 2, 0x7f_ffff, 0x80_0000, 0x3f80_0000, 0x7f7f_ffff, 0x7f80_0000, 0x8000_0000, 0x8000_0001, 0xff80_0000,
    ];
    const check = (single: number) => {
      if ((single & 0x7fff_ffff) > 0x7f80_0000) return;
      m.setWord(0x2000, single);
      run(lfs(1, 0, 0x2000), stfs(1, 0, 0x2004));
      expect(getF(1)).toBe(bits(doubleOf(single)));
      expect(m.word(0x2004)).toBe(single >>> 0);
    };
    for (const single of edges) check(single);
    fc.assert(fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), check), { numRuns: 100 });
  });

  it("keep NaNs as they are, signalling ones too", () => {
    m.setWord(0x2000, 0x7fa0_0001);
    run(lfs(1, 0, 0x2000), stfs(1, 0, 0x2004));
    expect([getF(1), m.word(0x2004)]).toEqual([0x7ff4_0000_2000_0000n, 0x7fa0_0001]);
  });

  it("lfd and stfd move eight bytes, also over a page's end", () => {
    m.setWord(0x2ffc, 0x0102_0304);
    m.setWord(0x3000, 0x0506_0708);
    run(lfd(2, 0, 0x2ffc), stfd(2, 0, 0x4ffb));
    expect(getF(2)).toBe(0x0102_0304_0506_0708n);
    expect([m.byte(0x4ffb), m.word(0x4ffc), m.word(0x5000) >>> 8]).toEqual([1, 0x0203_0405, 0x06_0708]);
  });

  it("change the sign bit and nothing else", () => {
    setF(2, 0x7ff4_0000_0000_0001n);
    run(fp(3, 0, 2, 72), fp(4, 0, 2, 40), fp(5, 0, 4, 264), fp(6, 0, 2, 136));
    expect([3, 4, 5, 6].map(getF)).toEqual([
      0x7ff4_0000_0000_0001n,
      0xfff4_0000_0000_0001n,
      0x7ff4_0000_0000_0001n,
      0xfff4_0000_0000_0001n,
    ]);
  });

  it("compare: less, greater, equal, unordered", () => {
    const compared = (x: number, y: number) => {
      setF(1, bits(x));
      setF(2, bits(y));
      run(fp(2 << 2, 1, 2, 0));
      return [m.get(cr[2]), (m.get(fpscr) >>> 12) & 15];
    };
    expect(compared(1, 2)).toEqual([8, 8]);
    expect(compared(2, 1)).toEqual([4, 4]);
    expect(compared(0, -0)).toEqual([2, 2]);
    expect(compared(Number.NaN, 1)).toEqual([1, 1]);
  });

  it("find a signalling NaN invalid in fcmpu, any in fcmpo", () => {
    const status = (xo: number, nan: bigint) => {
      setF(1, nan);
      setF(2, 0n);
      run(fp(0, 1, 2, xo));
      return m.get(fpscr) & ~0xf000;
    };
    const quiet = 0x7ff8_0000_0000_0000n;
    const signalling = 0x7ff0_0000_0000_0001n;
    const [fx, vx, vxsnan, vxvc] = [0x8000_0000, 0x2000_0000, 0x0100_0000, 0x0008_0000];
    expect(status(0, quiet)).toBe(0);
    expect(status(0, signalling) >>> 0).toBe((fx | vx | vxsnan) >>> 0);
    expect(status(32, quiet) >>> 0).toBe((fx | vx | vxvc) >>> 0);
    expect(status(32, signalling) >>> 0).toBe((fx | vx | vxsnan | vxvc) >>> 0);
  });

  it("fsel takes FRC for 0 and more, FRB for less and for NaN", () => {
    const chosen = (x: number) => {
      setF(1, bits(x));
      setF(2, 2n);
      setF(3, 3n);
      run(((63 << 26) | (4 << 21) | (1 << 16) | (2 << 11) | (3 << 6) | (23 << 1)) >>> 0);
      return getF(4);
    };
    expect([1, 0, -0, -1, Number.NaN, Number.POSITIVE_INFINITY].map(chosen)).toEqual([3n, 3n, 3n, 2n, 2n, 3n]);
  });

  it("write fields of FPSCR by mtfsf, bits by mtfsb0 and mtfsb1; VX and FEX sum up", () => {
    setF(1, 0xffff_ffffn);
    run(((63 << 26) | (0x03 << 17) | (1 << 11) | (711 << 1)) >>> 0);
    expect(m.get(fpscr)).toBe(0xff);
    run(fp(7, 0, 0, 38));
    expect(m.get(fpscr)).toBe(0xa100_0000);
    run(fp(7, 0, 0, 38), fp(0, 0, 0, 70), fp(7, 0, 0, 70));
    expect(m.get(fpscr)).toBe(0);
  });

  it("interrupt when an enabled exception is set and FE0 or FE1 is", () => {
    m.set(fpscr, 0);
    m.pc = 0x1000;
    m.code(0x1000, fp(24, 0, 0, 38), fp(7, 0, 0, 38));
    m.msr(on | 0x800);
    m.run(2);
    expect([vectors.of(m), m.get(spr.ESR), m.get(spr.SRR0)]).toEqual(["program", 0x0100_0000, 0x1004]);
  });

  it("say FP in ESR when one of their accesses faults, and no other's", () => {
    const esr = (word: number) => {
      m.setR(9, 0x0900_0000);
      run(word);
      return [vectors.of(m), m.get(spr.ESR)];
    };
    expect(esr(lfd(1, 9, 0))).toEqual(["data TLB", 0x0100_0000]);
    expect(esr(stfs(1, 9, 0))).toEqual(["data TLB", 0x0180_0000]);
    expect(esr(x(1, 9, 9, 983))).toEqual(["data TLB", 0x0180_0000]);
    expect(esr(x(1, 0, 9, 151))).toEqual(["data TLB", 0x0080_0000]);
    expect(esr(lwz(1, 9, 0))).toEqual(["data TLB", 0]);
  });

  it("have no arithmetic yet, and say so", () => {
    run(fp(3, 1, 2, 21));
    expect(vectors.of(m)).toBe("program");
    expect(m.wires.reports.join()).toContain("arithmetic");
  });
});
