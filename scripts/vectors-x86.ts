/*
 * Takes vectors of x86 integer instructions from the processor this runs on (any x86-64 or i386 Linux).
 *
 *     node scripts/vectors-x86.ts FILE [CASES-PER-MNEMONIC] [SEED]
 *
 * Opcodes and operands come from the decoder's own tables, by way of the campaign's cases; what they do comes from the processor alone
 * (scripts/x86-oracle.c). Of each mnemonic's cases the first half has values at the edge of something alone, and they are so chosen that any two of
 * what is in `features` meet where they can.
 */

import { writeFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";
import { Random } from "../test/campaign/random.ts";
import { type Answer, field, shiftOf } from "../test/campaign/x86-answer.ts";
import { byMnemonic, type Opcode, opcodes, watchedFlags, type X86Case } from "../test/campaign/x86-case.ts";
import { Maker } from "../test/campaign/x86-maker.ts";
import { askX86, x86Oracle } from "../test/campaign/x86-target.ts";
import { pieces } from "../test/campaign/x86-transfers.ts";
import { type CaseVector, toLine } from "../test/support/case-vectors.ts";
import { undefinedResult } from "../test/vectors/x86/undefined-flags.ts";

const [file, perMnemonic = "200", seed = "1"] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node scripts/vectors-x86.ts FILE [CASES-PER-MNEMONIC] [SEED]");
  process.exit(2);
}
const count = Number(perMnemonic);
const random = new Random(Number(seed));

// A few images and words, so that the file is small.
const images = Array.from({ length: 12 }, (_, k) =>
  Uint8Array.from({ length: 64 }, () => (k < 3 ? random.pick([0, 0xff, 0x80, 0x7f, 1]) : random.below(256))),
);

interface Candidate {
  readonly case: X86Case;
  readonly features: readonly string[];
}

const prefixes = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);

/** Opcode, form of address, operand size, segment, mode, repetition. */
function features(c: X86Case, opcode: Opcode): string[] {
  const bytes = c.elements[0]?.bytes ?? [];
  const start = bytes.findIndex((byte) => !prefixes.has(byte));
  const before = bytes.slice(0, start);
  const after = bytes.slice(start + opcode.bytes.length);
  const [modrm = 0, sib = 0] = after;
  const [mod, rm] = [modrm >> 6, modrm & 7];
  const short = before.includes(0x67) !== (c.selectors[1] === 0x67);
  let address = "none";
  if (opcode.row.modrm) {
    address = mod === 3 ? "register" : `${short ? "short" : "long"} ${mod} ${rm}`;
    if (mod !== 3 && rm === 4 && !short)
      address = `sib ${mod} ${((sib >> 3) & 7) === 4 ? "no index" : `times ${1 << (sib >> 6)}`}${(sib & 7) === 5 ? " ebp" : ""}`;
  }
  return [
    `opcode ${opcode.bytes.join(" ")} ${opcode.digit ?? ""}`,
    `address ${address}`,
    `size ${before.includes(0x66)}`,
    `segment ${before.findLast((byte) => (byte & 0xe7) === 0x26 || byte === 0x64 || byte === 0x65) ?? "none"}`,
    `mode ${c.selectors[1]}`,
    `repeat ${before.findLast((byte) => byte >= 0xf0) ?? "none"}`,
  ];
}

const pairsOf = (list: readonly string[]) => list.flatMap((a, k) => list.slice(k + 1).map((b) => `${a}|${b}`));

function finish(m: Maker): X86Case {
  const memory = random.pick(images).slice();
  memory.set(m.memory.subarray(m.pinned), m.pinned);
  return {
    elements: m.elements,
    registers: m.registers,
    flags: random.word() & watchedFlags,
    memory,
    eip: m.eip,
    selectors: m.selectors,
    writable: false,
    fpu: undefined,
    translated: false,
  };
}

function candidate(list: readonly Opcode[], edges: boolean): Candidate {
  const m = new Maker(random, random.once(4), edges);
  const opcode = random.pick(list);
  m.suit(opcode.row);
  m.add(opcode.row.mnemonic, m.encode(opcode, { first: true }));
  const c = finish(m);
  return { case: c, features: features(c, opcode) };
}

/** Of some candidates each time the one in which most pairs meet for the first time. */
function choose(list: readonly Opcode[]): X86Case[] {
  const met = new Set<string>();
  return Array.from({ length: count }, (_, k) => {
    let best: Candidate | undefined;
    let most = -1;
    for (let n = 0; n < 12; n++) {
      const one = candidate(list, k < count / 2);
      const fresh = pairsOf(one.features).filter((pair) => !met.has(pair)).length;
      if (fresh > most) [best, most] = [one, fresh];
    }
    const chosen = best as Candidate;
    for (const pair of pairsOf(chosen.features)) met.add(pair);
    return chosen.case;
  });
}

function special(name: string): X86Case[] {
  return Array.from({ length: count }, () => {
    const m = new Maker(random, random.once(2));
    random.pick(pieces[name] ?? [])(m);
    return { ...finish(m), writable: name === "changed code" };
  });
}

const all: { readonly mnemonic: string; readonly case: X86Case }[] = [
  ...[...byMnemonic(opcodes)].flatMap(([mnemonic, list]) => choose(list).map((c) => ({ mnemonic, case: c }))),
  ...Object.keys(pieces).flatMap((name) => special(name).map((c) => ({ mnemonic: name, case: c }))),
];

/** More than the operand's size: SHLD and SHRD have no defined result then. */
const isUndefined = (c: X86Case) => undefinedResult(c.elements[0]?.mnemonic ?? "", shiftOf(c));

/** A case that does not end, makes a system call, or looks at the oracle's own program. */
const usable = (a: Answer) =>
  a[field.signal] !== 26 && a[field.signal] !== 31 && (a[field.cr2] as number) >>> 20 !== 0x080;

const answers = await askX86(
  x86Oracle(),
  all.map((one) => one.case),
);
const vectors = all.flatMap((one, k): CaseVector[] => {
  const should = answers[k];
  return should === undefined || !usable(should) || isUndefined(one.case) ? [] : [{ ...one, should }];
});
const packed = brotliCompressSync(Buffer.from(`${vectors.map(toLine).join("\n")}\n`), {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 },
});
writeFileSync(file, packed);
console.log(
  `${vectors.length} vectors of ${new Set(all.map((one) => one.mnemonic)).size} kinds, ${packed.length} bytes`,
);
