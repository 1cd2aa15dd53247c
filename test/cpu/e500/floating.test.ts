import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { currentFpscr } from "../../../src/cpu/e500/floating-helpers.ts";
import {
  cr,
  fpCompared,
  fpOperandA,
  fpOperandB,
  fpOperandC,
  fpPending,
  fpr,
  fpscr,
  spr,
} from "../../../src/cpu/e500/slots.ts";
import { Random } from "../../campaign/random.ts";
import { addi, fa, fp, lfd, lfs, lwz, mtmsr, stfd, stfs, x } from "./asm.ts";
import { Bare, executors } from "./bare.ts";
import { floatOpcodes, makeFloatCase } from "./float-cases.ts";
import { FloatRunner } from "./run-float-vector.ts";
import { vectors } from "./vectors-of-interrupts.ts";

const on = 0x2000;

describe.each(executors)("floating-point moves, on the %s", (executor) => {
  const m = new Bare(executor);
  m.enter(0x1000);
  vectors.set(m);
  const run = (...code: number[]) => {
    m.set(fpscr, 0);
    m.set(fpPending, 0);
    m.set(fpCompared, 0);
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
      return [m.get(cr[2]), (currentFpscr(m.front.core) >>> 12) & 15];
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
      return currentFpscr(m.front.core) & ~0xf000;
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
    expect(currentFpscr(m.front.core) >>> 0).toBe(0xff);
    run(fp(7, 0, 0, 38));
    expect(currentFpscr(m.front.core) >>> 0).toBe(0xa100_0000);
    run(fp(7, 0, 0, 38), fp(0, 0, 0, 70), fp(7, 0, 0, 70));
    expect(currentFpscr(m.front.core) >>> 0).toBe(0);
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
});

describe.each(executors)("floating-point arithmetic, on the %s", (executor) => {
  const m = new Bare(executor);
  m.enter(0x1000);
  vectors.set(m);
  const view = () => m.front.core.engine.view;
  const scratch = new DataView(new ArrayBuffer(8));
  const bits = (value: number) => {
    scratch.setFloat64(0, value);
    return scratch.getBigUint64(0);
  };
  const setF = (k: number, value: bigint) => view().setBigUint64(fpr[k]?.offset ?? 0, value, true);
  const getF = (k: number) => view().getBigUint64(fpr[k]?.offset ?? 0, true);
  const fadd = fa(63, [3, 1, 2, 0], 21);
  const fdiv = fa(63, [3, 1, 2, 0], 18);
  const frsp = fa(63, [3, 0, 1, 0], 12);
  const run = (status: number, x: number, y: number, ...code: number[]) => {
    m.set(fpscr, status);
    m.set(fpPending, 0);
    m.set(fpCompared, 0);
    m.msr(on);
    setF(1, bits(x));
    setF(2, bits(y));
    setF(3, 0n);
    m.pc = 0x1000;
    m.code(0x1000, ...code);
    m.run(code.length);
    return currentFpscr(m.front.core) >>> 0;
  };

  it("sets FI when the result is not exact, and FR when its magnitude was rounded up", () => {
    // 1/10 is 0x3FB999999999999A, above the true value; 1/3 is 0x3FD5555555555555, below it.
    expect(run(0, 1, 10, fdiv)).toBe(0x8206_4000);
    expect(getF(3)).toBe(0x3fb9_9999_9999_999an);
    expect(run(0, 1, 3, fdiv)).toBe(0x8202_4000);
    expect(run(0, -1, 10, fdiv)).toBe(0x8206_8000);
    expect(run(0, 1, 4, fdiv)).toBe(0x4000);
    // To zero the magnitude never goes up, to plus infinity a positive one's always.
    expect(run(1, 1, 10, fdiv)).toBe(0x8202_4001);
    expect(run(2, 1, 3, fdiv)).toBe(0x8206_4002);
    expect(run(2, -1, 3, fdiv)).toBe(0x8202_8002);
    expect(run(3, -1, 3, fdiv)).toBe(0x8206_8003);
  });

  it("leaves FX alone when XX was set before", () => {
    expect(run(0x0200_0000, 1, 10, fdiv)).toBe(0x0206_4000);
  });

  it("calls a denormalized single so, though its register holds a normalized double", () => {
    expect(run(0, 2 ** -140, 0, frsp)).toBe(0x1_4000);
    expect(run(0, -(2 ** -126), 0, frsp)).toBe(0x8000);
    expect(run(0, 2 ** -1070, 2 ** -1070, fadd)).toBe(0x1_4000);
  });

  it("takes 192 from the exponent of a single and 1536 from that of a double when overflow is enabled", () => {
    run(0x40, 2 ** 200, 0, frsp);
    expect(getF(3)).toBe(bits(2 ** 8));
    run(0x40, 2 ** 1023, 2 ** 1023, fadd);
    expect(getF(3)).toBe(bits(2 ** -512));
  });

  it("leaves the target alone when VE or ZE is set, and clears FR and FI, but not FPRF", () => {
    expect(run(0x0006_4010, 1, 0, fdiv)).toBe(0xc400_4010);
    expect(getF(3)).toBe(0n);
    expect(run(0x0006_4080, 0, 0, fdiv)).toBe(0xe020_4080);
  });

  it("interrupts only where MSR[FE0] or MSR[FE1] lets it, with the result in place", () => {
    run(8, 1, 10, fdiv);
    expect(vectors.of(m)).toBeUndefined();
    for (const mode of [0x800, 0x100, 0x900]) {
      run(0, 0, 0);
      m.set(fpscr, 8);
      setF(1, bits(1));
      setF(2, bits(10));
      m.pc = 0x1000;
      m.code(0x1000, fdiv);
      m.msr(on | mode);
      m.run(1);
      expect([vectors.of(m), m.get(spr.ESR), m.get(spr.SRR0)]).toEqual(["program", 0x0100_0000, 0x1000]);
      expect(getF(3)).toBe(0x3fb9_9999_9999_999an);
    }
  });

  it("interrupts behind the mtmsr that sets FE0 or FE1 when an enabled exception waits, and says that this is imprecise", () => {
    run(8, 1, 10, fdiv);
    m.setR(4, on | 0x800);
    m.pc = 0x1000;
    m.code(0x1000, mtmsr(4), addi(5, 5, 1));
    m.setR(5, 0);
    m.run(2);
    expect([vectors.of(m), m.get(spr.ESR), m.get(spr.SRR0), m.r(5)]).toEqual(["program", 0x0101_0000, 0x1004, 0]);
  });

  it("is unavailable without MSR[FP], and there is no fsqrt", () => {
    m.msr(0);
    m.pc = 0x1000;
    m.code(0x1000, fadd);
    m.run(1);
    expect(vectors.of(m)).toBe("floating-point unavailable");
    run(0, 1, 2, fa(63, [3, 0, 1, 0], 22));
    expect([vectors.of(m), m.get(spr.ESR)]).toEqual(["program", 0x0800_0000]);
  });

  it("gives fnmadd and fnmsub as fmadd and fmsub negated, in all modes, but for NaNs", () => {
    const runner = new FloatRunner(executor);
    const rounds = executor === "regions" ? 40 : 400;
    for (const name of ["fmadd", "fmsub", "fmadds", "fmsubs"]) {
      const opcode = floatOpcodes.find((o) => o.row.mnemonic === name);
      if (opcode === undefined) throw new Error(name);
      for (let k = 0; k < rounds; k++) {
        const c = makeFloatCase(new Random(7, k), opcode);
        const target = ((c.word >>> 21) & 31) - 3;
        const plain = runner.run(c);
        const negated = runner.run({ ...c, word: c.word + 4 });
        const result = plain.fpr[target] as bigint;
        const isNaN64 = (result & ~(1n << 63n)) > 0x7ff0_0000_0000_0000n;
        const suppressed = plain.signal === 8 && (plain.fpscr & ~c.fpscr & 0x01f8_0000) !== 0;
        expect(negated.fpr[target]).toBe(isNaN64 || suppressed ? result : result ^ (1n << 63n));
        expect(negated.fpscr & ~0x1_f000).toBe(plain.fpscr & ~0x1_f000);
      }
    }
  });

  it("reads from FPSCR what code left pending: FR, FI and FPRF of an operation, FPCC of a comparison behind it", () => {
    const mffs = fp(5, 0, 0, 583);
    const names =
      "fadd fsub fmul fdiv fmadd fmsub fnmadd fnmsub fadds fsubs fmuls fdivs fmadds fmsubs fnmadds fnmsubs frsp";
    for (const [k, name] of names.split(" ").entries()) {
      const opcode = floatOpcodes.find((o) => o.row.mnemonic === name);
      const word = ((opcode?.word ?? 0) | (3 << 21) | (2 << 11) | (name === "frsp" ? 0 : (1 << 16) | (4 << 6))) >>> 0;
      const [x, y, z] = [1.1 + k, -0.3, 7.7];
      setF(4, bits(z));
      const wanted = run(0x0200_0000, x, y, word);
      run(0x0201_f000, 0, 0);
      m.set(fpPending, word);
      for (const [slot, value] of [
        [fpOperandA, x],
        [fpOperandB, y],
        [fpOperandC, z],
      ] as const)
        view().setBigUint64(slot.offset, bits(value), true);
      m.code(0x1000, mffs);
      m.run(1);
      expect([name, getF(5)]).toEqual([name, BigInt(wanted)]);
      expect([m.get(fpPending), currentFpscr(m.front.core) >>> 0]).toEqual([0, wanted]);
      m.set(fpCompared, 16 | 8);
      m.pc = 0x1000;
      m.run(1);
      expect(getF(5)).toBe(BigInt((wanted & ~0xf000) | 0x8000));
    }
  });
});
