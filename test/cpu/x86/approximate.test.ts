import { describe, expect, it } from "vitest";
import { sameWithin } from "../../campaign/x86-approximate.ts";
import { fpuSize, initialFpu, offset } from "../../campaign/x86-fpu-state.ts";

/* How far our result and the processor's may lie apart where the manual gives a bound, as the campaign has it. */

const pi = 0xc90f_daa2_2168_c235n;

/** An image with ST(0). */
function image(signExponent: number, significand: bigint): Uint8Array {
  const bytes = initialFpu.slice();
  const view = new DataView(bytes.buffer);
  view.setBigUint64(offset.st, significand, true);
  view.setUint16(offset.st + 8, signExponent, true);
  return bytes;
}

const words = (bytes: Uint8Array) => new Uint32Array(bytes.buffer, 0, fpuSize / 4);
const near = (name: string, argument: Uint8Array, is: Uint8Array, should: Uint8Array) =>
  sameWithin(name, argument, words(is), words(should));

describe("x87 transcendentals", () => {
  const half = image(0x3ffe, 1n << 63n);

  it.each([
    [0n, true],
    [1n, true],
    [2n, true],
    [3n, false],
  ])("two that are within one unit of the truth are at most two apart: %s is %s", (units, same) => {
    expect(
      near("f2xm1", half, image(0x3ffd, 0xd413_cccf_e779_9211n + units), image(0x3ffd, 0xd413_cccf_e779_9211n)),
    ).toBe(same);
  });

  it("units are counted across a power of two and across 0", () => {
    const one = image(0x3fff, 1n << 63n);
    expect(near("fcos", half, image(0x3ffe, 0xffff_ffff_ffff_fffen), one)).toBe(true);
    expect(near("fcos", half, image(0x3ffe, 0xffff_ffff_ffff_fffbn), one)).toBe(false);
    expect(near("fpatan", half, image(0x8000, 1n), image(0, 1n))).toBe(true);
    expect(near("fpatan", half, image(0x8000, 2n), image(0, 1n))).toBe(false);
  });

  it("a sine near a multiple of pi may be off by what 66 bits of pi lack, and not by more", () => {
    const argument = image(0x4000, pi);
    // The true value is -5.0e-20; with a pi of 66 bits about -5.4e-20.
    const [truth, short] = [image(0xbfbe, 0xece6_7560_0000_0000n), image(0xbfbe, 0xc000_0000_0000_0000n)];
    expect(near("fsin", argument, truth, short)).toBe(true);
    expect(near("fsin", argument, truth, image(0x3fbf, 0xece6_7560_0000_0000n))).toBe(false);
    expect(near("f2xm1", argument, truth, short)).toBe(true);
    expect(near("fyl2x", argument, truth, short)).toBe(false);
  });

  it("other registers and the stack have to be the same", () => {
    const other = half.slice();
    other[offset.st + 16] = 1;
    expect(near("fsincos", half, other, half)).toBe(true);
    expect(near("f2xm1", half, other, half)).toBe(false);
    other[offset.st + 32] = 1;
    expect(near("fsincos", half, other, half)).toBe(false);
    const used = half.slice();
    used[offset.used] = 1;
    expect(near("f2xm1", half, used, half)).toBe(false);
  });
});

describe("a result that is just tiny", () => {
  // A unit less than the least normal number, and that number: the one is an underflow, the other not.
  const under = image(0, 0x7fff_ffff_ffff_ffffn);
  const least = image(1, 1n << 63n);
  const withStatus = (bytes: Uint8Array, status: number) => {
    new DataView(bytes.buffer).setUint16(offset.status, status, true);
    return bytes;
  };

  it("may raise UE in one of two and not in the other, and nothing else", () => {
    expect(near("fsin", least, withStatus(under, 0x32), withStatus(least, 0x22))).toBe(true);
    expect(near("fsin", least, withStatus(under, 0x33), withStatus(least, 0x22))).toBe(false);
    // Not masked, the underflow's result is 2^24576 times as large.
    const scaled = withStatus(image(0x6000, 0xffff_ffff_ffff_ffffn), 0x32);
    new DataView(scaled.buffer).setUint16(offset.control, 0x36f, true);
    const masks = withStatus(least.slice(), 0x22);
    new DataView(masks.buffer).setUint16(offset.control, 0x36f, true);
    expect(near("fsin", least, scaled, masks)).toBe(true);
    expect(near("fsin", least, withStatus(image(0x6000, 0xffff_ffff_ffff_ffffn), 0x32), masks)).toBe(false);
    const one = image(0x3fff, 1n << 63n);
    expect(near("fcos", one, withStatus(one.slice(), 0x32), withStatus(one, 0x22))).toBe(false);
  });
});

describe("RCPPS and RSQRTPS", () => {
  function lane(value: number): Uint8Array {
    const bytes = initialFpu.slice();
    new DataView(bytes.buffer).setFloat32(offset.xmm, value, true);
    return bytes;
  }

  it.each([
    [1, 1 + 2 ** -11, true],
    [1, 1 + 2 ** -10, false],
    [1, -1, false],
    [0, 2 ** -126, true],
    [0, 2 ** -125, false],
    [-0, 2 ** -126, false],
    [Number.POSITIVE_INFINITY, 3e38, false],
  ])("%s and %s are within two times 1.5 * 2^-12: %s", (is, should, same) => {
    expect(near("sse.rcpps", initialFpu, lane(is), lane(should))).toBe(same);
  });
});
