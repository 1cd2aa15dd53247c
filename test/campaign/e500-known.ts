import { codeAt, type E500Case } from "./e500-cases.ts";
import { type Answer, field, memoryOffset } from "./e500-layout.ts";
import type { Element } from "./e500-opcodes.ts";

/*
 * Where we do otherwise than qemu-ppc, and why that is right. Each is looked at when two answers differ.
 */

export interface Known {
  readonly name: string;
  readonly reason: string;
  /** `last` is the instruction with which it ended in a signal on ours, `found` words of the answer that differ. */
  readonly applies: (c: E500Case, last: Element | undefined, is: Answer, found: readonly number[]) => boolean;
}

const bus = 7;
const segment = 11;
const illegal = 4;

const inMemory = (found: readonly number[]) => found.every((k) => 4 * k >= memoryOffset);

/** Whether a store stands between lwarx and stwcx., where a loop comes round too. */
function storesUnderReservation(elements: readonly Element[]): boolean {
  const last = elements.at(-1);
  const loops = last?.mnemonic === "bc" && (last.word & 0x8000) !== 0;
  const order = loops ? [...elements, ...elements] : elements;
  const reserve = order.findIndex((e) => e.mnemonic === "lwarx");
  const conditional = order.findLastIndex((e) => e.mnemonic === "stwcx.");
  return reserve >= 0 && order.slice(reserve, conditional).some((e) => /^(st[^w]|stw(?!cx)|dcbz)/.test(e.mnemonic));
}

export const known: readonly Known[] = [
  {
    name: "stmw-that-faults",
    reason:
      'Book II, "Interrupt Restartability": a store multiple may have been done in part. Ours has stored what lay before the page that refused; qemu looks at both pages first.',
    applies: (_c, last, is, found) => last?.mnemonic === "stmw" && is.word(field.signal) === segment && inMemory(found),
  },
  {
    name: "external-pid-cache",
    reason:
      'Book III-E, "External Process ID Instructions": all of them are privileged. qemu\'s user emulation runs those for caches in problem state.',
    applies: (_c, last, is) =>
      /^(dcb(st|f|t|tst|z)|icbi)ep$/.test(last?.mnemonic ?? "") && is.word(field.signal) === illegal,
  },
  {
    name: "stwcx-unaligned",
    reason:
      'Book III-E, "Alignment Interrupt": the operand of stwcx. is not aligned. qemu looks at the address only when there is a reservation for it.',
    applies: (_c, last, is) => last?.mnemonic === "stwcx." && is.word(field.signal) === bus,
  },
  {
    name: "reservation-by-value",
    reason:
      'Book II, "Load And Reserve": a processor\'s own plain stores leave its reservation. qemu compares the word with what lwarx read, so that a store of its own between the two loses it.',
    applies: (c) => storesUnderReservation(c.elements),
  },
  {
    name: "icbi-address",
    reason: "Book III-E, DEAR: the address of the access that faulted. qemu reports the line's.",
    applies: (_c, last, _is, found) => last?.mnemonic === "icbi" && found.every((k) => k === field.address),
  },
];

export function knownFor(c: E500Case, is: Answer, found: readonly number[]): string | undefined {
  const last = is.word(field.signal) === 0 ? undefined : c.elements[(is.word(field.pc) - codeAt(c.slot)) >> 2];
  return known.find((k) => k.applies(c, last, is, found))?.name;
}
