import { Attribute, Row } from "../../src/cpu/x86/pattern.ts";
import { oneByte } from "../../src/cpu/x86/table.ts";
import { twoByte } from "../../src/cpu/x86/table-0f.ts";
import { undefinedFlags } from "../vectors/x86/undefined-flags.ts";
import type { Fpu } from "./x86-fpu-state.ts";

/** One instruction of a case. */
export interface Element {
  readonly mnemonic: string;
  readonly bytes: readonly number[];
}

/** Instructions and the state they begin with, for user mode. */
export interface X86Case {
  readonly elements: readonly Element[];
  /** EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI; unsigned. */
  readonly registers: readonly number[];
  readonly flags: number;
  /** 64 bytes at `dataAt`. */
  readonly memory: Uint8Array;
  /** Where it begins, as an offset in CS. */
  readonly eip: number;
  /** ES, CS, SS, DS, FS, GS. */
  readonly selectors: readonly number[];
  /** Whether the code may be written. */
  readonly writable: boolean;
  /** What the x87 and SSE begin with; undefined for integers, after which nobody looks at them. */
  readonly fpu: Fpu | undefined;
  /** Whether regions run it, when both executors take part. */
  readonly translated: boolean;
}

/** An instruction as the decoder's tables have it: where, and as which. */
export interface Opcode {
  readonly row: Row;
  /** A prefix that is part of it, 0F and the opcode. */
  readonly bytes: readonly number[];
  readonly prefix: number | undefined;
  /** ModRM's reg for a member of a group. */
  readonly digit: number | undefined;
  /** ModRM values it may have, where these tell it from others. */
  readonly modrm: readonly number[] | undefined;
}

/** CF, PF, AF, ZF, SF, DF, OF. */
export const watchedFlags = 0xcd5;
/** All of those but DF. */
export const arithmeticFlags = watchedFlags & ~0x400;
export const longestCode = 56;
/** Mnemonics of shifts and rotates. */
export const shifts = /^(ro|rc|sh|sa)[lr]d?$/;

/**
 * What a process does otherwise under an operating system (UMIP, counters, SYSENTER), and what tells about the processor. Segments, far transfers, interrupts and
 * POPF are in x86-transfers.ts, as what they need stands in front of them.
 */
const left = new Set(
  (
    "callf jmpf retf int3 int into iret int1 sldt str lldt ltr verr verw sgdt sidt smsw lar lsl rdtsc rdpmc sysenter cpuid les lds lss lfs lgs " +
    "popf wait fxsave fxrstor"
  ).split(" "),
);

function usable(row: Row): boolean {
  if (left.has(row.mnemonic)) return false;
  // Control and debug registers and the like are #GP(0).
  return (
    row.has(Attribute.privileged) ||
    !row.operands.some((o) => o.letter === "T" || (o.letter === "S" && o !== row.operands[1]))
  );
}

/** Every integer opcode that a case may have. */
export const opcodes: readonly Opcode[] = [[[], oneByte] as const, [[0x0f], twoByte] as const].flatMap(([map, table]) =>
  [...table.entries()].flatMap(([k, entry]): Opcode[] => {
    const bytes = [...map, k];
    // D8..DF: the x87.
    if (entry === undefined || (map.length === 0 && k >= 0xd8 && k <= 0xdf)) return [];
    const rest = { bytes, prefix: undefined, modrm: undefined };
    if (entry instanceof Row) return usable(entry) ? [{ row: entry, digit: undefined, ...rest }] : [];
    return [...entry.slice(0, 8).entries()].flatMap(([digit, row]) =>
      row && usable(row) ? [{ row, digit, ...rest }] : [],
    );
  }),
);

/** Opcodes by mnemonic, so that each mnemonic can be as likely as any other. */
export function byMnemonic(list: readonly Opcode[]): ReadonlyMap<string, readonly Opcode[]> {
  return Map.groupBy(list, (o) => o.row.mnemonic);
}

/** Flags which an instruction may leave undefined, whatever its operands are. */
export function undefinedAtWorst(mnemonic: string): number {
  return undefinedFlags(mnemonic, shifts.test(mnemonic) ? { count: 2, bits: 1 } : undefined);
}

export const le = (number: number, width: number) =>
  Array.from({ length: width }, (_, k) => (number >>> (8 * k)) & 0xff);
