import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/*
 * Cases of floating point taken from a real processor, as in x86-vectors.ts: EBX holds the address of 32 bytes of memory, behind the code stands INT3.
 * scripts/vectors-x87.ts makes them.
 */

/** The x87 as far as it is compared. Registers are ST(0) to ST(7), in hex, the most significant byte first. */
export interface X87State {
  readonly control: number;
  /** The status word, with TOP. */
  readonly status: number;
  /** By physical register. */
  readonly used: number;
  readonly registers: readonly string[];
  /** 32 bytes, in hex. */
  readonly memory: string;
  readonly eax: number;
  readonly flags: number;
}

export interface X87Vector {
  readonly mnemonic: string;
  readonly code: string;
  readonly before: X87State;
  readonly after: X87State;
  readonly trap: number;
}

type Line = [
  mnemonic: string,
  code: string,
  control: number,
  status: number,
  used: number,
  registers: string,
  memory: string,
  flags: number,
  controlAfter: number,
  statusAfter: number,
  usedAfter: number,
  changed: Record<string, string>,
  memoryAfter: string,
  eaxAfter: number,
  flagsAfter: number,
  trap: number,
];

export const eaxBefore = 0x1234_5678;

export function toLine(v: X87Vector): string {
  const { before, after } = v;
  const changed: Record<string, string> = {};
  for (const [k, value] of after.registers.entries()) if (value !== before.registers[k]) changed[k] = value;
  const line: Line = [
    v.mnemonic,
    v.code,
    before.control,
    before.status,
    before.used,
    before.registers.join(" "),
    before.memory,
    before.flags,
    after.control,
    after.status,
    after.used,
    changed,
    after.memory === before.memory ? "" : after.memory,
    after.eax,
    after.flags,
    v.trap,
  ];
  return JSON.stringify(line);
}

export function fromLine(text: string): X87Vector {
  const line = JSON.parse(text) as Line;
  const registers = line[5].split(" ");
  return {
    mnemonic: line[0],
    code: line[1],
    before: {
      control: line[2],
      status: line[3],
      used: line[4],
      registers,
      memory: line[6],
      eax: eaxBefore,
      flags: line[7],
    },
    after: {
      control: line[8],
      status: line[9],
      used: line[10],
      registers: registers.map((r, k) => line[11][k] ?? r),
      memory: line[12] === "" ? line[6] : line[12],
      eax: line[13],
      flags: line[14],
    },
    trap: line[15],
  };
}

export function readX87Vectors(file: string | URL): X87Vector[] {
  return gunzipSync(readFileSync(file)).toString().trim().split("\n").map(fromLine);
}
