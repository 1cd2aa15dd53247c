import { describe, expect, it } from "vitest";
import * as s from "../../src/cpu/x86/slots.ts";
import { type BareX86, bareX86, type Executor, flatMode, paging, paragraph, setWord, word } from "../support/x86.ts";
import { back, call, loop, word32 } from "../support/x86-code.ts";

const executors: readonly Executor[] = ["evaluator", "interpreter", "regions"];

/** add eax, n ; ret */
const adds = (n: number) => [0x05, ...word32(n), 0xc3];
const invalidate = (address: number) => [0x0f, 0x01, 0x3d, ...word32(address)];
const storeWord = (address: number, value: number) => [0xc7, 0x05, ...word32(address), ...word32(value)];

const compare = (n: number) => [0x81, 0xf9, ...word32(n)];
/** call next ; the condition ; je change ; over: dec ecx ; jnz ; hlt ; change: the change ; jmp over */
const changing = (condition: readonly number[], change: readonly number[]) => {
  const body = [...call(main, next), ...condition, 0x74, 4];
  return [...loop(body), ...change, 0xeb, -(change.length + 6) & 0xff];
};

const tables = 0x80000;
const otherTables = 0x90000;
const [main, next, other] = [0x10000, 0x11000, 0x20000];

/** Low memory is mapped as it lies, but for the pages named. */
function map(m: BareX86, at: number, pages: readonly (readonly [number, number])[] = []): void {
  const moved = new Map(pages);
  const low = Array.from({ length: 256 }, (_, k) => [k * 4096, moved.get(k * 4096) ?? k * 4096] as const);
  paging(m, at, low);
}

/** Where the entry for a page lies, in tables which `map` made. */
const entryOf = (at: number, page: number) => at + 4096 + (page >>> 12) * 4;

/** Pages are joined where it is seen that jumps go there again and again, so nothing is translated at once. */
function machine(
  executor: Executor,
  pages: Readonly<Record<number, readonly number[]>>,
  count: number,
  threshold = 16,
): BareX86 {
  const m = bareX86(executor, { memory: 1 << 20, threshold });
  flatMode(m, 0);
  for (const [at, bytes] of Object.entries(pages)) m.load(Number(at), Uint8Array.from(bytes));
  map(m, tables);
  setWord(m, s.engine.pc, main);
  setWord(m, s.esp, 0x8000);
  setWord(m, s.eax, 0);
  setWord(m, s.ecx, count);
  return m;
}

function run(m: BareX86): number {
  m.run(10_000_000);
  expect(word(m, s.halted)).toBe(1);
  return word(m, s.eax);
}

describe.each(executors)("code on several pages, on the %s", (executor) => {
  it("is called on one page and comes back to another, without being looked up each time", () => {
    const m = machine(executor, { [main]: loop(call(main, next)), [next]: adds(1) }, 10_000);
    expect(run(m)).toBe(10_000);
    if (executor !== "regions") return;
    expect(m.onEngine?.stats["exits-page"]).toBeLessThan(100);
    expect(m.onEngine?.stats["exits-computed"]).toBeLessThan(100);
  });

  it("becomes one with the place that a register says, once it has been called there again and again", () => {
    const turns = executor === "regions" ? 100_000 : 100;
    // call ebx
    const m = machine(executor, { [main]: loop([0xff, 0xd3]), [next]: adds(1) }, turns);
    setWord(m, s.ebx, next);
    expect(run(m)).toBe(turns);
    if (executor !== "regions") return;
    const ends = (): number => m.onEngine?.stats["exits-computed"] ?? 0;
    const before = ends();
    expect(before).toBeLessThan(75_000);
    setWord(m, s.engine.pc, main);
    setWord(m, s.halted, 0);
    setWord(m, s.ecx, turns);
    expect(run(m)).toBe(2 * turns);
    expect(ends() - before).toBeLessThan(10);
  });

  it("goes on with an instruction on two pages whose second page has to be looked up again each time", () => {
    // On two pages: jmp. Where it goes: inc eax ; invlpg [next] ; dec ecx ; jnz to the jmp ; hlt
    const to = main + 0x100;
    const rest = [0x40, ...invalidate(next), 0x49, 0x0f, 0x85];
    const back = next - 2 - (to + rest.length + 4);
    const m = machine(
      executor,
      { [next - 2]: [0xe9, ...word32(to - (next + 3))], [to]: [...rest, ...word32(back), 0xf4] },
      200,
    );
    setWord(m, s.engine.pc, next - 2);
    expect(run(m)).toBe(200);
  });

  it("is fetched from the page that is mapped there, once the old mapping is invalidated", () => {
    const change = [...storeWord(entryOf(tables, next), other | 7), ...invalidate(next)];
    // call next ; when ecx is 500: change the mapping
    const m = machine(executor, { [main]: changing(compare(500), change), [next]: adds(1), [other]: adds(1000) }, 1000);
    expect(run(m)).toBe(501 + 499 * 1000);
  });

  it("is that of the address space, with what comes before it shared by both", () => {
    // call next ; when the low byte of ecx is 0: xor ebx, what differs ; mov cr3, ebx
    const change = [0x81, 0xf3, ...word32(tables ^ otherTables), 0x0f, 0x22, 0xdb];
    const m = machine(executor, { [main]: changing([0x84, 0xc9], change), [next]: adds(1), [other]: adds(1000) }, 1024);
    map(m, otherTables, [[next, other]]);
    setWord(m, s.cr3, tables);
    m.front.core.engine.flushTlb();
    setWord(m, s.ebx, tables);
    // Changed behind the turns in which ecx is 1024, 768, 512 and 256.
    expect(run(m)).toBe(1 + 256 * 1000 + 256 + 256 * 1000 + 255);
  });

  it("is not looked up again on a global page, whatever the address space", () => {
    // call next ; mov cr3, ebx ; dec ecx ; jnz ; hlt, on a global page, and what is called on one that is not.
    const body = [...call(main, next), 0x0f, 0x22, 0xdb];
    const m = machine(executor, { [main]: loop(body), [next]: adds(1) }, 1000);
    m.write(entryOf(tables, main) + 1, m.read(entryOf(tables, main) + 1) | 1);
    setWord(m, s.cr4, 0x80);
    m.front.core.engine.flushTlb();
    setWord(m, s.ebx, tables);
    expect(run(m)).toBe(1000);
    if (executor === "evaluator") return;
    expect(m.onEngine?.stats["fetch-misses"]).toBeGreaterThanOrEqual(1000);
    expect(m.onEngine?.stats["fetch-misses"]).toBeLessThan(1010);
  });

  it("goes on, at the end of a page, on the one that is mapped behind it", () => {
    // At the end of a page: cmp ecx, 500 ; jne over ; change the mapping ; over: nop. Behind it: add eax, n ; dec ecx ; jnz to the start ; hlt
    const change = [...storeWord(entryOf(tables, next), other | 7), ...invalidate(next)];
    const before = [...compare(500), 0x75, change.length, ...change, 0x90];
    const start = next - before.length;
    const behind = (n: number) => [0x05, ...word32(n), ...back(before.length + 5)];
    const m = machine(executor, { [start]: before, [next]: behind(1), [other]: behind(1000) }, 1000);
    setWord(m, s.engine.pc, start);
    expect(run(m)).toBe(500 + 500 * 1000);
  });

  it("calls what lies behind it where it is mapped now, not where it was mapped when it was come to first", () => {
    // The same page at two addresses, with different pages behind it: it calls the next page and returns.
    const [once, twice, shared] = [0x40000, 0x50000, 0x30000];
    const body = [...call(main, once), ...call(main + 5, twice)];
    const pages = {
      [main]: loop(body),
      [shared]: [...call(once, once + 0x1000), 0xc3],
      [next]: adds(1),
      [other]: adds(1000),
    };
    const m = machine(executor, pages, 1000);
    map(m, tables, [
      [once, shared],
      [once + 0x1000, next],
      [twice, shared],
      [twice + 0x1000, other],
    ]);
    expect(run(m)).toBe(1000 + 1000 * 1000);
  });

  it("runs as it stands when a store from another page changes it", () => {
    // call next ; inc byte [the number added] ; dec ecx ; jnz ; hlt
    const body = [...call(main, next), 0xfe, 0x05, ...word32(next + 1)];
    const m = machine(executor, { [main]: loop(body), [next]: adds(1) }, 100);
    expect(run(m)).toBe((100 * 101) / 2);
  });

  it("runs as it stands when a device writes on any of its pages", () => {
    const m = machine(executor, { [main]: loop(call(main, next)), [next]: adds(1) }, 1000);
    m.run(5 * 400);
    m.write(next + 1, 2);
    m.run(5 * 100);
    // A call of the third page in place of that of the second.
    m.load(other, Uint8Array.from(adds(1000)));
    for (const [k, byte] of call(main, other).entries()) m.write(main + k, byte);
    expect(run(m)).toBe(400 + 2 * 100 + 1000 * 500);
  });

  it("comes back to the right one of more places than a region has ways in", () => {
    // 360 times: call next. Then dec ecx ; jnz ; hlt
    const calls = Array.from({ length: 360 }, (_, k) => call(main + 5 * k, next)).flat();
    const back = [0x49, 0x0f, 0x85, ...word32(-(calls.length + 7)), 0xf4];
    // What is called makes a sum over the addresses that it returns to: imul eax, eax, 17 ; add eax, [esp] ; ret
    const sum = [0x6b, 0xc0, 17, 0x03, 0x04, 0x24, 0xc3];
    const m = machine(executor, { [main]: [...calls, ...back], [next]: sum }, 120, 1);
    let expected = 0;
    for (let k = 0; k < 360 * 120; k++) expected = (Math.imul(expected, 17) + main + 5 * ((k % 360) + 1)) | 0;
    expect(run(m)).toBe(expected);
  });

  it("is counted to the instruction", () => {
    const m = machine(executor, { [main]: loop(call(main, next)), [next]: adds(1) }, 10_000);
    // Five instructions a turn: call, add, ret, dec, jnz.
    for (const [turns, more] of [
      [300, 1],
      [300, 2],
      [1, 3],
    ] as const)
      m.run(5 * turns + more);
    // 3011 instructions are 602 turns and a call.
    expect([word(m, s.eax), word(m, s.ecx), word(m, s.engine.pc)]).toEqual([602, 10_000 - 602, next]);
  });

  it("is found by its segment's base, which may lie anywhere on a page", () => {
    // Real mode, code segment at 0x10080: call next page ; dec cx ; jnz ; hlt, and add ax, 3 ; ret
    const m = bareX86(executor, { memory: 1 << 20, threshold: 16 });
    setWord(m, s.cr0, 0);
    for (let n = 0; n < 6; n++) paragraph(m, n, n === s.segment.cs ? 0x1008 : 0);
    m.front.core.updateMode();
    m.load(0x10080, Uint8Array.from([0xe8, 0xfd, 0x0f, 0x49, 0x75, 0xfa, 0xf4]));
    m.load(0x11080, Uint8Array.from([0x05, 3, 0, 0xc3]));
    setWord(m, s.engine.pc, 0);
    setWord(m, s.esp, 0x8000);
    setWord(m, s.eax, 0);
    setWord(m, s.ecx, 1000);
    expect(run(m)).toBe(3000);
  });
});
