import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pc } from "../../machines/pc.ts";
import { pcFirmwareFiles } from "../../src/board/pc-files.ts";

const sum = (bytes: Uint8Array): number => bytes.reduce((a, b) => (a + b) & 0xff, 0);
const text = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length));

/** A loader as firmware has it: high files from 1 MiB on, the others from 0xF0000 on. Gives one megabyte and a half of memory. */
function load(files: Readonly<Record<string, Uint8Array>>): { memory: Uint8Array; at: Map<string, number> } {
  const memory = new Uint8Array(0x18_0000);
  const view = new DataView(memory.buffer);
  const at = new Map<string, number>();
  const script = files["etc/table-loader"] as Uint8Array;
  const words = new DataView(script.buffer, script.byteOffset);
  const free = { 1: 0x10_0000, 2: 0xf_0000 };
  for (let entry = 0; entry < script.length; entry += 128) {
    const name = (offset: number) => text(script, entry + offset, 56).replace(/\0.*$/s, "");
    const place = (file: string) => at.get(file) as number;
    switch (words.getUint32(entry, true)) {
      case 1: {
        const align = words.getUint32(entry + 60, true);
        const zone = script[entry + 64] as 1 | 2;
        const base = Math.ceil(free[zone] / align) * align;
        const bytes = files[name(4)] as Uint8Array;
        memory.set(bytes, base);
        at.set(name(4), base);
        free[zone] = base + bytes.length;
        break;
      }
      case 2: {
        const where = place(name(4)) + words.getUint32(entry + 116, true);
        if (script[entry + 120] === 8)
          view.setBigUint64(where, view.getBigUint64(where, true) + BigInt(place(name(60))), true);
        else view.setUint32(where, view.getUint32(where, true) + place(name(60)), true);
        break;
      }
      case 3: {
        const base = place(name(4));
        const start = base + words.getUint32(entry + 64, true);
        const range = memory.subarray(start, start + words.getUint32(entry + 68, true));
        const where = base + words.getUint32(entry + 60, true);
        memory[where] = 0;
        memory[where] = -sum(range);
        break;
      }
      default:
        throw new Error("an unknown loader command");
    }
  }
  return { memory, at };
}

const files = pcFirmwareFiles(pc, 64 << 20);
const { memory, at } = load(files);
const view = new DataView(memory.buffer);
const rsdp = at.get("etc/acpi/rsdp") as number;
const rsdt = view.getUint32(rsdp + 16, true);
const tableAt = new Map<string, number>();
for (let i = 36; i < view.getUint32(rsdt + 4, true); i += 4) {
  const where = view.getUint32(rsdt + i, true);
  tableAt.set(text(memory, where, 4), where);
}
const table = (name: string): Uint8Array => {
  const where = tableAt.get(name) as number;
  return memory.subarray(where, where + view.getUint32(where + 4, true));
};

describe("the ACPI tables, once loaded", () => {
  it("begin with a root pointer on 16 bytes below 1 MiB whose 20 bytes sum to zero (5.2.5.1)", () => {
    expect(rsdp % 16).toBe(0);
    expect(rsdp).toBeGreaterThanOrEqual(0xe_0000);
    expect(text(memory, rsdp, 8)).toBe("RSD PTR ");
    expect(sum(memory.subarray(rsdp, rsdp + 20))).toBe(0);
  });

  it("are reached from a root table, and each sums to zero", () => {
    expect(text(memory, rsdt, 4)).toBe("RSDT");
    expect([...tableAt.keys()]).toEqual(["FACP", "APIC"]);
    for (const name of tableAt.keys()) expect(sum(table(name)), name).toBe(0);
    expect(sum(memory.subarray(rsdt, rsdt + view.getUint32(rsdt + 4, true)))).toBe(0);
  });

  it("give a FADT which points to the DSDT twice and to a FACS on 64 bytes (5.2.9, 5.2.10)", () => {
    const fadt = tableAt.get("FACP") as number;
    const dsdt = view.getUint32(fadt + 40, true);
    expect(text(memory, dsdt, 4)).toBe("DSDT");
    expect(sum(memory.subarray(dsdt, dsdt + view.getUint32(dsdt + 4, true)))).toBe(0);
    expect(view.getBigUint64(fadt + 140, true)).toBe(BigInt(dsdt));
    const facs = view.getUint32(fadt + 36, true);
    expect(text(memory, facs, 4)).toBe("FACS");
    expect(facs % 64).toBe(0);
    expect(view.getUint32(facs + 4, true)).toBe(64);
  });

  it("give a FADT of revision 3 with the ports of the machine", () => {
    const fadt = new DataView(table("FACP").slice().buffer);
    expect(fadt.byteLength).toBe(244);
    expect(fadt.getUint8(8)).toBe(3);
    expect(fadt.getUint16(46, true)).toBe(9);
    expect(fadt.getUint32(56, true)).toBe(0x600);
    expect(fadt.getUint32(64, true)).toBe(0x604);
    expect(fadt.getUint32(76, true)).toBe(0x608);
    // RESET_REG: port space, 8 bits, at 0xCF9; the value is 6.
    expect([116, 117].map((i) => fadt.getUint8(i))).toEqual([1, 8]);
    expect(fadt.getBigUint64(120, true)).toBe(0xcf9n);
    expect(fadt.getUint8(128)).toBe(6);
    expect(fadt.getBigUint64(148 + 4, true)).toBe(0x600n);
  });

  it("give a MADT with the timer on input 2 and the PCI interrupts active high and level", () => {
    const madt = table("APIC");
    const found: number[][] = [];
    for (let i = 44; i < madt.length; i += madt[i + 1] as number)
      if (madt[i] === 2) found.push([madt[i + 3] as number, madt[i + 4] as number, madt[i + 8] as number]);
    expect(found).toEqual([
      [0, 2, 0],
      [9, 9, 13],
      [10, 10, 13],
      [11, 11, 13],
    ]);
  });

  it("are all read by iasl, where there is one, without an error", () => {
    const where = mkdtempSync(join(tmpdir(), "acpi-"));
    try {
      const dsdt = view.getUint32((tableAt.get("FACP") as number) + 40, true);
      const all: Record<string, Uint8Array> = Object.fromEntries(
        [...tableAt.keys()].map((name) => [name, table(name)]),
      );
      all.DSDT = memory.subarray(dsdt, dsdt + view.getUint32(dsdt + 4, true));
      for (const [name, bytes] of Object.entries(all)) {
        const file = join(where, name);
        writeFileSync(`${file}.aml`, bytes);
        try {
          execFileSync("iasl", ["-d", `${file}.aml`], { stdio: "pipe" });
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
          throw error;
        }
        expect(readFileSync(`${file}.dsl`, "latin1")).not.toMatch(/Incorrect checksum|Invalid|ERROR/);
      }
      const said = execFileSync("iasl", ["-tc", join(where, "DSDT.dsl")], { stdio: "pipe" }).toString();
      expect(said).toContain("0 Errors");
    } finally {
      rmSync(where, { recursive: true });
    }
  });
});

describe("the MP tables, once loaded (MP 1.4 chapter 4)", () => {
  const pointer = at.get("etc/mp-table") as number;
  const config = view.getUint32(pointer + 4, true);
  const length = view.getUint16(config + 4, true);

  it("begin with a floating pointer on 16 bytes which sums to zero and points to the table", () => {
    expect(pointer % 16).toBe(0);
    expect(text(memory, pointer, 4)).toBe("_MP_");
    expect(sum(memory.subarray(pointer, pointer + 16))).toBe(0);
    expect(text(memory, config, 4)).toBe("PCMP");
    expect(sum(memory.subarray(config, config + length))).toBe(0);
  });

  it("have as many entries as they say, of the sizes of table 4-3, in ascending order of type", () => {
    const types: number[] = [];
    let i = config + 44;
    while (i < config + length) {
      types.push(memory[i] as number);
      i += memory[i] === 0 ? 20 : 8;
    }
    expect(i).toBe(config + length);
    expect(types.length).toBe(view.getUint16(config + 34, true));
    expect(types).toEqual([...types].sort((a, b) => a - b));
    expect(files["etc/mp-table"]?.length).toBe(16 + length);
  });

  it("lead slot 2 INTA to the second route's interrupt, slot 3 to the third's", () => {
    const entries: number[][] = [];
    for (let i = config + 44 + 20; i < config + length; i += 8)
      if (memory[i] === 3) entries.push([...memory.subarray(i, i + 8)]);
    // Type, vectored, flags active high and level, PCI bus, device 2 pin A, IO-APIC 1, input 10; device 3 pin A is the third route's.
    expect(entries).toContainEqual([3, 0, 13, 0, 0, 2 << 2, 1, 10]);
    expect(entries).toContainEqual([3, 0, 13, 0, 0, 3 << 2, 1, 11]);
    expect(entries).toContainEqual([3, 0, 0, 0, 1, 0, 1, 2]);
  });
});

describe("etc/e820", () => {
  it("is one entry of 20 bytes for all of RAM", () => {
    const bytes = files["etc/e820"] as Uint8Array;
    const entry = new DataView(bytes.buffer);
    expect(bytes.length).toBe(20);
    expect([entry.getBigUint64(0, true), entry.getBigUint64(8, true), entry.getUint32(16, true)]).toEqual([
      0n,
      64n << 20n,
      1,
    ]);
  });
});
