import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import * as s from "../../../src/cpu/x86/slots.ts";
import { Access, Translation } from "../../../src/ir/frontend.ts";
import { at, SystemMachine } from "./machine.ts";

/*
 * The manual's rules for a linear address once more, as plainly as they can be said: SDM vol. 3 sections 4.3 to 4.8. An entry is a bigint of 64 bits; a walk is the
 * entries which map the page, outermost first.
 */

interface Modes {
  readonly pae: boolean;
  readonly pse: boolean;
  readonly wp: boolean;
  readonly nxe: boolean;
  readonly pge: boolean;
}

const bit = (entry: bigint, n: number) => ((entry >> BigInt(n)) & 1n) !== 0n;
const anyOf = (entry: bigint, high: number, low: number) =>
  ((entry >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n)) !== 0n;

function reservedBits(entry: bigint, level: "directory" | "table", modes: Modes): boolean {
  const large = level === "directory" && bit(entry, 7) && (modes.pae || modes.pse);
  if (!modes.pae) return large && (anyOf(entry, 20, 17) || bit(entry, 21));
  return anyOf(entry, 62, 36) || (bit(entry, 63) && !modes.nxe) || (large && anyOf(entry, 20, 13));
}

interface Result {
  /** Undefined when the access is allowed. */
  readonly error?: number;
  readonly physical?: number;
  readonly directory: bigint;
  readonly table: bigint;
}

function byTheManual(
  directory: bigint,
  table: bigint,
  offset: number,
  access: number,
  user: boolean,
  modes: Modes,
): Result {
  const large = bit(directory, 7) && (modes.pae || modes.pse);
  const walk: (readonly [bigint, "directory" | "table"])[] = [[directory, "directory"]];
  if (bit(directory, 0) && !large && !reservedBits(directory, "directory", modes)) walk.push([table, "table"]);
  const unchanged = { directory, table };
  const kind =
    (access === Access.write ? 2 : 0) | (user ? 4 : 0) | (access === Access.fetch && modes.pae && modes.nxe ? 16 : 0);
  for (const [entry, level] of walk) {
    if (!bit(entry, 0)) return { ...unchanged, error: kind };
    if (reservedBits(entry, level, modes)) return { ...unchanged, error: kind | 9 };
  }
  const entries = walk.map(([entry]) => entry);
  const writable = entries.every((entry) => bit(entry, 1));
  const mayUser = entries.every((entry) => bit(entry, 2));
  const executable = !entries.some((entry) => bit(entry, 63)) || !modes.nxe;
  const allowed =
    (!user || mayUser) &&
    (access !== Access.write || writable || (!user && !modes.wp)) &&
    (access !== Access.fetch || executable);
  if (!allowed) return { ...unchanged, error: kind | 1 };
  const dirty = access === Access.write ? 0x40n : 0n;
  const last = entries.at(-1) as bigint;
  const addressBits = modes.pae ? (1n << 36n) - 1n : 0xffff_ffffn;
  let frame = last & addressBits & ~0xfffn;
  let span = 4096;
  if (large) {
    span = modes.pae ? 2 << 20 : 4 << 20;
    frame = last & addressBits & ~(BigInt(span) - 1n);
    if (!modes.pae) frame |= ((last >> 13n) & 0xfn) << 32n;
  }
  return {
    physical: Number(frame) + (offset % span),
    directory: directory | 0x20n | (large ? dirty : 0n),
    table: large ? table : table | 0x20n | dirty,
  };
}

const linear = 0x1234_5678;

describe("a walk of the page tables", () => {
  const m = new SystemMachine("p6-nx");
  const into = new Translation();
  const { core } = m.front;

  function put(address: number, entry: bigint, wide: boolean): void {
    m.write32(address, Number(entry & 0xffff_ffffn));
    if (wide) m.write32(address + 4, Number(entry >> 32n));
  }

  function get(address: number, wide: boolean): bigint {
    return BigInt(m.read32(address)) | (wide ? BigInt(m.read32(address + 4)) << 32n : 0n);
  }

  /** Low bits and address bits of all kinds, most of them present and without reserved bits. */
  const entry = (frame: bigint) =>
    fc
      .record({
        flags: fc.integer({ min: 0, max: 0x1ff }),
        present: fc.integer({ min: 0, max: 7 }),
        middle: fc.oneof(
          { weight: 4, arbitrary: fc.constant(0) },
          { weight: 1, arbitrary: fc.integer({ min: 0, max: 0x1ff }) },
        ),
        high: fc.oneof(
          { weight: 4, arbitrary: fc.constant(0n) },
          { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 0xfn }) },
        ),
        top: fc.constantFrom(0n, 0n, 0n, 1n << 63n, 1n << 52n),
      })
      .map(({ flags, present, middle, high, top }) => {
        const low = (flags & ~1) | (present > 0 ? 1 : 0);
        return frame | BigInt(low) | (BigInt(middle) << 13n) | (high << 32n) | top;
      });

  test("gives the page, the fault and the accessed and dirty flags which the manual gives", () => {
    fc.assert(
      fc.property(
        fc.record({ pae: fc.boolean(), pse: fc.boolean(), wp: fc.boolean(), nxe: fc.boolean(), pge: fc.boolean() }),
        entry(0n),
        entry(BigInt(0x3_0000)),
        fc.constantFrom(Access.read, Access.write, Access.fetch),
        fc.boolean(),
        (modes, directoryBits, tableBits, access, user) => {
          const cut = modes.pae ? (1n << 64n) - 1n : 0xffff_ffffn;
          const large = bit(directoryBits, 7) && (modes.pae || modes.pse);
          // The directory of small pages has to lead to the table, wherever else its bits would.
          const directory =
            (large ? directoryBits : (directoryBits & ~0x1_ffff_f000n & ~(0xfn << 32n)) | BigInt(at.tables + 0x1000)) &
            cut;
          const table = tableBits & cut;
          m.set(s.cr0, 0x8000_0011 | (modes.wp ? 0x1_0000 : 0));
          m.set(s.cr4, (modes.pae ? 0x20 : 0) | (modes.pse ? 0x10 : 0) | (modes.pge ? 0x80 : 0));
          m.set(s.efer, modes.nxe ? 0x800 : 0);
          m.set(s.cr3, at.tables);
          m.set(s.pdpteLow[0], at.tables | 1);
          m.set(s.pdpteHigh[0], 0);
          const shift = modes.pae ? 21 : 22;
          const size = modes.pae ? 8 : 4;
          const directoryAt = at.tables + (linear >>> shift) * size;
          const tableAt = at.tables + 0x1000 + ((linear >>> 12) & (modes.pae ? 0x1ff : 0x3ff)) * size;
          put(directoryAt, directory, modes.pae);
          put(tableAt, table, modes.pae);
          const expected = byTheManual(directory, table, linear % (4 << 20), access, user, modes);
          const allowed = m.front.translate(linear, access, user, into);
          expect(allowed).toBe(expected.error === undefined);
          if (allowed) expect(into.physical).toBe(expected.physical);
          else {
            expect([core.get(s.faultVector), core.get(s.faultCode), core.get(s.cr2)]).toEqual([
              14,
              expected.error,
              linear,
            ]);
          }
          expect(get(directoryAt, modes.pae)).toBe(expected.directory);
          expect(get(tableAt, modes.pae)).toBe(expected.table);
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe("what is known of a page", () => {
  let m: SystemMachine;
  const page = 0x0080_0000;
  const present = 0x03;
  const global = 0x103;

  beforeEach(() => {
    m = new SystemMachine();
    for (let k = 0; k < 1024; k++) m.write32(at.tables + 0x1000 + k * 4, (k << 12) | 3);
    m.write32(at.tables, (at.tables + 0x1000) | 3);
    m.write32(at.tables + 8, (at.tables + 0x2000) | 3);
    m.set(s.cr3, at.tables);
    m.set(s.cr4, 0x80);
    m.set(s.cr0, 0x8000_0011 | 0);
    m.front.core.flushTlb();
    m.write32(0x4_0000, 0x1111);
    m.write32(0x4_1000, 0x2222);
  });

  function map(entry: number): void {
    m.write32(at.tables + 0x2000, entry);
  }

  /** MOV EAX, [page]. */
  function load(): number {
    m.start(0xa1, 0, 0, 0x80, 0);
    m.step();
    return m.get(s.eax);
  }

  function moveToCr3(): void {
    m.set(s.eax, at.tables);
    m.start(0x0f, 0x22, 0xd8);
    m.step();
  }

  test("a global page outlives MOV CR3, another does not", () => {
    map(0x4_0000 | global);
    expect(load()).toBe(0x1111);
    map(0x4_1000 | global);
    moveToCr3();
    expect(load()).toBe(0x1111);
    m.front.core.flushPage(page);
    expect(load()).toBe(0x2222);
    map(0x4_0000 | present);
    m.front.core.flushPage(page);
    expect(load()).toBe(0x1111);
    map(0x4_1000 | present);
    moveToCr3();
    expect(load()).toBe(0x2222);
  });

  test("the global flag means nothing without CR4.PGE", () => {
    m.set(s.cr4, 0);
    map(0x4_0000 | global);
    expect(load()).toBe(0x1111);
    map(0x4_1000 | global);
    moveToCr3();
    expect(load()).toBe(0x2222);
  });

  test("INVLPG forgets no other page", () => {
    map(0x4_0000 | present);
    expect(load()).toBe(0x1111);
    map(0x4_1000 | present);
    m.front.core.flushPage(page + 0x1000);
    expect(load()).toBe(0x1111);
  });
});
