import { expect, it } from "vitest";
import { isLinked } from "../../src/engine/links.ts";
import { decodingFront, type FrontName } from "../../src/host/translator/front.ts";
import { Decoded } from "../../src/ir/frontend.ts";

const x86: FrontName = { architecture: "x86", model: "pentium-m" };
const e500: FrontName = { architecture: "e500", model: "" };

it.each([
  ["jmp rel32", x86, 0x7, [0xe9, 0, 1, 0, 0], true],
  ["jz rel8", x86, 0x7, [0x74, 0x10], true],
  ["call rel32", x86, 0x7, [0xe8, 0, 1, 0, 0], true],
  ["jmp eax", x86, 0x7, [0xff, 0xe0], false],
  ["jmp [ebx+4]", x86, 0x7, [0xff, 0x63, 4], false],
  ["ret", x86, 0x7, [0xc3], false],
  ["add eax, ebx", x86, 0x7, [0x01, 0xd8], false],
  ["b", e500, 0x1, [0x48, 0, 1, 0], true],
  ["bne", e500, 0x1, [0x40, 0x82, 0, 0x10], true],
  ["blr", e500, 0x1, [0x4e, 0x80, 0, 0x20], false],
  ["ba", e500, 0x1, [0x48, 0, 1, 2], false],
] as const)(
  "%s of %o keeps a link to where it goes if that is always the same distance away",
  (_, name, mode, bytes, linked) => {
    const decoded = new Decoded();
    const padded = new Uint8Array(16);
    padded.set(bytes);
    expect(decodingFront(name).decode(padded, 16, 0x1000, mode, decoded)).toBe(true);
    expect(decoded.form && isLinked(decoded.form)).toBe(linked);
  },
);
