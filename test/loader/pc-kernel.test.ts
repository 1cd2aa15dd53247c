import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LoadError } from "../../src/loader/load-error.ts";
import { multibootHeader } from "../../src/loader/multiboot.ts";
import { readPcKernel } from "../../src/loader/pc-kernel.ts";
import { bzImage } from "../support/bzimage.ts";
import { makeElf } from "../support/elf.ts";

const elf = (bigEndian = false) =>
  makeElf({ bigEndian, physical: 0x10_0000, content: [0xf4], memorySize: 1, entry: 0x10_0000 });

describe("a kernel for the PC", () => {
  it.each([
    [1, 1024],
    [0, 2560],
    [31, 16384],
  ])("which is a bzImage with setup_sects %i is cut behind %i bytes", (sectors, size) => {
    const { format, setup, kernel } = readPcKernel(bzImage(sectors, 100));
    expect([format, setup.length, kernel.length]).toEqual(["bzimage", size, 100]);
  });

  it("which is an ELF file is taken whole", () => {
    expect(readPcKernel(elf())).toMatchObject({ format: "elf", kernel: elf() });
    expect(readPcKernel(elf()).setup.length).toBe(0);
  });

  it("with a Multiboot header is known by it, at a multiple of 4 and with a right checksum only", () => {
    const bytes = new Uint8Array(9000);
    const header = new DataView(bytes.buffer);
    const put = (at: number, sum: number) => {
      header.setUint32(at, 0x1bad_b002, true);
      header.setUint32(at + 4, 0x10003, true);
      header.setUint32(at + 8, sum, true);
    };
    put(8192, -(0x1bad_b002 + 0x10003));
    expect(multibootHeader(bytes)).toBeUndefined();
    put(64, 5);
    expect(multibootHeader(bytes)).toBeUndefined();
    put(64, -(0x1bad_b002 + 0x10003));
    expect(multibootHeader(bytes)).toBe(64);
    expect(readPcKernel(bytes).format).toBe("multiboot");
  });

  it.each([
    ["text", new TextEncoder().encode("hello\n".repeat(500)), "neither"],
    ["empty", new Uint8Array(0), "neither"],
    ["for a PowerPC", elf(true), "another processor"],
    ["a bzImage cut short", bzImage(31, 10).subarray(0, 5000), "cut short"],
  ])("which is %s is refused", (_, bytes, why) => {
    expect(() => readPcKernel(bytes)).toThrow(LoadError);
    expect(() => readPcKernel(bytes)).toThrow(why);
  });

  it("whatever its bytes are is taken or refused with a LoadError", () => {
    const start = fc.constantFrom(elf(), bzImage(1, 100), new Uint8Array(2000));
    fc.assert(
      fc.property(
        start,
        fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 8 }),
        fc.nat(2000),
        (whole, edits, cut) => {
          const bytes = whole.slice();
          for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
          try {
            readPcKernel(bytes.subarray(0, cut % 3 === 0 ? cut : bytes.length));
          } catch (error) {
            expect(error).toBeInstanceOf(LoadError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  const debian = new URL("../../../shared/images/pc/vmlinuz", import.meta.url);
  it.skipIf(!existsSync(debian))("which is Debian's is a bzImage", () => {
    expect(readPcKernel(readFileSync(debian)).format).toBe("bzimage");
  });
});
