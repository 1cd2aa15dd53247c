import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readElf } from "../../src/loader/elf.ts";
import { LoadError } from "../../src/loader/load-error.ts";
import { makeElf } from "../support/elf.ts";

describe("an ELF file", () => {
  it.each([
    ["little-endian", false],
    ["big-endian", true],
  ])("that is %s gives its entry and its segments", (_, bigEndian) => {
    const elf = readElf(
      makeElf({ bigEndian, physical: 0x10_0000, content: [1, 2, 3], memorySize: 8, entry: 0xc010_0000 }),
    );
    expect(elf).toMatchObject({ bigEndian, entry: 0xc010_0000, machine: bigEndian ? 20 : 3 });
    expect(elf.segments).toEqual([
      { virtual: 0xc010_0000, physical: 0x10_0000, bytes: Uint8Array.of(1, 2, 3), memorySize: 8 },
    ]);
  });

  it("of the demo kernel has its entry inside of a segment and names its functions", () => {
    const elf = readElf(readFileSync(new URL("../../guest/images/pc.elf", import.meta.url)));
    expect(elf.machine).toBe(3);
    expect(elf.segments.some((s) => elf.entry >= s.virtual && elf.entry < s.virtual + s.memorySize)).toBe(true);
    expect(elf.symbols.length).toBeGreaterThan(10);
    expect(elf.symbols.map((s) => s.value)).toEqual(elf.symbols.map((s) => s.value).sort((a, b) => a - b));
  });

  it.each([
    ["empty", new Uint8Array(0), "not an ELF file"],
    ["only its magic", Uint8Array.of(0x7f, 0x45, 0x4c, 0x46), "cut short"],
    ["of 64 bits", edited(4, 2), "64 bits"],
    ["of no byte order", edited(5, 0), "byte order"],
    ["an object file", edited(16, 1), "not an executable"],
    ["without program headers", edited(44, 0), "0 program headers"],
    ["with its program headers past the end", edited(29, 0x77), "cut short"],
    ["with a segment past the end", edited(52 + 17, 0x77), "longer in the file"],
    ["with its segment's bytes past the end", edited(52 + 5, 0x77), "cut short"],
    ["with nothing to load", edited(52, 6), "nothing to load"],
    ["with a segment past 4 GiB", edited(52 + 23, 0xff), "past 4 GiB"],
  ])("that is %s is refused", (_, bytes, why) => {
    expect(() => readElf(bytes)).toThrow(LoadError);
    expect(() => readElf(bytes)).toThrow(why);
  });

  it("whatever its bytes are gives segments inside of it or a LoadError", () => {
    const whole = makeElf({ bigEndian: false, physical: 0x1000, content: [1, 2, 3, 4], memorySize: 4, entry: 0x1000 });
    const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(changes, fc.nat(whole.length), (edits, length) => {
        const bytes = whole.slice();
        for (const [at, value] of edits) bytes[at] = value;
        try {
          const elf = readElf(bytes.subarray(0, length + (whole.length - length) * (edits.length & 1)));
          for (const segment of elf.segments) expect(segment.bytes.length).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(LoadError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

function edited(at: number, value: number): Uint8Array {
  const bytes = makeElf({ bigEndian: false, physical: 0x1000_0000, content: [1, 2], memorySize: 4, entry: 0 });
  bytes[at] = value;
  return bytes;
}
