import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dumpRegion } from "../../src/index.ts";
import { type Debugged, debugged, machineNames } from "./support.ts";

describe.each(machineNames)("what became of code on %s", (name) => {
  let held: Debugged;
  beforeAll(async () => {
    held = await debugged(name, { append: "selftest" });
    // So short a run has few places that get hot by themselves.
    held.vm.machine.cpu.warmth = 4;
    await held.vm.exit;
  });
  afterAll(() => held[Symbol.asyncDispose]());

  /** A region that holds the first place of a symbol's function which one does. */
  const inRegion = (symbol: string): string => {
    for (let at = held.at(symbol); at < held.at(symbol) + 200; at += 4) {
      const text = dumpRegion(held.vm.machine, at);
      if (/^region /m.test(text)) return text.split(/^(?=mode )/m)[0] as string;
    }
    throw new Error(`${symbol} is in no region`);
  };

  test("is told block by block: the guest's bytes, the IR, and the WebAssembly", () => {
    const text = inRegion("console_putc");
    const [, count, bytes] =
      /^region \d+ on page 0x\w+: (\d+) instructions, (\d+) bytes of WebAssembly, entered at/m.exec(text) ?? [];
    const shown = text.match(/^ {2}[0-9a-f]{8} {2}(?:[0-9a-f]{2} )+/gm) ?? [];
    expect(shown).toHaveLength(Number(count));
    expect(Number(bytes)).toBeGreaterThan(100);
    for (const line of shown) {
      const [address = "", ...words] = line.trim().split(/\s+/);
      const there = held.debug.memory.read(Number.parseInt(address, 16), words.length);
      expect(words.map((word) => Number.parseInt(word, 16))).toEqual([...there]);
    }
    expect(text).toMatch(/^ {4}v\d+: i32 = get\.4 \[\d+\] {2}; \w+/m);
    expect(text).toMatch(/may leave at 0x[0-9a-f]+/);
    const register = name === "pc" ? "\\$e[a-ds][ipx]" : "\\$r\\d+";
    expect(text).toMatch(new RegExp(`local\\.get ${register}`));
    expect(text).toMatch(/return_call \$chain/);
    expect(text).not.toMatch(/\?|undefined/);
  });

  test("names registers among an instruction's operands, in the words of our decoder", () => {
    const text = inRegion("console_putc");
    expect(text).toMatch(name === "pc" ? /\bmov .*\be[a-ds][xi]\b/ : /\bmr|or|addi? r\d+, r\d+/);
  });

  test("is the same text each time, and changes nothing in the machine", () => {
    const before = held.vm.machine.state();
    expect(inRegion("console_putc")).toBe(inRegion("console_putc"));
    expect(held.vm.machine.state()).toEqual(before);
  });

  test("is the body of its form where the interpreter runs it, and nothing where no code ran", () => {
    const entry = dumpRegion(held.vm.machine, held.at("kernel_main"));
    expect(entry).toMatch(/^interpreted: no region holds it$/m);
    expect(entry).toMatch(/= field \d|exit |get\./);
    expect(dumpRegion(held.vm.machine, held.at("kernel_main") - 4)).toMatch(/^no code was run at 0x[0-9a-f]+$/m);
  });
});
