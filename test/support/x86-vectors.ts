import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/*
 * Cases taken from a real processor: user mode of a 32-bit process, some bytes of code behind which there are only INT3, eight registers, the arithmetic flags and
 * DF, 64 bytes of memory. scripts/vectors-x86.ts makes them.
 */

export const codeAt = 0x10000200;
export const dataPage = 0x20000000;
export const dataAt = 0x20000400;
export const stackTop = 0x30001000;

export interface Registers {
  /** EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI; unsigned. */
  readonly registers: readonly number[];
  readonly flags: number;
  /** 64 bytes at `dataAt`, in hex. */
  readonly memory: string;
}

export interface Vector {
  readonly mnemonic: string;
  /** In hex. */
  readonly code: string;
  readonly before: Registers;
  readonly after: Registers;
  /** The exception: 3 where the code was done. */
  readonly trap: number;
  readonly eip: number;
  /** The address of a page fault. */
  readonly cr2: number;
}

/** What a line of the file holds: registers that changed by number, memory only when it changed. */
type Line = [
  mnemonic: string,
  code: string,
  registers: number[],
  flags: number,
  memory: string,
  changed: Record<string, number>,
  flagsAfter: number,
  memoryAfter: string,
  trap: number,
  eip: number,
  cr2: number,
];

export function toLine(v: Vector): string {
  const changed: Record<string, number> = {};
  for (const [k, value] of v.after.registers.entries()) if (value !== v.before.registers[k]) changed[k] = value;
  const memoryAfter = v.after.memory === v.before.memory ? "" : v.after.memory;
  const line: Line = [
    v.mnemonic,
    v.code,
    [...v.before.registers],
    v.before.flags,
    v.before.memory,
    changed,
    v.after.flags,
    memoryAfter,
    v.trap,
    v.eip - codeAt,
    v.cr2,
  ];
  return JSON.stringify(line);
}

export function fromLine(text: string): Vector {
  const [mnemonic, code, registers, flags, memory, changed, flagsAfter, memoryAfter, trap, eip, cr2] = JSON.parse(
    text,
  ) as Line;
  return {
    mnemonic,
    code,
    before: { registers, flags, memory },
    after: {
      registers: registers.map((r, k) => changed[k] ?? r),
      flags: flagsAfter,
      memory: memoryAfter === "" ? memory : memoryAfter,
    },
    trap,
    eip: eip + codeAt,
    cr2,
  };
}

export function readVectors(file: string | URL): Vector[] {
  return gunzipSync(readFileSync(file)).toString().trim().split("\n").map(fromLine);
}
