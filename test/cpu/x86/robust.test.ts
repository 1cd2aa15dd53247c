import { describe, expect, it } from "vitest";
import * as s from "../../../src/cpu/x86/slots.ts";
import { Random } from "../../campaign/random.ts";
import { type BareX86, bareX86, flatMode, setWord, word } from "../../support/x86.ts";

/*
 * A hostile guest: random bytes as code, random page tables, random descriptor tables, random registers, at every privilege. Nothing is expected of what it
 * does, except that it neither throws nor holds the host.
 */

const size = 1 << 20;
const tables = { directory: 0x1000, pages: 0x2000, gdt: 0x4000, idt: 0x5000 };
const start = 0x10000;

function randomBytes(random: Random, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let k = 0; k < length; k++) bytes[k] = random.word() & 0xff;
  return bytes;
}

/** Entries that lead somewhere more often than not, with any rights, some of them reserved. */
function randomEntries(random: Random, count: number, pick: () => number): Uint8Array {
  const entries = new Uint32Array(count);
  for (let k = 0; k < count; k++) {
    const rights = random.below(0x1000) | (random.once(8) ? 0 : 1);
    entries[k] = random.once(16) ? random.word() : (pick() & ~0xfff) | rights;
  }
  return new Uint8Array(entries.buffer);
}

/** A present descriptor of any type, mostly with limits that allow something. */
function randomTable(random: Random): Uint8Array {
  const bytes = randomBytes(random, 0x800);
  for (let k = 0; k < 0x800; k += 8) {
    if (random.once(4)) continue;
    bytes[k + 5] = (bytes[k + 5] as number) | 0x80;
    if (random.once(2)) bytes.set([0, 0, 0, bytes[k + 5] as number, 0xcf, 0], k + 2);
  }
  return bytes;
}

function prepare(m: BareX86, random: Random): void {
  m.front.reset();
  m.load(start, randomBytes(random, 0x8000));
  m.load(tables.gdt, randomTable(random));
  m.load(tables.idt, randomTable(random));
  m.load(
    tables.pages,
    randomEntries(random, 1024, () => random.below(size)),
  );
  m.load(
    tables.directory,
    randomEntries(random, 1024, () => (random.below(4) === 0 ? random.below(size) : tables.pages)),
  );
  const user = random.once(2);
  flatMode(m, user ? 3 : 0, random.once(4));
  for (const slot of s.gpr) setWord(m, slot, random.once(2) ? random.word() : random.below(size));
  setWord(m, s.gdtrBase, tables.gdt);
  setWord(m, s.gdtrLimit, 0x7ff);
  setWord(m, s.idtrBase, tables.idt);
  setWord(m, s.idtrLimit, 0x7ff);
  setWord(m, s.cr3, tables.directory);
  setWord(m, s.cr4, random.once(2) ? 0 : random.below(0x800) & ~0x20);
  const paged = !random.once(4);
  setWord(m, s.cr0, (word(m, s.cr0) & ~0x60000000) | (paged ? 0x80000001 | (random.below(2) << 16) : 1));
  m.front.core.setFlags(random.word() & 0x3f_4fd5 & (random.once(4) ? -1 : ~0x2_4100), -1);
  setWord(m, s.engine.pc, start + random.below(0x8000));
  m.front.core.updateMode();
  m.front.core.engine.flushTlb();
}

describe.each([
  ["evaluator", 100, 300],
  ["interpreter", 300, 3000],
] as const)("random code on random tables, on the %s", (executor, rounds, slice) => {
  it("never throws, and every slice comes to its end", { timeout: 60_000 }, () => {
    const m = bareX86(executor, { memory: size });
    let longest = 0;
    for (let seed = 1; seed <= rounds; seed++) {
      prepare(m, new Random(seed));
      for (let k = 0; k < 3; k++) {
        const begin = performance.now();
        try {
          m.run(slice);
        } catch (thrown) {
          expect.fail(`seed ${seed}, slice ${k}: ${thrown instanceof Error ? thrown.stack : thrown}`);
        }
        longest = Math.max(longest, performance.now() - begin);
      }
    }
    // Not all of them end in a shutdown at once.
    expect(m.front.core.engine.instructions).toBeGreaterThan(rounds * 10);
    // Milliseconds; a slice takes one or two, and some hundreds where the host is busy or makes code.
    expect(longest).toBeLessThan(5000);
  });
});
