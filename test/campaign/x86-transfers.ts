import { codeAt, dataAt } from "../support/x86-vectors.ts";
import { le, longestCode, watchedFlags } from "./x86-case.ts";
import type { Maker } from "./x86-maker.ts";
import {
  badDataSelectors,
  baseOf,
  dataSelectors,
  farSelectors,
  oddDataSelectors,
  stackSelectors,
} from "./x86-segments.ts";

/*
 * Instructions of user mode which need something in front of them: loads of segment registers, far transfers, interrupts, IRET, flags, and code that changes
 * itself. Each is a few elements at the end of what a case has. Bytes are for 32-bit code; `wide` makes them that in 16-bit code.
 */

export type Piece = (m: Maker) => void;

function anySelector(m: Maker): number {
  const { random } = m;
  const selector = random.pick(
    [dataSelectors, dataSelectors, oddDataSelectors, badDataSelectors, stackSelectors, farSelectors][
      random.below(6)
    ] as number[],
  );
  // Linux forgets the RPL of a null selector when it switches tasks.
  return selector !== 0 && random.once(8) ? selector ^ random.below(4) : selector;
}

/** MOV r32, n. */
function move(m: Maker, register: number, value: number): void {
  m.add("mov", [...m.wide, 0xb8 | register, ...le(value, 4)]);
}

function push(m: Maker, value: number): void {
  m.add("push", [...m.wide, 0x68, ...le(value, 4)]);
}

/** A place where INT3s are, as an offset in the segment `selector`. */
function landing(m: Maker, selector: number): number {
  const { random } = m;
  const at = random.once(2) ? codeAt + longestCode + random.below(64) : codeAt - 1 - random.below(64);
  return random.once(16) ? m.value() : at - baseOf(selector);
}

const loads: readonly Piece[] = [
  // MOV Sreg, r16
  (m) => {
    const register = m.random.pick([0, 1, 2, 3, 5, 6, 7]);
    const segment = m.random.pick([0, 0, 2, 3, 3, 4, 4, 5, 5, 1]);
    move(m, register, anySelector(m) | (m.random.below(4) << 16));
    m.add("mov", [0x8e, 0xc0 | (segment << 3) | register]);
  },
  // POP Sreg
  (m) => {
    const [mnemonic, ...bytes] = m.random.pick([
      ["pop", 0x07],
      ["pop", 0x17],
      ["pop", 0x1f],
      ["pop", 0x0f, 0xa1],
      ["pop", 0x0f, 0xa9],
    ] as const);
    push(m, anySelector(m) | (m.random.below(2) << 16));
    m.add(mnemonic, [...m.wide, ...bytes]);
  },
  // LES, LDS, LSS, LFS, LGS
  (m) => {
    const at = m.random.below(59);
    m.pin(at, [...le(m.value(), 4), ...le(anySelector(m), 2)]);
    const bytes = m.random.pick([[0xc4], [0xc5], [0x0f, 0xb2], [0x0f, 0xb4], [0x0f, 0xb5]]);
    const narrow = m.random.once(6) ? [0x66] : [];
    m.add("lds", [
      ...m.wide,
      ...m.wideAddress,
      ...narrow,
      ...bytes,
      5 | (m.random.pick([0, 1, 2, 3, 5, 6, 7]) << 3),
      ...le(dataAt + at - m.base(3), 4),
    ]);
  },
];

const questions: Piece = (m) => {
  const register = m.random.pick([0, 1, 2, 3, 5, 6, 7]);
  const other = m.random.below(8);
  move(m, register, anySelector(m));
  const narrow = m.random.once(6) ? [0x66] : [];
  const [name, bytes] = m.random.pick([
    ["lar", [...narrow, 0x0f, 0x02, 0xc0 | (other << 3) | register]],
    ["lsl", [...narrow, 0x0f, 0x03, 0xc0 | (other << 3) | register]],
    ["verr", [0x0f, 0x00, 0xe0 | register]],
    ["verw", [0x0f, 0x00, 0xe8 | register]],
  ] as const);
  m.add(name, bytes);
};

const transfers: readonly Piece[] = [
  // JMP and CALL, far, by a pointer in the instruction
  (m) => {
    const selector = m.random.once(8) ? anySelector(m) : m.random.pick(farSelectors);
    m.add("far", [...m.wide, m.random.pick([0xea, 0x9a]), ...le(landing(m, selector), 4), ...le(selector, 2)]);
  },
  // and by one in memory
  (m) => {
    const at = m.random.below(59);
    const selector = m.random.pick(farSelectors);
    m.pin(at, [...le(landing(m, selector), 4), ...le(selector, 2)]);
    m.add("far", [...m.wide, ...m.wideAddress, 0xff, m.random.pick([0x1d, 0x2d]), ...le(dataAt + at - m.base(3), 4)]);
  },
  // RETF
  (m) => {
    const selector = m.random.pick(farSelectors);
    push(m, selector);
    push(m, landing(m, selector));
    m.add("retf", [...m.wide, ...m.random.pick([[0xcb], [0xca, m.random.below(64), 0]])]);
  },
  // IRET
  (m) => {
    const selector = m.random.pick(farSelectors);
    push(m, (m.random.word() & watchedFlags) | 0x202);
    push(m, selector);
    push(m, landing(m, selector));
    m.add("iret", [...m.wide, 0xcf]);
  },
  // RETF and IRET of 16 bits
  (m) => {
    const selector = m.random.pick(farSelectors);
    const narrow = m.wide.length > 0 ? [] : [0x66];
    const iret = m.random.once(2);
    if (iret) m.add("push", [...narrow, 0x68, ...le((m.random.word() & watchedFlags) | 0x202, 2)]);
    m.add("push", [...narrow, 0x68, ...le(selector, 2)]);
    m.add("push", [...narrow, 0x68, ...le(landing(m, selector), 2)]);
    m.add(iret ? "iret" : "retf", [...narrow, iret ? 0xcf : 0xcb]);
  },
];

const interrupts: readonly Piece[] = [
  // Not 80: that is a system call.
  (m) => m.add("int", [0xcd, m.random.once(3) ? m.random.pick([3, 4]) : m.random.below(0x80)]),
  (m) => m.add("int3", [0xcc]),
  (m) => m.add("int1", [0xf1]),
  (m) => m.add("into", [0xce]),
  (m) => m.add("ud", [0x0f, m.random.pick([0x0b, 0xb9, 0xff]), 0xc0]),
];

/** AND EAX, flags; PUSH EAX; POPF. */
const flags: Piece = (m) => {
  m.add("and", [...m.wide, 0x25, ...le(watchedFlags, 4)]);
  m.add("cmp", [0x39, 0xc0 | m.random.below(64)]);
  m.add("push", [...m.wide, 0x50]);
  m.add("popf", [...m.wide, 0x9d]);
};

/**
 * A store into the code behind it, in its own segment's way: MOV BYTE [n], n over the immediate or the opcode of an instruction that follows at once or after
 * another one.
 */
const changes: Piece = (m) => {
  const { random } = m;
  const length = 7 + m.wideAddress.length;
  const between = random.below(3);
  const store = m.elements.reduce((sum, e) => sum + e.bytes.length, 0);
  const target = codeAt + store + length + between;
  const opcode = random.once(2);
  const value = opcode ? 0x40 | random.pick([0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15]) : random.below(256);
  m.add("mov", [...m.wideAddress, 0xc6, 0x05, ...le((opcode ? target : target + 1) - m.base(3), 4), value]);
  for (let k = 0; k < between; k++) m.add("nop", [0x90]);
  // INC or DEC, or MOV r8, n.
  if (opcode) m.add("inc", [0x40 | random.pick([0, 1, 2, 3, 5, 6, 7])]);
  else m.add("mov", [0xb0 | random.below(8), random.below(256)]);
};

/** By name, for vectors of each kind. */
export const pieces: Readonly<Record<string, readonly Piece[]>> = {
  "segment loads": loads,
  "segment questions": [questions],
  "far transfers": transfers,
  interrupts,
  popf: [flags],
  "changed code": [changes],
};

/** The longest of them, in bytes. */
export const longestPiece = 26;

/** One of them. Says whether it writes code. */
export function piece(m: Maker): boolean {
  const { random } = m;
  const kind = random.below(12);
  if (kind < 4) random.pick(loads)(m);
  else if (kind < 5) questions(m);
  else if (kind < 8) random.pick(transfers)(m);
  else if (kind < 9) random.pick(interrupts)(m);
  else if (kind < 11) flags(m);
  else {
    changes(m);
    return true;
  }
  return false;
}
