import { describe, expect, it } from "vitest";
import { decode } from "../../../src/cpu/e500/decode.ts";
import { formOf } from "../../../src/cpu/e500/instruction.ts";
import { Attribute, Row, specialShift, Variant } from "../../../src/cpu/e500/pattern.ts";
import { Mode } from "../../../src/cpu/e500/slots.ts";
import { pmrs, sprs } from "../../../src/cpu/e500/spr.ts";
import { primary } from "../../../src/cpu/e500/table.ts";
import { Builder } from "../../../src/ir/builder.ts";
import { Decoded, Fields } from "../../../src/ir/frontend.ts";
import { verify } from "../../../src/ir/verify.ts";
import { b, bc, mfspr, mtspr, x, xl } from "./asm.ts";

const rows = new Set(
  primary.flatMap((entry) => (entry instanceof Row ? [entry] : (entry ?? []))).filter((r) => r !== undefined),
);

/** The values that an instruction field which is part of the form may have. */
function specials(row: Row): readonly number[] {
  if (row.has(Attribute.first))
    return Array.from({ length: 32 }, (_, k) => k).filter((k) => k % 2 === 0 || !row.has(Attribute.branch));
  if (row.has(Attribute.fields)) return [0, 0x101, 0x180, 0xff, 0x1ff];
  if (row.has(Attribute.bit16)) return [0, 1];
  if (!row.has(Attribute.register)) return [0];
  const registers = row.mnemonic.endsWith("pmr") ? pmrs : sprs;
  const reads = row.mnemonic.startsWith("mf");
  return [...registers].filter(([, r]) => (reads ? r.readable : r.writable)).map(([number]) => number);
}

describe("every form of every instruction", () => {
  it.each([...rows].map((row) => [row.mnemonic, row] as const))("%s is IR that the verifier accepts", (_, row) => {
    for (const special of specials(row)) {
      for (let bits = 0; bits < 32; bits++) {
        const b = new Builder("open");
        formOf(row, bits | (special << specialShift)).body(b, new Fields(b));
        expect(verify(b.block), `${row.mnemonic} ${bits} ${special}`).toEqual([]);
      }
    }
  });

  it("looks for debug events only where the mode asks for it", () => {
    const add = [...rows].find((row) => row.mnemonic === "add") as Row;
    const helpers = (variant: number) => {
      const b = new Builder("open");
      formOf(add, variant).body(b, new Fields(b));
      return b.block.nodes.filter((node) => node.op === "call").map((node) => node.helper);
    };
    expect(helpers(0)).toEqual([]);
    expect(helpers(Variant.debug)).toEqual(["instructionAddress"]);
  });
});

function decoded(word: number, mode = 0): { name: string; operands: number[]; ends: boolean } {
  const into = new Decoded();
  const bytes = Uint8Array.of(word >>> 24, word >>> 16, word >>> 8, word);
  expect(decode(bytes, 4, mode, into)).toBe(true);
  return { name: into.form?.name ?? "", operands: [...into.operands], ends: into.form?.ends === true };
}

describe("the decoder", () => {
  it("wants the four bytes of a word", () => {
    expect(decode(new Uint8Array(4), 3, 0, new Decoded())).toBe(false);
  });

  it("calls a word illegal when no instruction has its opcode", () => {
    for (const word of [0, 0x0400_0000, 0x1400_0000, 0x7c00_0018, 0x4c00_0002])
      expect(decoded(word).name).toBe("illegal");
  });

  it("knows no instruction of later or other cores: lswi, cmpb, popcntb, lmw's 64-bit kin", () => {
    for (const xo of [597, 508, 122, 21, 27, 986]) expect(decoded(x(3, 4, 5, xo)).name).toBe("illegal");
  });

  it("ignores the hints of BO, and bits of it that another makes meaningless", () => {
    const plain = decoded(bc(4, 2, 8));
    expect(decoded(bc(5, 2, 8)).name).toBe(plain.name);
    expect(decoded(0x40a2_0008).name).toBe(decoded(0x4082_0008).name);
    expect(decoded(xl(449, 0x19, 6)).name).toBe("cror");
    expect(decoded(bc(31, 0, 8)).name).toBe(decoded(bc(20, 0, 8)).name);
  });

  it("reads displacements with their sign", () => {
    expect(decoded(b(-4)).operands[6]).toBe(-4);
    expect(decoded(bc(20, 0, -0x8000)).operands[6]).toBe(-0x8000);
  });

  it("makes a mask around the end when it ends before it begins", () => {
    const rlwinm = (mb: number, me: number) => decoded(((21 << 26) | (mb << 6) | (me << 1)) >>> 0).operands[7];
    expect(rlwinm(0, 31)).toBe(-1);
    expect(rlwinm(24, 31)).toBe(0xff);
    expect(rlwinm(31, 0)).toBe(0x8000_0001 | 0);
    expect(rlwinm(16, 15)).toBe(-1);
  });

  it("refuses an update form which names no base, or loads the base itself", () => {
    const lwzu = (rt: number, ra: number) => decoded(((33 << 26) | (rt << 21) | (ra << 16)) >>> 0).name;
    expect(lwzu(3, 4)).toBe("lwzu");
    expect(lwzu(3, 0)).toBe("illegal");
    expect(lwzu(3, 3)).toBe("illegal");
    expect(decoded(((37 << 26) | (3 << 21) | (3 << 16)) >>> 0).name).toBe("stwu");
  });

  it("refuses bcctr that counts CTR", () => {
    expect(decoded(xl(528, 20)).name).toBe("bcctr #20");
    expect(decoded(xl(528, 16)).name).toBe("illegal");
  });

  it("tells privileged from missing registers by the number", () => {
    expect(decoded(mfspr(3, 26), Mode.user).name).toBe("privileged");
    expect(decoded(mfspr(3, 26)).name).toBe("mfspr #26");
    expect(decoded(mfspr(3, 1000), Mode.user).name).toBe("illegal");
    expect(decoded(mfspr(3, 1016), Mode.user).name).toBe("privileged");
    expect(decoded(mfspr(3, 1016)).name).toBe("illegal");
    expect(decoded(mtspr(287, 3)).name).toBe("illegal");
    expect(decoded(mtspr(268, 3)).name).toBe("illegal");
    expect(decoded(mfspr(3, 284)).name).toBe("illegal");
  });
});

describe("registers", () => {
  it("has every one which Linux uses on this core", () => {
    const used = [
      1, 8, 9, 22, 26, 27, 48, 61, 62, 63, 268, 269, 272, 275, 287, 304, 308, 336, 340, 400, 401, 402, 403, 404, 405,
      406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 531, 532, 533, 624, 625, 626, 627, 628, 630, 689, 702, 944,
      1010, 1011, 1013, 1015, 1023,
    ];
    expect(used.filter((number) => !sprs.has(number))).toEqual([]);
  });
});
