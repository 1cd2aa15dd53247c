import { describe, expect, it } from "vitest";
import { GuestMemory } from "../../src/bus/guest-memory.ts";
import * as e500 from "../../src/cpu/e500/slots.ts";
import * as x86 from "../../src/cpu/x86/slots.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { record } from "../../src/engine/layout.ts";
import { Sequences } from "../../src/engine/sequences.ts";
import { decodingFront } from "../../src/host/translator/front.ts";
import type { FrontEnd } from "../../src/ir/frontend.ts";
import { stateSize } from "../../src/ir/slots.ts";
import { Bare } from "../cpu/e500/bare.ts";
import { paging, setWord, stoppedBy, withProgram, word } from "../support/x86.ts";

const x86Front = decodingFront({ architecture: "x86", model: "pentium-m" });
const e500Front = decodingFront({ architecture: "e500", model: "e500mc" });
/** Programs lie so far apart, from here on: NOPs, but for their first bytes. */
const code = 0x1_0000;
const apart = 0x400;

const bytesOf = (text: string): number[] => (text.match(/[0-9a-f]{2}/g) ?? []).map((pair) => Number.parseInt(pair, 16));

interface Machine {
  /** Loads a program, and is about to run it with registers that point to RAM. */
  begin(at: number, bytes: readonly number[]): void;
  run(limit: number): void;
  readonly engine: Engine | undefined;
  state(): readonly number[];
}

function onX86(sequencesAfter: number): Machine {
  const m = withProgram("interpreter", code, new Array<number>(0x2_0000).fill(0x90), { sequencesAfter });
  return {
    begin(at, bytes) {
      m.load(at, Uint8Array.from(bytes));
      for (const [n, register] of x86.gpr.entries()) setWord(m, register, 0x6000 + 0x110 * n);
      setWord(m, x86.engine.pc, at);
    },
    run: (limit) => m.run(limit),
    engine: m.onEngine,
    state: () =>
      [...x86.gpr, x86.engine.pc]
        .map(({ index }) => m.words[index] as number)
        .concat([...m.bytes.subarray(0x5f00, 0x7000)]),
  };
}

function onE500(sequencesAfter: number): Machine {
  const m = new Bare("interpreter", { sequencesAfter });
  for (let at = code; at < code + 0x2_0000; at += 4) m.setWord(at, 0x6000_0000);
  return {
    begin(at, bytes) {
      m.enter(at);
      for (const [k, byte] of bytes.entries()) m.setByte(at + k, byte);
      for (let n = 0; n < 32; n++) m.setR(n, 0x6000 + 0x110 * n);
      m.set(e500.lr, at + 0x100);
      m.set(e500.ctr, at + 0x200);
    },
    run: (limit) => m.run(limit),
    engine: m.onEngine,
    state: () => [...e500.gpr.map((slot) => m.get(slot)), m.pc, ...m.bytes(0x5f00, 0x3000)],
  };
}

const never = Number.POSITIVE_INFINITY;

describe.each([["x86", x86Front, onX86] as const, ["e500", e500Front, onE500] as const])(
  "the sequences of %s",
  (_name, front: FrontEnd, machine: (after: number) => Machine) => {
    const { sequences } = front.common ?? { sequences: [] };

    it.each([
      ["whole", [100]],
      ["stopped behind their first instruction", [1, 100]],
      ["stopped behind their second", [2, 100]],
    ] as const)("do what their instructions do one by one, %s", (_how, slices) => {
      const [alone, joined] = [machine(never), machine(0)] as const;
      for (const [k, sequence] of sequences.entries()) {
        const before = joined.engine?.stats.sequences ?? 0;
        for (const each of [alone, joined]) each.begin(code + k * apart, bytesOf(sequence));
        for (const slice of slices) {
          for (const each of [alone, joined]) each.run(slice);
          expect(joined.engine?.instructions, sequence).toBe(alone.engine?.instructions);
          expect(joined.state(), sequence).toEqual(alone.state());
        }
        expect(joined.engine?.stats.sequences, sequence).toBeGreaterThan(before);
      }
      expect(alone.engine?.stats.sequences).toBe(0);
    });
  },
);

it("a sequence whose first instruction writes over its second does the second as it is then", () => {
  // mov [ebp-28], edx; mov ebx, [ebp+8], of which the first makes the second inc eax; inc ecx; nop.
  for (const sequencesAfter of [never, 0]) {
    const m = withProgram("interpreter", code, bytesOf("8955e4 8b5d08 90909090"), { sequencesAfter });
    setWord(m, x86.ebp, code + 3 + 28);
    setWord(m, x86.edx, 0x9090_4140 | 0);
    m.run(4);
    expect([word(m, x86.eax), word(m, x86.ecx)]).toEqual([1, 1]);
  }
});

it("a sequence whose second instruction faults has done the first, and tells of the second", () => {
  for (const sequencesAfter of [never, 0]) {
    const m = withProgram("interpreter", code, bytesOf("55 55 90"), { sequencesAfter, stopAtExceptions: true });
    // Under the page of the stack there is none.
    paging(m, 0x4_0000, [
      [code, code],
      [0x7000, 0x7000],
    ]);
    setWord(m, x86.esp, 0x7004);
    setWord(m, x86.ebp, 0x77);
    m.run(10);
    expect(stoppedBy(m)).toBe(14);
    expect([word(m, x86.esp), word(m, x86.engine.pc), m.read(0x7000)]).toEqual([0x7000, code + 1, 0x77]);
    expect(m.onEngine?.instructions).toBe(2);
  }
});

describe("records of sequences", () => {
  const guest = new GuestMemory(stateSize + 65536);
  const words = new Int32Array(guest.memory.buffer);
  const [a, b, c, end] = [2, 3, 4, 0];
  const first = 5;
  const run = (handlers: readonly number[]) => {
    for (const [k, handler] of handlers.entries()) words[(0x400 + k * record.size) >> 2] = handler;
  };
  const named = (count: number) => Array.from({ length: count }, (_, k) => words[(0x400 + k * record.size) >> 2]);
  const sequences = () => {
    const made = new Sequences(words, first);
    made.know([
      [a, b],
      [a, b, c],
      [c, a],
    ]);
    return made;
  };

  it("begin the longest one there is, each for itself", () => {
    run([a, b, c, a, b, end]);
    const made = sequences();
    for (let k = 0; k < 5; k++) made.begin(0x400 + k * record.size);
    expect(named(6)).toEqual([first + 1, b, first + 2, first, b, end]);
    expect(made.begun).toBe(3);
  });

  it("begin none before any is known", () => {
    run([a, b, c, end]);
    new Sequences(words, first).begin(0x400);
    expect(named(3)).toEqual([a, b, c]);
  });

  it("go on over no record that has become something else", () => {
    run([a, b, c, a, b, end]);
    const made = sequences();
    for (let k = 0; k < 5; k++) made.begin(0x400 + k * record.size);
    // The first sequence ends in the third record, the second in the fourth.
    made.part(0x400 + 2 * record.size);
    expect(named(6)).toEqual([a, b, first + 2, first, b, end]);
    made.part(0x400 + 4 * record.size);
    expect(named(6)).toEqual([a, b, first + 2, a, b, end]);
  });

  it("know their own handlers", () => {
    const made = sequences();
    expect([a, b, end, first, first + 1, first + 2, 20000].map((handler) => made.own(handler))).toEqual([
      a,
      b,
      end,
      a,
      a,
      c,
      20000,
    ]);
  });
});
