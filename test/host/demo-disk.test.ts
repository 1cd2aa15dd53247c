import { expect, test } from "vitest";
import { demoDisk } from "../../src/host/demo-disk.ts";

test("a sector of the demo disk says which one it is, and none makes it a boot disk", () => {
  const disk = demoDisk();
  const text = (sector: number) => new TextDecoder().decode(disk.subarray(sector * 512, sector * 512 + 34));
  expect(text(0)).toBe("barzero demo disk, sector 00000\naa");
  expect(text(16_383)).toBe("barzero demo disk, sector 16383\ndd");
  expect(disk).toHaveLength(16_384 * 512);
  expect([disk[510], disk[511]]).not.toEqual([0x55, 0xaa]);
});
