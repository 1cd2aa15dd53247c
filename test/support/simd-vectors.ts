import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/*
 * Cases of MMX, SSE and SSE2 taken from a real processor. The first operand is register 1 and the second register 2 or memory at EBX;
 * scripts/vectors-simd.ts makes them.
 */

/** What is compared. Registers are in hex, the lowest byte first. */
export interface SimdState {
  readonly xmm1: string;
  readonly xmm2: string;
  /** With the exponent, 10 bytes. */
  readonly mm1: string;
  readonly mm2: string;
  readonly ecx: number;
  readonly edx: number;
  readonly mxcsr: number;
  /** The x87's status word and its registers in use. */
  readonly status: number;
  readonly used: number;
  readonly flags: number;
  /** 32 bytes. */
  readonly memory: string;
}

export interface SimdVector {
  readonly mnemonic: string;
  readonly code: string;
  readonly before: SimdState;
  readonly after: SimdState;
  readonly trap: number;
}

const keys = ["xmm1", "xmm2", "mm1", "mm2", "ecx", "edx", "mxcsr", "status", "used", "flags", "memory"] as const;

/** A line: what it begins with, whole, and what has changed. */
export function toLine({ mnemonic, code, before, after, trap }: SimdVector): string {
  const changed = Object.fromEntries(
    keys.map((key, k) => [k, after[key]] as const).filter(([k, value]) => value !== before[keys[k] as keyof SimdState]),
  );
  return JSON.stringify([mnemonic, code, keys.map((key) => before[key]), changed, trap]);
}

function state(values: readonly (string | number)[]): SimdState {
  return Object.fromEntries(keys.map((key, k) => [key, values[k]])) as unknown as SimdState;
}

export function fromLine(text: string): SimdVector {
  const [mnemonic, code, values, changed, trap] = JSON.parse(text) as [
    string,
    string,
    (string | number)[],
    Record<string, string | number>,
    number,
  ];
  return { mnemonic, code, before: state(values), after: state(values.map((v, k) => changed[k] ?? v)), trap };
}

export function readSimdVectors(file: string | URL): SimdVector[] {
  return gunzipSync(readFileSync(file)).toString().trim().split("\n").map(fromLine);
}
