import { describe, expect, it } from "vitest";
import * as s from "../../src/cpu/x86/slots.ts";
import { type BareX86, setWord, withProgram, word } from "../support/x86.ts";
import { call, loop, word32 } from "../support/x86-code.ts";

const add = (n: number) => [0x05, ...word32(n)];
const jump = (from: number, to: number) => [0xe9, ...word32(to - from - 5)];
/** call ebx: where it leads is in no region before it was gone again and again. */
const callComputed = loop([0xff, 0xd3]);

const [main, next, driver] = [0x10000, 0x11000, 0x20000];

function machine(code: Readonly<Record<number, readonly number[]>>): BareX86 {
  const m = withProgram("regions", driver, callComputed, { threshold: 16 });
  for (const [at, bytes] of Object.entries(code)) m.load(Number(at), Uint8Array.from(bytes));
  setWord(m, s.eax, 0);
  return m;
}

/** So many turns of the loop at `at`; gives what was added. */
function turns(m: BareX86, at: number, count: number, ebx = 0): number {
  const before = word(m, s.eax);
  setWord(m, s.engine.pc, at);
  setWord(m, s.esp, 0x8000);
  setWord(m, s.ebx, ebx);
  setWord(m, s.ecx, count);
  setWord(m, s.halted, 0);
  m.run(1_000_000);
  expect(word(m, s.halted)).toBe(1);
  return word(m, s.eax) - before;
}

/** The first pages of the regions that hold the instruction there. */
function regionsAt(m: BareX86, at: number): number[] {
  const listings = m.onEngine?.list(at, at, () => undefined) ?? [];
  return listings
    .flatMap((lines) => lines.flatMap((line) => /^region \d+ on page (0x\w+):/.exec(line)?.[1] ?? []))
    .map(Number);
}

describe("a region", () => {
  it("leaves a function on another page to the region which is entered there", () => {
    const m = machine({ [next]: [...add(1), 0xc3], [main]: loop(call(main, next)) });
    expect(turns(m, driver, 100, next)).toBe(100);
    expect(turns(m, main, 100)).toBe(100);
    expect(regionsAt(m, main)).toEqual([main]);
    expect(regionsAt(m, next)).toEqual([next]);
  });

  it("takes in what leads to where it is wanted, so that no loop is cut in two", () => {
    // cmp ecx, 500 ; jbe to the other page ; add eax, 1 ; dec ecx ; jnz to the start. There: add eax, 1000 ; dec ecx ; jnz to the start ; hlt
    const head = [0x81, 0xf9, ...word32(500), 0x0f, 0x86, ...word32(next - main - 12), ...add(1)];
    const tail = [...add(1000), 0x49, 0x0f, 0x85, ...word32(main - next - 12), 0xf4];
    const m = machine({ [main]: loop(head), [next]: tail });
    expect(turns(m, main, 1000)).toBe(500 + 500 * 1000);
    expect(m.onEngine?.stats["exits-page"]).toBeLessThan(50);
  });

  it("on a page whose regions have just become one leaves what these are entered at to them", () => {
    const [first, second, common] = [main, main + 0x100, main + 0x200];
    const m = machine({
      [common]: [...add(1), 0xc3],
      [first]: [...add(10), ...jump(first + 5, common)],
      [second]: [...add(100), ...jump(second + 5, common)],
    });
    expect(turns(m, driver, 100, common)).toBe(100);
    expect(turns(m, driver, 100, first)).toBe(1100);
    expect(m.onEngine?.stats["regions-joined"]).toBe(1);
    expect(turns(m, driver, 100, second)).toBe(10100);
    expect(regionsAt(m, second)).toEqual([main]);
    expect(regionsAt(m, common)).toEqual([main]);
  });
});
