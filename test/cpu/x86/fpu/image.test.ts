import { describe, expect, it } from "vitest";
import * as s from "../../../../src/cpu/x86/slots.ts";
import { type BareX86, bareX86, type Executor, flatMode, resume, setWord, stoppedBy } from "../../../support/x86.ts";

/* FXSAVE and FXRSTOR without a helper have to do what the helper does, which the evaluator calls. */

const [code, image] = [0x1000, 0x2000];
const made = new Map<Executor, BareX86>();

function run(executor: Executor, seed: number, change: (m: BareX86) => void): { m: BareX86; state: unknown } {
  const m = made.get(executor) ?? bareX86(executor, { model: "pentium-m", stopAtExceptions: true });
  made.set(executor, m);
  m.front.reset();
  resume(m);
  // xorshift32
  let x = seed;
  const next = () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x;
  };
  const bytes = Uint8Array.from({ length: 1024 }, () => next() & 0xff);
  // MXCSR has sixteen bits.
  bytes.set([0, 0], 26);
  m.load(image, bytes);
  // fxrstor [image]; fxsave [image + 0x400]; jmp $
  m.load(code, Uint8Array.from([0x0f, 0xae, 0x0d, 0, 0x20, 0, 0, 0x0f, 0xae, 0x05, 0, 0x24, 0, 0, 0xeb, 0xfe]));
  flatMode(m, 0);
  setWord(m, s.cr4, 0x200);
  setWord(m, s.engine.pc, code);
  change(m);
  for (let k = 0; k < 4; k++) if (stoppedBy(m) === undefined) m.run(2);
  const fields = m.front.stateSlots.filter(({ name }) =>
    /^(fpu\.(r|top|used|control|status|opcode|ip|cs|dp|ds)|xmm|mxcsr)/.test(name),
  );
  const words = fields.map(({ name, index, width }) => [name, Array.from(m.words.subarray(index, index + width / 4))]);
  return { m, state: { ...Object.fromEntries(words), stopped: stoppedBy(m) } };
}

describe.each(["interpreter", "regions"] as const)("FXRSTOR and FXSAVE on the %s", (executor) => {
  it.each([
    ["any image", () => {}],
    ["no OSFXSR", (m: BareX86) => setWord(m, s.cr4, 0)],
    ["a bit of MXCSR that there is not", (m: BareX86) => m.load(image + 26, Uint8Array.from([1]))],
    ["an image across two pages", (m: BareX86) => m.load(code, Uint8Array.from([0x0f, 0xae, 0x0d, 0x10, 0x2f]))],
    ["an image that is not aligned", (m: BareX86) => m.load(code + 10, Uint8Array.from([8]))],
  ] as const)("leave with %s what the helpers leave", (_name, change) => {
    for (let seed = 1; seed < 12; seed++) {
      const wanted = run("evaluator", seed * 7919, change);
      const found = run(executor, seed * 7919, change);
      expect(found.state).toEqual(wanted.state);
      expect(found.m.bytes.subarray(image, image + 0x800)).toEqual(wanted.m.bytes.subarray(image, image + 0x800));
    }
  });
});
