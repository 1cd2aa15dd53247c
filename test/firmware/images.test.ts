import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const images = new URL("../../firmware/images/", import.meta.url);
const image = (name: string): Buffer => readFileSync(new URL(name, images));

describe("the committed firmware images", () => {
  const sums = image("SHA256SUMS").toString().trim().split("\n");

  it.each(sums)("agree with their sum: %s", (line) => {
    const [sum, name] = line.split("  ") as [string, string];
    expect(createHash("sha256").update(image(name)).digest("hex")).toBe(sum);
  });

  it.each(["pc.bin", "e500.bin"])(
    "%s is a power of two in size, as a ROM which ends at the last address has to be",
    (name) => {
      const { length } = image(name);
      expect(length & (length - 1)).toBe(0);
    },
  );

  it("pc.bin has a near jump at the reset vector, 16 bytes below its end, and the AT's model byte", () => {
    const rom = image("pc.bin");
    expect(rom[rom.length - 16]).toBe(0xe9);
    expect(rom[rom.length - 2]).toBe(0xfc);
  });

  it("e500.bin branches backwards, and no further than the one mapped page, from its last word", () => {
    const rom = image("e500.bin");
    const branch = rom.readInt32BE(rom.length - 4);
    expect(branch >>> 26).toBe(18);
    expect(branch & 3).toBe(0);
    const distance = (branch << 6) >> 6;
    expect(distance).toBeLessThan(0);
    expect(distance).toBeGreaterThanOrEqual(-4092);
  });

  it.each(["pc.bin", "e500.bin"])("%s names no place of the machine it was built on", (name) => {
    expect(image(name).toString("latin1")).not.toMatch(/\/(home|root|tmp|usr|work)\//);
  });
});
