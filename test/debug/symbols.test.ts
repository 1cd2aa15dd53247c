import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Symbols } from "../../src/debug/symbols.ts";
import { TraceOut } from "../../src/host/trace-out.ts";
import { kernelPath, machineNames } from "./support.ts";

describe.each(machineNames)("names of addresses in the kernel of %s", (name) => {
  const symbols = new Symbols(readFileSync(kernelPath(name)));
  const list = readFileSync(kernelPath(name).replace(/elf$/, "sym"), "utf8");

  test("are those of the list which the linker's tools made of it", () => {
    const functions = [...list.matchAll(/^([0-9a-f]{8}) T (\w+)$/gm)];
    expect(functions.length).toBeGreaterThan(100);
    for (const [, address, symbol] of functions)
      expect(symbols.address(symbol as string), symbol).toBe(Number.parseInt(address as string, 16));
  });

  test("are given inside a function with the distance, and outside of all not at all", () => {
    const main = symbols.address("kernel_main") as number;
    expect(symbols.name(main)).toBe("kernel_main");
    expect(symbols.label(main + 4)).toBe(" <kernel_main+0x4>");
    expect(symbols.name(0x10)).toBeUndefined();
    expect(symbols.label(0xf000_0000)).toBe("");
  });
});

test("names stand in the trace behind addresses of code, and behind no others", () => {
  const folder = mkdtempSync(join(tmpdir(), "barzero-"));
  const out = new TraceOut("all", join(folder, "trace"));
  out.label = (address) => (address === 0x1234 ? " <here>" : "");
  out.trace.write("exception", "page fault at 0x1234, cr2 0x1234");
  out.trace.write("lint", "a rule, at pc 0x1234");
  out.trace.write("pci", "BAR4 at 0x1234");
  out.close();
  const lines = readFileSync(join(folder, "trace"), "utf8").split("\n");
  rmSync(folder, { recursive: true });
  expect(lines).toEqual([
    expect.stringMatching(/exception: page fault at 0x1234 <here>, cr2 0x1234$/),
    expect.stringMatching(/lint: a rule, at pc 0x1234 <here>$/),
    expect.stringMatching(/pci: BAR4 at 0x1234$/),
    "",
  ]);
});

test("there are no names in what is no ELF file, or a broken one", () => {
  for (const file of [undefined, new Uint8Array(0), new Uint8Array(4096), Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 1, 1)])
    expect(new Symbols(file).address("kernel_main")).toBeUndefined();
});
