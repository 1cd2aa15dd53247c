import { describe, expect, it } from "vitest";
import { forRealMode } from "../../src/loader/real-mode.ts";
import { bzImage } from "../support/bzimage.ts";

const megabyte = 1 << 20;

const setup = (initrdMost?: number) => bzImage(3, 0, initrdMost);

describe("a bzImage for its real-mode entry", () => {
  it("has in its header what a boot loader fills in, and the caller's bytes are left alone", () => {
    const given = setup();
    const { setup: filled, places } = forRealMode(given, 0x1_2345, 64 * megabyte);
    const header = new DataView(filled.buffer);
    expect(header.getUint8(0x210)).toBe(0xff);
    expect(header.getUint8(0x211)).toBe(0x81);
    expect(header.getUint32(0x228, true)).toBe(places.commandLine);
    expect(header.getUint32(0x218, true)).toBe(places.initrd);
    expect(header.getUint32(0x21c, true)).toBe(0x1_2345);
    // The heap ends where the command line starts, and an offset of it is of 16 bits.
    expect(places.setup + 0x200 + header.getUint16(0x224, true)).toBe(places.commandLine);
    expect(given).toEqual(setup());
  });

  it.each([
    ["at the end of RAM, below firmware's tables", 0x7fff_ffff, 64 * megabyte, 0x3fb_0000],
    ["where the kernel still finds it", 0x37f_ffff, 64 * megabyte, 0x37f_0000],
    ["with more RAM than the kernel maps", 0x37ff_ffff, 2048 * megabyte, 0x37ff_0000],
  ])("has its initrd %s, on a page", (_, most, memory, at) => {
    expect(forRealMode(setup(most), 0xffff, memory).places.initrd).toBe(at);
  });

  it("says 0 where there is no initrd", () => {
    const { setup: filled, places } = forRealMode(setup(), 0, 64 * megabyte);
    expect(places.initrd).toBe(0);
    expect(new DataView(filled.buffer).getUint32(0x218, true)).toBe(0);
  });
});
