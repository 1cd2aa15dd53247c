import { expect, test } from "vitest";
import * as s from "../../../src/cpu/x86/slots.ts";
import { bareX86, flatMode, setWord, word } from "../../support/x86.ts";

test("CPUID leaf 0 spells GenuineIntel over EBX, EDX, ECX (SDM vol. 2, CPUID)", () => {
  const m = bareX86("interpreter");
  flatMode(m, 0);
  m.load(0x1000, Uint8Array.from([0x0f, 0xa2, 0xf4]));
  setWord(m, s.engine.pc, 0x1000);
  setWord(m, s.eax, 0);
  m.run(1);
  const text = [s.ebx, s.edx, s.ecx].flatMap((slot) =>
    [0, 8, 16, 24].map((by) => String.fromCharCode((word(m, slot) >> by) & 0xff)),
  );
  expect(text.join("")).toBe("GenuineIntel");
});
