import { describe, expect, it } from "vitest";
import * as s from "../../src/cpu/x86/slots.ts";
import { type BareX86, bareX86, flatMode, setWord, word } from "../support/x86.ts";

const main = 0x1_0000;
/** mov ecx, 8 ; jmp ebx */
const begin = [0xb9, 8, 0, 0, 0, 0xff, 0xe3];
const head = main + begin.length;
/** Behind the loop's first instruction. */
const inside = head + 1;

/** The loop, and again from the beginning as often as esi says: inc eax ; inc edx ; dec ecx ; jnz head ; dec esi ; jnz main ; hlt */
const turns = [0x40, 0x42, 0x49, 0x75, 0xfb, 0x4e, 0x75, -(begin.length + 8) & 0xff, 0xf4];

function machine(turnsEach: number): BareX86 {
  const m = bareX86("regions", { memory: 1 << 20, threshold: 16 });
  flatMode(m, 0);
  m.load(main, Uint8Array.from([...begin.with(1, turnsEach), ...turns]));
  setWord(m, s.eax, 0);
  setWord(m, s.edx, 0);
  return m;
}

/** Comes to a place so many times, and goes on from there to the end of the loop. */
function come(m: BareX86, place: number, times: number): void {
  setWord(m, s.engine.pc, main);
  setWord(m, s.halted, 0);
  setWord(m, s.ebx, place);
  setWord(m, s.esi, times);
  m.run(10_000_000);
  expect(word(m, s.halted)).toBe(1);
}

/** Where the regions that hold a place are entered. */
function entries(m: BareX86, place: number): string {
  const listed = m.onEngine?.list(place, place, () => undefined) ?? [];
  return listed
    .flat()
    .filter((line) => line.includes("entered at"))
    .join("\n");
}

const [headAt, insideAt] = [head, inside].map((place) => `0x${place.toString(16)}`) as [string, string];

/** How many regions there are when a loop has been gone through so many times, on a page whose code was new until then or not. */
function regionsBehind(times: number, newFor: number, quiet = 0): number {
  const m = bareX86("regions", { memory: 1 << 20, threshold: 16, newFor });
  flatMode(m, 0);
  // nop ; loop: dec ecx ; jnz loop ; hlt
  m.load(main, Uint8Array.from([0x90, 0x49, 0x75, 0xfd, 0xf4]));
  const go = (from: number, turns: number) => {
    setWord(m, s.engine.pc, from);
    setWord(m, s.halted, 0);
    setWord(m, s.ecx, turns);
    m.run(10_000_000);
  };
  for (let k = 0; k < quiet; k++) go(main, 1);
  go(main, times);
  return m.onEngine?.stats.regions ?? 0;
}

describe("hot code", () => {
  it("is translated at once where it has been there for a while", () => {
    expect([regionsBehind(10, 100, 40), regionsBehind(40, 100, 40)]).toEqual([0, 1]);
  });

  it("takes twice as many jumps while it is new, since not much of it has run", () => {
    expect([regionsBehind(20, 1000), regionsBehind(30, 1000), regionsBehind(40, 1000)]).toEqual([0, 0, 1]);
  });
});

describe("a way into a loop", () => {
  it("is none in the middle of it, where faults come back to: each turn would pay for it", () => {
    const m = machine(8);
    come(m, head, 100);
    come(m, inside, 1000);
    expect([word(m, s.eax), word(m, s.edx)]).toEqual([800 + 7000, 800 + 8000]);
    expect(entries(m, inside)).toContain(headAt);
    expect(entries(m, inside)).not.toContain(insideAt);
  });

  it("is one where no region has that loop", () => {
    const m = machine(1);
    come(m, inside, 1000);
    expect([word(m, s.eax), word(m, s.edx)]).toEqual([0, 1000]);
    expect(entries(m, inside)).toContain(insideAt);
  });
});
