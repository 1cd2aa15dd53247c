import { beforeEach, describe, expect, it } from "vitest";
import * as s from "../../src/cpu/x86/slots.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { type Background, type MadeModule, makeModule, type SentJob } from "../../src/engine/region/background.ts";
import { decodingFront } from "../../src/host/translator/front.ts";
import { TranslatorThread } from "../../src/host/translator/thread.ts";
import { type BareX86, bareX86, flatMode, setWord, word } from "../support/x86.ts";

/* Regions which are made elsewhere, and come when they come. */

const code = 0x1000;
/** inc eax ; dec ecx ; jnz ; hlt */
const counts = [0x40, 0x49, 0x75, 0xfc, 0xf4];
/** add eax, 3 in place of inc eax */
const countsByThree = [0x83, 0xc0, 0x03, 0x49, 0x75, 0xfa, 0xf4];

/**
 * Two loops, the outer one of which goes on where nothing is decoded when the inner one becomes hot: mov edx, 30 ; inc eax ; dec edx ; jnz ; jmp over two bytes ; dec ecx ; jnz ; hlt
 */
const nested = [0xba, 30, 0, 0, 0, 0x40, 0x4a, 0x75, 0xfc, 0xeb, 2, 0x90, 0x90, 0x49, 0x75, 0xf0, 0xf4];

/** What another thread would do, when it is told to. */
class Elsewhere implements Background {
  answer: "now" | "later" | "here" = "now";
  readonly jobs: SentJob[] = [];
  /** How many it has done that nobody has taken yet. */
  done = 0;
  readonly #front = decodingFront({ architecture: "x86", model: "pentium-m" });

  next(): "now" | "later" | "here" {
    return this.answer;
  }

  post(job: SentJob): void {
    this.jobs.push(structuredClone(job));
  }

  take(): MadeModule | undefined {
    if (this.done === 0) return undefined;
    this.done--;
    return makeModule(this.#front, this.jobs.shift() as SentJob);
  }
}

let background: Elsewhere;
let m: BareX86;

function start(threshold: number, bytes: readonly number[] = counts): void {
  m = bareX86("regions", { memory: 1 << 20, threshold, background, model: "pentium-m" });
  flatMode(m, 0);
  m.load(code, Uint8Array.from(bytes));
  setWord(m, s.engine.pc, code);
  setWord(m, s.ecx, 1_000_000);
}

const stats = () => m.onEngine?.stats ?? {};

beforeEach(() => {
  background = new Elsewhere();
});

describe("how hot a place becomes by a jump", () => {
  it.each([
    [1, 40],
    [16, 3],
  ])("is %d of what is wanted: one that wants 40 is translated after %d", (warmth, jumps) => {
    background.answer = "here";
    start(40);
    (m.onEngine as Engine).warmth = warmth;
    // inc, dec and jnz for each
    m.run(3 * (jumps - 1));
    expect(stats().regions).toBe(0);
    m.run(3);
    expect(stats().regions).toBe(1);
    m.run(300);
    expect(word(m, s.eax)).toBe(jumps + 100);
  });

  it("is nothing where it counts for none, and what was counted before is not forgotten", () => {
    background.answer = "here";
    start(40);
    const engine = m.onEngine as Engine;
    m.run(3 * 30);
    engine.warmth = 0;
    m.run(3000);
    expect(stats().regions).toBe(0);
    engine.warmth = 1;
    m.run(3 * 9);
    expect(stats().regions).toBe(0);
    m.run(3);
    expect(stats().regions).toBe(1);
  });
});

describe("a place which becomes hot by the last jump of a run", () => {
  it("is translated all the same", () => {
    background.answer = "here";
    start(40);
    for (let k = 0; k < 40; k++) m.run(3);
    expect(stats().regions).toBe(1);
  });
});

describe("a region made elsewhere", () => {
  it("is let in between two slices; until then the interpreter goes on, and asks no more", () => {
    start(4);
    m.run(1000);
    expect([background.jobs.length, stats().regions]).toEqual([1, 0]);
    m.run(1000);
    expect([background.jobs.length, stats()["region-instructions"]]).toEqual([1, 0]);
    background.done = 1;
    m.run(1000);
    expect([stats().regions, word(m, s.eax)]).toEqual([1, 1000]);
    expect(stats()["region-instructions"]).toBeGreaterThan(990);
    expect(m.onEngine?.instructions).toBe(3000);
  });

  it("is made at once when nobody takes the job", () => {
    background.answer = "here";
    start(4);
    m.run(1000);
    expect([background.jobs.length, stats().regions]).toEqual([0, 1]);
  });

  it("is given up when its page was written on in the meantime, and its place becomes hot anew", () => {
    start(4);
    m.run(1000);
    m.load(code, Uint8Array.from(countsByThree));
    const before = word(m, s.eax);
    background.done = 1;
    setWord(m, s.engine.pc, code);
    m.run(1000);
    expect([stats().regions, background.jobs.length]).toEqual([0, 1]);
    background.done = 1;
    m.run(8000);
    expect(stats().regions).toBe(1);
    expect(word(m, s.eax)).toBe(before + 3 * 3000);
  });

  it("is nothing to a machine whose code was all forgotten", () => {
    start(4);
    m.run(1000);
    m.onEngine?.forgetCode();
    background.done = 1;
    m.run(1000);
    expect(stats().regions).toBe(0);
    // The old one and the new.
    background.done = 2;
    m.run(1000);
    expect([stats().regions, word(m, s.eax)]).toEqual([1, 1000]);
  });

  it("waits where it is wanted while the other thread has enough to do, and is made then of all that was wanted on its page", () => {
    background.answer = "later";
    start(8, nested);
    m.run(2000);
    expect([background.jobs.length, stats().regions]).toEqual([0, 0]);
    background.answer = "now";
    m.run(2000);
    // All that is jumped to: both loops, and what the jump over two bytes leads to.
    expect(background.jobs.map(({ entries }) => [...entries].sort((a, b) => a - b))).toEqual([[0, 5, 13]]);
    background.done = 1;
    m.run(2000);
    expect(stats()).toMatchObject({ regions: 1, "regions-joined": 0 });
    expect(m.onEngine?.instructions).toBe(6000);
  });

  it("is not wanted any more once its page was written on", () => {
    background.answer = "later";
    start(4);
    m.run(1000);
    m.load(code, Uint8Array.from([0xf4]));
    setWord(m, s.engine.pc, code);
    background.answer = "now";
    m.run(10);
    expect(background.jobs).toEqual([]);
  });

  it("takes the place of those that it takes in, when it comes", () => {
    start(8, nested);
    m.run(50);
    background.done = 1;
    m.run(950);
    expect(stats()).toMatchObject({ regions: 1, "regions-alive": 1 });
    background.done = background.jobs.length;
    m.run(11_000);
    const { regions, "regions-alive": alive, "regions-joined": joined } = stats() as Record<string, number>;
    expect(joined).toBeGreaterThan(0);
    expect(alive).toBe((regions as number) - (joined as number));
    const interpreted = bareX86("interpreter", { memory: 1 << 20 });
    flatMode(interpreted, 0);
    interpreted.load(code, Uint8Array.from(nested));
    setWord(interpreted, s.engine.pc, code);
    setWord(interpreted, s.ecx, 1_000_000);
    interpreted.run(12_000);
    for (const slot of [s.eax, s.ecx, s.edx, s.engine.pc]) expect(word(m, slot)).toBe(word(interpreted, slot));
  });
});

describe("the thread of a host", () => {
  it("makes what this one would make", { timeout: 60_000 }, async () => {
    const thread = new TranslatorThread({ architecture: "x86", model: "pentium-m" });
    // It is started when regions enough were asked for.
    for (let k = 0; thread.next() === "here"; k++) {
      if (k > 100) await new Promise((done) => setTimeout(done, 20));
    }
    start(4);
    m.run(1000);
    const job = background.jobs[0] as SentJob;
    thread.post(job);
    let made = thread.take();
    while (made === undefined) {
      await new Promise((done) => setTimeout(done, 5));
      made = thread.take();
    }
    background.done = 1;
    const here = background.take() as MadeModule;
    expect([made.id, made.bytes]).toEqual([here.id, here.bytes]);
    expect(WebAssembly.Module.exports(made.module)).toEqual(WebAssembly.Module.exports(here.module));
    expect(thread.take()).toBeUndefined();
  });

  it("says what it died of", { timeout: 60_000 }, async () => {
    const thread = new TranslatorThread({ architecture: "x86", model: "pentium-m" });
    for (let k = 0; thread.next() === "here"; k++) if (k > 100) await new Promise((done) => setTimeout(done, 20));
    start(4);
    m.run(1000);
    const job = background.jobs[0] as SentJob;
    thread.post({ ...job, pages: [] });
    const died = async () => {
      for (;;) {
        thread.take();
        await new Promise((done) => setTimeout(done, 20));
      }
    };
    await expect(died()).rejects.toThrow("no page");
  });
});
