import type { Element } from "./x86-case.ts";
import { type Fpu, offset } from "./x86-fpu-state.ts";

/*
 * Instructions whose results are bounded and not given: x87 transcendentals, within one unit in the last place of the true value (SDM vol. 1 section 8.3.10), and
 * RCPPS and RSQRTPS, within 1.5 * 2^-12 of it (vol. 2). Ours and the processor's may lie as far apart as both bounds; all else has to be the same.
 */

const transcendental = /^(f2xm1|fyl2x|fyl2xp1|fptan|fpatan|fsin|fcos|fsincos)$/;
const approximation = /^sse\.(rcp|rsqrt)[ps]s$/;
const circular = /^(fsin|fcos|fsincos|fptan)$/;

export const isApproximate = (mnemonic: string) => transcendental.test(mnemonic) || approximation.test(mnemonic);

const c1 = 0x200;
const stackFault = 0x40;
const underflow = 0x10;
const bias = 0x3fff;
const infinite = 0x7fff;

interface Extended {
  readonly sign: number;
  readonly exponent: number;
  readonly significand: bigint;
}

function extended(view: DataView, at: number): Extended {
  const word = view.getUint16(at + 8, true);
  return { sign: word >> 15, exponent: word & 0x7fff, significand: view.getBigUint64(at, true) };
}

/** Units in the last place of a double extended number between two: numbers in their order, counted from 0. */
function unitsApart(a: Extended, b: Extended): bigint {
  // A denormal has the exponent of the least normal number, without the integer bit.
  const place = (x: Extended) => (BigInt(Math.max(1, x.exponent) - 1) << 63n) + x.significand;
  const [x, y] = [place(a), place(b)];
  const difference = a.sign === b.sign ? x - y : x + y;
  return difference < 0n ? -difference : difference;
}

/** What a result is in truth, which an underflow that is not masked gave multiplied by 2^24576 (vol. 1 section 8.5.5). */
function unscaled(x: Extended, image: DataView): Extended {
  const raised = image.getUint16(offset.status, true) & ~image.getUint16(offset.control, true) & underflow;
  if (raised === 0 || x.exponent < 0x6000 - 63) return x;
  const exponent = x.exponent - 0x6000;
  return exponent > 0 ? { ...x, exponent } : { ...x, exponent: 0, significand: x.significand >> BigInt(1 - exponent) };
}

const value = (x: Extended) => (x.sign === 0 ? 1 : -1) * Number(x.significand) * 2 ** (x.exponent - bias - 63);

/**
 * How far the processor's pi of 66 bits (vol. 1 section 8.3.8) may lead it from a sine, cosine or tangent `result` of `argument`: an error of the reduced argument,
 * times the function's slope.
 */
function shortPi(mnemonic: string, argument: Extended, result: number): number {
  // Up to pi / 4 there is nothing to reduce.
  if (Math.abs(value(argument)) < Math.PI / 4) return 0;
  const off = Math.abs(value(argument)) * 2 ** -66;
  if (mnemonic !== "fptan") return off;
  return off * Math.abs(result) > 0.25 ? Number.POSITIVE_INFINITY : 2 * off * (1 + result * result);
}

function near(mnemonic: string, argument: Extended, is: Extended, should: Extended): boolean {
  // Infinities and NaNs are near nothing; those which are the same are not asked for.
  if (is.exponent === infinite || should.exponent === infinite) return false;
  // Each a unit away from the truth.
  if (unitsApart(is, should) <= 2n) return true;
  if (!circular.test(mnemonic)) return false;
  const off = shortPi(mnemonic, argument, value(should));
  return distance(is, should) <= off + 2 * 2 ** (should.exponent - bias - 63);
}

/** |a - b|, taken before it is rounded to double precision. */
function distance(a: Extended, b: Extended): number {
  const least = Math.min(a.exponent, b.exponent);
  const scaled = (x: Extended) => (x.sign === 0 ? x.significand : -x.significand) << BigInt(x.exponent - least);
  return Math.abs(Number(scaled(a) - scaled(b))) * 2 ** (least - bias - 63);
}

/** Whether what two machines made of one of these x87 instructions is the same as far as it is promised. `before` is what it began with. */
function sameX87(mnemonic: string, before: DataView, is: DataView, should: DataView): boolean {
  const argument = extended(before, offset.st);
  // 2^x - 1 beyond -1 to 1, and y log2 (x + 1) beyond -(1 - sqrt(1/2)) to sqrt(1/2) - 1: not defined (vol. 2).
  if (mnemonic === "f2xm1" && argument.exponent !== infinite && Math.abs(value(argument)) > 1) return true;
  if (mnemonic === "fyl2xp1" && argument.exponent !== infinite && Math.abs(value(argument)) > 1 - Math.SQRT1_2)
    return true;
  const status = (view: DataView) => view.getUint16(offset.status, true);
  const results = /^(fsincos|fptan)$/.test(mnemonic) ? [0, 1] : [0];
  const result = (view: DataView, k: number) => unscaled(extended(view, offset.st + 16 * k), view);
  const tiny = [is, should].some((view) => results.some((k) => result(view, k).exponent <= 1));
  // Left open: C1, which tells which way was rounded (but behind a stack fault it tells of that), and whether a result is tiny, where its last place may decide.
  const left = ((status(should) & stackFault) === 0 ? c1 : 0) | (tiny ? underflow : 0);
  if (((status(is) ^ status(should)) & ~left) !== 0) return false;
  if (is.getUint8(offset.used) !== should.getUint8(offset.used)) return false;
  for (let k = 0; k < 8; k++) {
    const at = offset.st + 16 * k;
    const [a, b] = [extended(is, at), extended(should, at)];
    if (a.sign === b.sign && a.exponent === b.exponent && a.significand === b.significand) continue;
    if (!results.includes(k) || !near(mnemonic, argument, result(is, k), result(should, k))) return false;
  }
  for (let at = offset.xmm; at < is.byteLength; at += 4)
    if (is.getUint32(at, true) !== should.getUint32(at, true)) return false;
  return true;
}

const nearTiny = 2 ** -126 * (1 + 2 ** -10);

function nearSingle(x: number, y: number): boolean {
  if (Object.is(x, y)) return true;
  if (Number.isNaN(x) || Number.isNaN(y)) return false;
  if (Math.sign(x) !== Math.sign(y) && x !== 0 && y !== 0) return false;
  // What is just tiny may be 0 (vol. 2, RCPPS).
  if (x === 0 || y === 0) return Object.is(Math.sign(1 / x), Math.sign(1 / y)) && Math.abs(x + y) <= nearTiny;
  return Math.abs(x - y) <= 3 * 2 ** -12 * Math.abs(y);
}

function sameSse(is: DataView, should: DataView): boolean {
  if (is.getUint32(offset.mxcsr, true) !== should.getUint32(offset.mxcsr, true)) return false;
  for (let at = offset.xmm; at < is.byteLength; at += 4) {
    if (is.getUint32(at, true) === should.getUint32(at, true)) continue;
    if (!nearSingle(is.getFloat32(at, true), should.getFloat32(at, true))) return false;
  }
  return true;
}

/** Whether two images after one of these instructions, and at most a WAIT, are the same as far as is promised. */
export function sameWithin(mnemonic: string, before: Fpu, is: Uint32Array, should: Uint32Array): boolean {
  const view = (words: Uint32Array | Fpu) => new DataView(words.buffer, words.byteOffset, words.byteLength);
  if (transcendental.test(mnemonic)) return sameX87(mnemonic, view(before), view(is), view(should));
  return sameSse(view(is), view(should));
}

const resultBytes = 22;

/** Where the results of one of these instructions lie in an image: ST(0) and ST(1), or the XMM register that ModRM names. */
function places({ mnemonic, bytes }: Element): number[] {
  if (transcendental.test(mnemonic)) return [offset.st, offset.st + 16];
  return [offset.xmm + 16 * (((bytes[bytes.indexOf(0x0f) + 2] as number) >> 3) & 7)];
}

/** What of an image is only bounded: the status word with both results of the x87's, or the register of SSE's. */
export function boundedOf(element: Element, image: Uint8Array): Uint8Array {
  const out = new Uint8Array(resultBytes);
  const [first = 0, second] = places(element);
  if (second === undefined) out.set(image.subarray(first, first + 16));
  else {
    out.set(image.subarray(offset.status, offset.status + 2));
    out.set(image.subarray(first, first + 10), 2);
    out.set(image.subarray(second, second + 10), 12);
  }
  return out;
}

/** The image with that in its place. */
export function withBounded(element: Element, image: Uint8Array, bounded: Uint8Array): Uint8Array {
  const out = image.slice();
  const [first = 0, second] = places(element);
  if (second === undefined) out.set(bounded.subarray(0, 16), first);
  else {
    out.set(bounded.subarray(0, 2), offset.status);
    out.set(bounded.subarray(2, 12), first);
    out.set(bounded.subarray(12, 22), second);
  }
  return out;
}

/** The image without it: what is to be the same. */
export function withoutBounded(element: Element, image: Uint8Array): Uint8Array {
  const out = image.slice();
  if (transcendental.test(element.mnemonic)) {
    const view = new DataView(out.buffer);
    view.setUint16(offset.status, view.getUint16(offset.status, true) & ~(c1 | underflow), true);
  }
  for (const at of places(element)) out.fill(0, at, at + 16);
  return out;
}
