import { describe, expect, it } from "vitest";
import * as s from "../../../src/cpu/x86/slots.ts";
import {
  type BareX86,
  bareX86,
  type Executor,
  flatMode,
  paging,
  resume,
  setWord,
  stoppedBy,
  word,
} from "../../support/x86.ts";

/*
 * A program of ring 3 that calls ring 0 again and again. What regions and the interpreter do without a helper has to be what the helpers do, which the
 * evaluator calls.
 */

const rounds = 20;
const [program, handler, entry] = [0x1000, 0x2000, 0x2100];
const [gdt, idt, tss, kernelStack, userStack] = [0x3000, 0x3800, 0x3e00, 0x5000, 0x6000];

function put(m: BareX86, at: number, ...words: number[]): void {
  m.load(at, new Uint8Array(Uint32Array.from(words).buffer));
}

const made = new Map<Executor, BareX86>();

/** One for each executor, and as after a reset each time. */
function machine(executor: Executor, change: (m: BareX86) => void): BareX86 {
  const m = made.get(executor) ?? bareX86(executor, { model: "pentium-m", stopAtExceptions: true });
  made.set(executor, m);
  m.front.reset();
  resume(m);
  // The processor's own segments: code and data of ring 0, then of ring 3, and one with a base.
  const flat = [0x00cf9b00, 0x00cf9300, 0x00cffb00, 0x00cff300];
  put(m, gdt, 0, 0, ...flat.flatMap((high) => [0xffff, high]), 0x4000_0fff, 0x0040_f300);
  put(m, idt + 0x80 * 8, (8 << 16) | handler, 0xef00);
  put(m, tss, 0, kernelStack, 0x10);
  flatMode(m, 3);
  for (const n of [0, 2, 3]) setWord(m, s.selector[n], 0x23);
  setWord(m, s.selector[s.segment.cs], 0x1b);
  setWord(m, s.gdtrBase, gdt);
  setWord(m, s.gdtrLimit, 0x2f);
  setWord(m, s.idtrBase, idt);
  setWord(m, s.idtrLimit, 0x407);
  setWord(m, s.base[s.segment.tr], tss);
  setWord(m, s.limit[s.segment.tr], 0x67);
  setWord(m, s.rights[s.segment.tr], 0x8b00);
  setWord(m, s.sysenterCs, 8);
  setWord(m, s.sysenterEsp, kernelStack);
  setWord(m, s.sysenterEip, entry);
  setWord(m, s.eflags, 0x200);
  setWord(m, s.esp, userStack);
  setWord(m, s.ebx, rounds);
  setWord(m, s.engine.pc, program);
  // int 0x80; inc eax; dec ebx; jnz program; then the same with sysenter, and jmp $
  m.load(program, Uint8Array.from([0xcd, 0x80, 0x40, 0x4b, 0x75, 0xfa, 0xeb, 0x08]));
  m.load(
    0x1010,
    Uint8Array.from([0xbb, rounds, 0, 0, 0, 0x89, 0xe1, 0xba, 0x1e, 0x10, 0, 0, 0x0f, 0x34, 0x4b, 0x75, 0xf4]),
  );
  m.load(0x1021, Uint8Array.from([0xeb, 0xfe]));
  // push ds; push es; mov edx, 0x23; mov ds, edx; mov es, edx; pushf; cli; sti; popf; pop es; pop ds; iret
  m.load(handler, Uint8Array.from([0x1e, 0x06, 0xba, 0x23, 0, 0, 0, 0x8e, 0xda, 0x8e, 0xc2]));
  m.load(handler + 11, Uint8Array.from([0xba, 0x2b, 0, 0, 0, 0x8e, 0xea, 0x9c, 0xfa, 0xfb, 0x9d, 0x07, 0x1f, 0xcf]));
  // sti; sysexit
  m.load(entry, Uint8Array.from([0xfb, 0x0f, 0x35]));
  change(m);
  return m;
}

// or dword [esp + 8], RF; iret
const resumed = Uint8Array.from([0x81, 0x4c, 0x24, 8, 0, 0, 1, 0, 0xcf]);

/** Everything but what belongs to an executor. */
function state(m: BareX86): Record<string, number | undefined> {
  const own = new Set(["budget", "tlb", "scratch", "trap"]);
  const slots = m.front.stateSlots.filter(({ name, width }) => !own.has(name) && width === 4);
  const words = slots.map(({ name, index }) => [name, m.words[index]] as const);
  return { ...Object.fromEntries(words), stopped: stoppedBy(m) };
}

const none = () => {};
const changes: readonly [string, (m: BareX86) => void][] = [
  ["nothing unusual", none],
  ["a gate that is not present", (m) => put(m, idt + 0x404, 0x6f00)],
  ["a gate of ring 0", (m) => put(m, idt + 0x404, 0x8f00)],
  ["an interrupt gate", (m) => put(m, idt + 0x404, 0xee00)],
  ["a gate of 16 bits", (m) => put(m, idt + 0x404, 0xe700)],
  ["an IDT that ends before the gate", (m) => setWord(m, s.idtrLimit, 0x406)],
  ["a GDT that ends before the outer stack's segment", (m) => setWord(m, s.gdtrLimit, 0x26)],
  ["a GDT without the segment with a base", (m) => setWord(m, s.gdtrLimit, 0x27)],
  ["code of ring 0 that is not marked accessed", (m) => put(m, gdt + 0xc, 0x00cf9a00)],
  ["code of ring 0 that is not present", (m) => put(m, gdt + 0xc, 0x00cf1b00)],
  ["code of ring 0 that is conforming", (m) => put(m, gdt + 0xc, 0x00cf9f00)],
  ["code of ring 0 with a limit", (m) => put(m, gdt + 8, 0x2fff, 0x00409b00)],
  ["a stack of ring 0 with a limit", (m) => put(m, gdt + 0x10, 0xfffe, 0x00cf9300)],
  ["a stack of ring 0 that is read-only", (m) => put(m, gdt + 0x14, 0x00cf9100)],
  ["code of ring 3 that is data", (m) => put(m, gdt + 0x1c, 0x00cff300)],
  ["code of ring 3 with a base", (m) => put(m, gdt + 0x18, 0x0001ffff, 0x00cffb00)],
  ["data of ring 3 that is read-only", (m) => put(m, gdt + 0x24, 0x00cff100)],
  ["data of ring 3 of ring 0", (m) => put(m, gdt + 0x24, 0x00cf9300)],
  ["a TSS too short for a stack", (m) => setWord(m, s.limit[s.segment.tr], 8)],
  ["a TSS of 16 bits", (m) => setWord(m, s.rights[s.segment.tr], 0x8300)],
  ["a stack segment of the wrong ring", (m) => put(m, tss + 8, 0x23)],
  ["a kernel's stack that begins on one page and goes on on another", (m) => put(m, tss + 4, 0x500a)],
  ["AC set", (m) => setWord(m, s.eflags, 0x4_0200)],
  ["NT set", (m) => setWord(m, s.eflags, 0x4200)],
  ["IF clear", (m) => setWord(m, s.eflags, 0)],
  ["an IOPL of 3", (m) => setWord(m, s.eflags, 0x3200)],
  ["no SYSENTER_CS", (m) => setWord(m, s.sysenterCs, 2)],
  ["a SYSENTER_CS with other bits", (m) => setWord(m, s.sysenterCs, 0xffff_0008)],
  ["RF in the image, as a page fault leaves it", (m) => m.load(handler, resumed)],
  ["FS of ring 0, which becomes null", (m) => setWord(m, s.rights[s.segment.fs], 0x409300)],
  [
    "paging",
    (m) =>
      paging(
        m,
        0x10000,
        [0, 1, 2, 3, 4, 5, 6].map((k) => [k << 12, k << 12] as const),
      ),
  ],
  [
    "a kernel's stack that is not mapped",
    (m) =>
      paging(
        m,
        0x10000,
        [0, 1, 2, 3, 5, 6].map((k) => [k << 12, k << 12] as const),
      ),
  ],
  [
    "a GDT that is not mapped",
    (m) =>
      paging(
        m,
        0x10000,
        [0, 1, 2, 4, 5, 6].map((k) => [k << 12, k << 12] as const),
      ),
  ],
];

describe("calls of ring 0", () => {
  it("stay in regions", () => {
    const m = machine("regions", none);
    m.run(rounds * (18 + 7) + 20);
    expect(word(m, s.engine.pc)).toBe(0x1021);
    const { "exits-called": called = 0, "loop-instructions": interpreted = 0 } = m.onEngine?.stats ?? {};
    expect(called).toBeGreaterThan(4 * (rounds - 3));
    expect(interpreted).toBeLessThan(100);
  });
});

describe.each(changes)("calls of ring 0 with %s", (_name, change) => {
  it.each(["interpreter", "regions"] as const)("leave on the %s what the helpers leave", (executor) => {
    const [wanted, m] = [machine("evaluator", change), machine(executor, change)];
    for (const limit of [9, 100, 101, 400]) {
      for (const each of [wanted, m]) if (stoppedBy(each) === undefined) each.run(limit);
      expect(state(m)).toEqual(state(wanted));
      expect(m.bytes.subarray(gdt, userStack)).toEqual(wanted.bytes.subarray(gdt, userStack));
    }
  });
});
