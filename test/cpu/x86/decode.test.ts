import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decode } from "../../../src/cpu/x86/decode.ts";
import { Mode } from "../../../src/cpu/x86/slots.ts";
import { tableSize } from "../../../src/engine/forms.ts";
import { Builder } from "../../../src/ir/builder.ts";
import { Decoded, Fields, type Form } from "../../../src/ir/frontend.ts";
import { verify } from "../../../src/ir/verify.ts";

const flat32 = Mode.d32 | Mode.ss32 | Mode.flat;
const real16 = Mode.real;

function decoded(hex: string, mode: number = flat32): Decoded {
  const bytes = new Uint8Array(16);
  const given = Buffer.from(hex.replaceAll(" ", ""), "hex");
  bytes.set(given);
  const into = new Decoded();
  if (!decode(bytes, given.length, 0, mode, into)) throw new Error(`${hex} is not enough`);
  return into;
}

const name = (hex: string, mode?: number) => decoded(hex, mode).form?.name;

/** Prefixes and the two-byte map come more often than chance would have them. */
const codeBytes = fc
  .tuple(
    fc.array(fc.constantFrom(0x66, 0x67, 0x26, 0x2e, 0x64, 0xf2, 0xf3, 0xf0), { maxLength: 3 }),
    fc.boolean(),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  )
  .map(([prefixes, two, rest]) => Uint8Array.of(...prefixes, ...(two ? [0x0f] : []), ...rest).subarray(0, 16));
const modes = fc.nat(63);

describe("the decoder", () => {
  it.each([
    ["90", 1, "nop"],
    ["01 d8", 2, "add Ev,Gv.32"],
    ["66 01 d8", 3, "add Ev,Gv.16"],
    ["8b 44 8b 10", 4, "mov Gv,Ev.32.index"],
    ["8b 05 00 00 00 20", 6, "mov Gv,Ev.32.flat"],
    ["8b 04 25 00 00 00 20", 7, "mov Gv,Ev.32.flat"],
    ["64 8b 00", 3, "mov Gv,Ev.32.seg.a32"],
    ["67 8b 07", 3, "mov Gv,Ev.32.seg.a16"],
    ["2e 8b 00", 3, "mov Gv,Ev.32.flat"],
    ["2e 89 00", 3, "mov Ev,Gv.32.seg.a32"],
    ["c8 10 00 03", 4, "enter Uw.32.ss32.level3"],
    ["0f 1f 84 00 00 00 00 00", 8, "nop Ev.32.index"],
    ["f3 a5", 2, "movs Yv,Xv.32.flat.rep"],
    ["67 f3 a5", 3, "movs Yv,Xv.32.seg.a16.rep"],
    ["9a 78 56 34 12 08 00", 7, "callf Pp.32"],
    ["f7 c0 01 00 00 00", 6, "test Ev,Iv.32"],
    ["f7 d8", 2, "neg Ev.32"],
  ])("reads %s as %i bytes, %s", (hex, length, form) => {
    const into = decoded(hex);
    expect(into.length).toBe(length);
    expect(into.form?.name).toBe(form);
  });

  it("takes 16 bits in real mode and 32 behind the prefixes", () => {
    expect(name("8b 46 02", real16)).toBe("mov Gv,Ev.16.seg.a16");
    expect(name("66 67 8b 45 02", real16)).toBe("mov Gv,Ev.32.seg.a32");
  });

  it("finds the same form for the same kind of operands", () => {
    expect(decoded("01 d8").form).toBe(decoded("01 f9").form);
    expect(decoded("40").form).toBe(decoded("47").form);
  });

  it.each([
    ["LOCK before a register", "f0 01 d8"],
    ["LOCK before an instruction that does not write memory", "f0 8b 00"],
    ["LEA of a register", "8d c0"],
    ["a segment register that is not there", "8e f0"],
    ["a load of CS by MOV", "8e c8"],
    ["UD2", "0f 0b"],
    ["an SSE4 instruction", "66 0f 38 14 c1"],
    ["CMPXCHG8B of a register", "0f c7 c8"],
    ["group 5's hole", "ff f8"],
  ])("says #UD for %s", (_, hex) => expect(name(hex)).toBe("undefined"));

  it.each(["0f 00 c0", "0f 02 c0", "63 c0"])("says #UD for %s in real and virtual-8086 mode only", (hex) => {
    expect(name(hex)).not.toBe("undefined");
    expect(name(hex, real16)).toBe("undefined");
    expect(name(hex, Mode.real | Mode.v86 | Mode.user)).toBe("undefined");
  });

  it.each(["f4", "0f 06", "0f 22 c0", "0f 01 10", "0f 32"])("refuses %s at privilege 3", (hex) => {
    expect(name(hex)).not.toBe("refused");
    expect(name(hex, flat32 | Mode.user)).toBe("refused");
  });

  it("takes 15 bytes and refuses 16", () => {
    expect(name(`${"26".repeat(14)}90`)).toBe("nop");
    expect(name("26".repeat(16))).toBe("refused");
    expect(name(`${"26".repeat(13)}b80000`)).toBe("refused");
  });

  it("asks for exactly the bytes that an instruction has", () => {
    const full = new Decoded();
    const cut = new Decoded();
    fc.assert(
      fc.property(codeBytes, modes, (bytes, mode) => {
        expect(decode(bytes, 16, 0, mode, full)).toBe(true);
        expect(full.length).toBeGreaterThan(0);
        expect(full.length).toBeLessThanOrEqual(15);
        if (full.form?.name === "refused") return;
        for (let k = 0; k < full.length; k++) expect(decode(bytes, k, 0, mode, cut)).toBe(false);
        expect(decode(bytes, full.length, 0, mode, cut)).toBe(true);
        expect(cut.form).toBe(full.form);
        expect(cut.length).toBe(full.length);
      }),
      { numRuns: 2000 },
    );
  });

  it("finds forms that are well made, differ in name, and are fewer than the engine has room for", () => {
    const found = new Map<Form, string>();
    const into = new Decoded();
    fc.assert(
      fc.property(codeBytes, modes, (bytes, mode) => {
        decode(bytes, 16, 0, mode, into);
        const form = into.form as Form;
        if (found.has(form)) return;
        found.set(form, form.name);
        for (const operands of ["open", into.operands] as const) {
          const b = new Builder(operands);
          form.body(b, new Fields(b));
          expect(verify(b.block), form.name).toEqual([]);
        }
      }),
      { numRuns: 20_000 },
    );
    expect(found.size).toBeGreaterThan(800);
    expect(new Set(found.values()).size).toBe(found.size);
    expect(found.size).toBeLessThan(tableSize / 2);
  });
});
