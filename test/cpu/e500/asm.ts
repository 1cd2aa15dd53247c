/** The few instructions that tests write themselves, by the fields of their encoding. */

const d = (opcode: number, rt: number, ra: number, immediate: number) =>
  ((opcode << 26) | (rt << 21) | (ra << 16) | (immediate & 0xffff)) >>> 0;

export const x = (rt: number, ra: number, rb: number, xo: number, rc = 0) =>
  ((31 << 26) | (rt << 21) | (ra << 16) | (rb << 11) | (xo << 1) | rc) >>> 0;

export const xl = (xo: number, bo = 0, bi = 0, lk = 0) => ((19 << 26) | (bo << 21) | (bi << 16) | (xo << 1) | lk) >>> 0;

const spr = (rt: number, number: number, xo: number) => x(rt, number & 31, number >> 5, xo);

export const nop = 0x6000_0000;
export const sc = 0x4400_0002;
export const addi = (rt: number, ra: number, value: number) => d(14, rt, ra, value);
export const addis = (rt: number, ra: number, value: number) => d(15, rt, ra, value);
export const lwz = (rt: number, ra: number, at: number) => d(32, rt, ra, at);
export const stw = (rt: number, ra: number, at: number) => d(36, rt, ra, at);
export const stb = (rt: number, ra: number, at: number) => d(38, rt, ra, at);
export const lmw = (rt: number, ra: number, at: number) => d(46, rt, ra, at);
export const stmw = (rt: number, ra: number, at: number) => d(47, rt, ra, at);
export const lfs = (rt: number, ra: number, at: number) => d(48, rt, ra, at);
export const lfd = (rt: number, ra: number, at: number) => d(50, rt, ra, at);
export const stfs = (rt: number, ra: number, at: number) => d(52, rt, ra, at);
export const stfd = (rt: number, ra: number, at: number) => d(54, rt, ra, at);
export const b = (to: number) => ((18 << 26) | (to & 0x3ff_fffc)) >>> 0;
export const bc = (bo: number, bi: number, to: number) => d(16, bo, bi, to);
export const mfspr = (rt: number, number: number) => spr(rt, number, 339);
export const mtspr = (number: number, rs: number) => spr(rs, number, 467);
export const mfmsr = (rt: number) => x(rt, 0, 0, 83);
export const mtmsr = (rs: number) => x(rs, 0, 0, 146);
export const wrteei = (e: 0 | 1) => x(0, 0, e << 4, 163);
export const rfi = xl(50);
export const rfci = xl(51);
export const rfdi = xl(39);
export const rfmci = xl(38);
export const twi = (to: number, ra: number, value: number) => d(3, to, ra, value);
export const tlbwe = x(0, 0, 0, 978);
export const tlbre = x(0, 0, 0, 946);
export const tlbsx = (ra: number, rb: number) => x(0, ra, rb, 914);
export const tlbivax = (ra: number, rb: number) => x(0, ra, rb, 786);
export const tlbilx = (t: number, ra: number, rb: number) => x(t, ra, rb, 18);
export const wait = x(0, 0, 0, 62);
export const dcbz = (ra: number, rb: number) => x(0, ra, rb, 1014);
export const fp = (rt: number, ra: number, rb: number, xo: number) =>
  ((63 << 26) | (rt << 21) | (ra << 16) | (rb << 11) | (xo << 1)) >>> 0;
/** Arithmetic: primary opcode 59 (single) or 63, and five bits of extended opcode. */
export const fa = (opcode: 59 | 63, [frt, fra, frb, frc]: readonly [number, number, number, number], xo: number) =>
  ((opcode << 26) | (frt << 21) | (fra << 16) | (frb << 11) | (frc << 6) | (xo << 1)) >>> 0;
