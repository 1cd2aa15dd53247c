import { describe, expect, it } from "vitest";
import * as s from "../../../src/cpu/x86/slots.ts";
import type { Slot } from "../../../src/ir/slots.ts";
import {
  type BareOptions,
  type BareX86,
  bareX86,
  flatMode,
  paging,
  resume,
  setWord,
  stoppedBy,
  word,
} from "../../support/x86.ts";

/*
 * What the vectors of a user-mode process cannot show: faults half way, segments that are not flat, stacks of 16 bits, privilege, ports.
 * Code lies at 0x1000; pages beyond are mapped as each case says.
 */

const codeAt = 0x1000;
const dataSegment = 0x409300;

function load(machine: BareX86, address: number, hex: string): number {
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  machine.load(address, bytes);
  return bytes.length;
}

function read32(machine: BareX86, address: number): number {
  return [3, 2, 1, 0].reduce((value, k) => value * 256 + machine.read(address + k), 0);
}

type State = Readonly<Record<string, number>>;

const named: ReadonlyMap<string, Slot> = new Map(s.slots.map((slot) => [slot.name, slot]));

/** Sets words of the state by name. */
function put(machine: BareX86, state: State): void {
  for (const [name, value] of Object.entries(state)) setWord(machine, named.get(name), value);
}

/** Runs some bytes as one or more instructions in the mode the machine is in; gives the exception that stopped it. */
function run(machine: BareX86, hex: string, instructions = 1): number | undefined {
  load(machine, codeAt, hex);
  setWord(machine, s.engine.pc, codeAt);
  resume(machine);
  machine.front.core.updateMode();
  machine.run(instructions);
  return stoppedBy(machine);
}

describe.each(["evaluator", "interpreter", "regions"] as const)("on the %s", (executor) => {
  const flat = (cpl: 0 | 3 = 0, options: BareOptions = {}) => {
    const machine = bareX86(executor, { stopAtExceptions: true, ...options });
    flatMode(machine, cpl);
    put(machine, { esp: 0x8000, "tr.limit": 0 });
    return machine;
  };
  const register = (machine: BareX86, slot: Slot) => word(machine, slot) >>> 0;

  describe("an instruction that faults has changed nothing", () => {
    /** Pages 0..7 are there; 8 and beyond are not. */
    const edge = () => {
      const machine = flat(3);
      paging(
        machine,
        0x10000,
        Array.from({ length: 8 }, (_, k) => [k * 4096, k * 4096] as const),
      );
      return machine;
    };

    it("PUSHA across the end of what is mapped stores nothing and leaves ESP", () => {
      const machine = edge();
      put(machine, { esp: 0x8010, eax: 0x11111111 });
      expect(run(machine, "60")).toBe(14);
      expect(register(machine, s.esp)).toBe(0x8010);
      expect(register(machine, s.cr2)).toBe(0x800c);
      put(machine, { esp: 0x9000 });
      expect(run(machine, "60")).toBe(14);
      expect(read32(machine, 0x7ffc)).toBe(0);
    });

    it("POP to memory that is not there leaves ESP", () => {
      const machine = edge();
      put(machine, { esp: 0x7000, ebx: 0x9000 });
      expect(run(machine, "8f 03")).toBe(14);
      expect(register(machine, s.esp)).toBe(0x7000);
    });

    it("MOVS that cannot store leaves ESI and EDI", () => {
      const machine = edge();
      put(machine, { esi: 0x7000, edi: 0x8000, ecx: 5 });
      expect(run(machine, "f3 a5")).toBe(14);
      expect([register(machine, s.esi), register(machine, s.edi), register(machine, s.ecx)]).toEqual([
        0x7000, 0x8000, 5,
      ]);
    });

    it("a store across two pages, of which the second is not there, stores nothing", () => {
      const machine = edge();
      put(machine, { eax: -1, ebx: 0x7ffe });
      expect(run(machine, "89 03")).toBe(14);
      expect(machine.read(0x7ffe)).toBe(0);
      expect(register(machine, s.cr2)).toBe(0x8000);
    });

    it("ADD to memory that is not there leaves the flags", () => {
      const machine = edge();
      put(machine, { eax: -1, ebx: 0x8000 });
      machine.front.core.setFlags(0x8d5, 0x8d5);
      expect(run(machine, "01 03")).toBe(14);
      expect(machine.front.core.flags & 0x8d5).toBe(0x8d5);
    });

    it("CALL with no stack stays where it is", () => {
      const machine = edge();
      put(machine, { esp: 0x8004 });
      expect(run(machine, "e8 00 00 00 00")).toBe(14);
      expect(register(machine, s.engine.pc)).toBe(codeAt);
      expect(register(machine, s.esp)).toBe(0x8004);
    });

    it("ENTER asks for the whole frame", () => {
      const machine = edge();
      paging(machine, 0x10000, [
        [0x1000, 0x1000],
        [0x7000, 0x7000],
      ]);
      put(machine, { esp: 0x7100, ebp: 0x7200 });
      expect(run(machine, "c8 00 02 00")).toBe(14);
      expect([register(machine, s.esp), register(machine, s.ebp)]).toEqual([0x7100, 0x7200]);
    });
  });

  describe("repeated string instructions", () => {
    it("stop between two steps with their registers right, and go on", () => {
      const machine = flat();
      put(machine, { esi: 0x4000, edi: 0x5000, ecx: 10 });
      load(machine, 0x4000, "00 11 22 33 44 55 66 77 88 99");
      run(machine, "f3 a4 90", 4);
      expect([register(machine, s.esi), register(machine, s.edi), register(machine, s.ecx)]).toEqual([
        0x4004, 0x5004, 6,
      ]);
      expect(register(machine, s.engine.pc)).toBe(codeAt);
      machine.run(6);
      expect(register(machine, s.engine.pc)).toBe(codeAt + 2);
      expect(machine.read(0x5009)).toBe(0x99);
    });

    it("do nothing when the counter is 0", () => {
      const machine = flat();
      put(machine, { esi: 0x4000, edi: 0x5000, ecx: 0 });
      run(machine, "f3 a4");
      expect(register(machine, s.edi)).toBe(0x5000);
      expect(register(machine, s.engine.pc)).toBe(codeAt + 2);
    });

    it("count in CX, and move SI and DI, with 16-bit addresses", () => {
      const machine = flat();
      put(machine, { esi: 0x12344000, edi: 0x12345000, ecx: 0x56780001 });
      load(machine, 0x4000, "5a");
      run(machine, "67 f3 a4");
      expect(machine.read(0x5000)).toBe(0x5a);
      expect([register(machine, s.esi), register(machine, s.edi), register(machine, s.ecx)]).toEqual([
        0x12344001, 0x12345001, 0x56780000,
      ]);
    });

    it("take the source's segment from a prefix and the destination's never", () => {
      const machine = flat();
      put(machine, { "fs.base": 0x100, "fs.rights": dataSegment, "fs.limit": 0xfff, esi: 0x10, edi: 0x5000 });
      load(machine, 0x110, "a5");
      run(machine, "64 a4");
      expect(machine.read(0x5000)).toBe(0xa5);
    });
  });

  describe("segments", () => {
    const segmented = (fs: State) => {
      const machine = flat();
      put(machine, { "fs.base": 0x4000, "fs.rights": dataSegment, "fs.limit": 0xff, ebx: 0, ...fs });
      return machine;
    };

    it("add their base", () => {
      const machine = segmented({ ebx: 0x10 });
      load(machine, 0x4010, "78563412");
      expect(run(machine, "64 8b 03")).toBeUndefined();
      expect(register(machine, s.eax)).toBe(0x12345678);
    });

    it.each([
      ["the last doubleword inside", 0xfc, undefined],
      ["one that ends beyond the limit", 0xfd, 13],
      ["one that begins beyond it", 0x100, 13],
      ["one that wraps", 0xffffffff, 13],
    ])("check the limit: %s", (_, offset, exception) => {
      expect(run(segmented({ ebx: offset | 0 }), "64 8b 03")).toBe(exception);
    });

    it.each([
      ["a null selector", { "fs.rights": 0 }, "64 8b 03", 13],
      ["writing what is read-only", { "fs.rights": 0x409100 }, "64 89 03", 13],
      ["reading what is read-only", { "fs.rights": 0x409100 }, "64 8b 03", undefined],
      ["reading code that may be read", { "fs.rights": 0x409b00 }, "64 8b 03", undefined],
      ["reading code that may not", { "fs.rights": 0x409900 }, "64 8b 03", 13],
      ["below an expand-down segment's limit", { "fs.rights": 0x409700, ebx: 0xff }, "64 8b 03", 13],
      ["above it", { "fs.rights": 0x409700, ebx: 0x100 }, "64 8b 03", undefined],
    ])("check the rights: %s", (_, state, hex, exception) => {
      expect(run(segmented(state as State), hex)).toBe(exception);
    });

    it("raise #SS for the stack's", () => {
      const machine = flat();
      put(machine, { "ss.limit": 0x7fff, esp: 0x8004 });
      expect(run(machine, "50")).toBe(12);
      expect(register(machine, s.esp)).toBe(0x8004);
      put(machine, { ebp: 0x8000 });
      expect(run(machine, "8b 45 00")).toBe(12);
    });

    it("hold a write through CS back, flat or not", () => {
      expect(run(flat(), "2e 89 05 00 50 00 00")).toBe(13);
    });

    it("refuse a near jump beyond the limit of CS before it pushes", () => {
      const machine = flat();
      put(machine, { "cs.limit": 0x1fff });
      expect(run(machine, "e9 fb 0f 00 00")).toBe(13);
      expect(run(machine, "e8 fb 0f 00 00")).toBe(13);
      expect(register(machine, s.esp)).toBe(0x8000);
      expect(run(machine, "e9 f0 0f 00 00")).toBeUndefined();
    });
  });

  it("a 16-bit stack wraps inside 64 KiB and leaves the upper half of ESP", () => {
    const machine = flat();
    put(machine, { "ss.rights": 0x9300, esp: 0x12340000, eax: 0xcafe });
    expect(run(machine, "66 50")).toBeUndefined();
    expect(register(machine, s.esp)).toBe(0x1234fffe);
    expect(machine.read(0xfffe)).toBe(0xfe);
    run(machine, "66 5b");
    expect(register(machine, s.esp)).toBe(0x12340000);
    expect(register(machine, s.ebx) & 0xffff).toBe(0xcafe);
  });

  it("ENTER on a 16-bit stack makes all of ESP the frame of 32 bits, and SP that of 16", () => {
    const machine = flat();
    put(machine, { "ss.rights": 0x9300, esp: 0x12348000, ebp: 0x56784000 });
    expect(run(machine, "c8 08 00 01")).toBeUndefined();
    expect(register(machine, s.ebp)).toBe(0x12347ffc);
    expect(register(machine, s.esp)).toBe(0x12347ff0);
    expect([0, 1, 2, 3].map((k) => machine.read(0x7ff8 + k))).toEqual([0xfc, 0x7f, 0x34, 0x12]);
    put(machine, { esp: 0x12348000, ebp: 0x56784000 });
    expect(run(machine, "66 c8 08 00 00")).toBeUndefined();
    expect(register(machine, s.ebp)).toBe(0x56787ffe);
  });

  it("BT with a bit number in a register reaches before and behind its operand", () => {
    const machine = flat();
    put(machine, { ebx: 0x4000, eax: -1 });
    load(machine, 0x3fff, "80");
    run(machine, "0f a3 03");
    expect(machine.front.core.flags & 1).toBe(1);
    put(machine, { eax: 0x2001 });
    run(machine, "0f ab 03");
    expect(machine.read(0x4400)).toBe(2);
  });

  it("LGDT takes 24 bits of the base with a 16-bit operand size, SGDT stores 32", () => {
    const machine = flat();
    load(machine, 0x4000, "ff 07 44 33 22 11");
    run(machine, "66 0f 01 15 00 40 00 00");
    expect([register(machine, s.gdtrLimit), register(machine, s.gdtrBase)]).toEqual([0x7ff, 0x223344]);
    run(machine, "0f 01 15 00 40 00 00");
    expect(register(machine, s.gdtrBase)).toBe(0x11223344);
    run(machine, "66 0f 01 05 00 50 00 00");
    expect(read32(machine, 0x5002)).toBe(0x11223344);
  });

  it("MOV from a segment register fills a 32-bit register and 16 bits of memory", () => {
    const machine = flat();
    put(machine, { "fs.selector": 0x1234, eax: -1, ebx: 0x5000 });
    load(machine, 0x5000, "ff ff ff ff");
    run(machine, "8c e0");
    expect(register(machine, s.eax)).toBe(0x1234);
    run(machine, "8c 23");
    expect(read32(machine, 0x5000)).toBe(0xffff1234);
  });

  it("POP of a segment register moves ESP only when the selector can be loaded", () => {
    const machine = flat();
    put(machine, { "gdtr.limit": 0x7, esp: 0x7000 });
    load(machine, 0x7000, "10 00 00 00");
    expect(run(machine, "1f")).toBe(13);
    expect(register(machine, s.esp)).toBe(0x7000);
    load(machine, 0x7000, "00 00 00 00");
    expect(run(machine, "1f")).toBeUndefined();
    expect(register(machine, s.esp)).toBe(0x7004);
  });

  it("LSS loads both halves or none", () => {
    const machine = flat();
    put(machine, { "gdtr.base": 0x6000, "gdtr.limit": 0xf, ebx: 0x5000 });
    load(machine, 0x6008, "ff ff 00 00 00 92 cf 00");
    load(machine, 0x5000, "00 90 00 00 08 00");
    expect(run(machine, "0f b2 23")).toBeUndefined();
    expect([register(machine, s.esp), word(machine, s.selector[2])]).toEqual([0x9000, 8]);
    load(machine, 0x5004, "18 00");
    load(machine, 0x5000, "00 a0");
    expect(run(machine, "0f b2 23")).toBe(13);
    expect(register(machine, s.esp)).toBe(0x9000);
  });

  it("POPF of a process changes neither IOPL nor IF", () => {
    const machine = flat(3);
    machine.front.core.setFlags(0x200, -1);
    put(machine, { esp: 0x7000 });
    load(machine, 0x7000, "d5 3c 00 00");
    run(machine, "9d");
    expect(machine.front.core.flags & 0x3ed5).toBe(0x0ed5);
    expect(register(machine, s.esp)).toBe(0x7004);
  });

  it("LAHF and SAHF move the low byte and leave OF", () => {
    const machine = flat();
    for (const of of [0, 0x800]) {
      for (let byte = 0; byte < 256; byte++) {
        machine.front.core.setFlags(of, -1);
        put(machine, { eax: byte << 8 });
        run(machine, "9e 9f", 2);
        expect(machine.front.core.flags & 0xfff).toBe((byte & 0xd5) | 2 | of);
        expect(register(machine, s.eax) >>> 8).toBe((byte & 0xd5) | 2);
      }
    }
  });

  describe("ports", () => {
    const ported = (cpl: 0 | 3) => {
      const seen: string[] = [];
      const machine = flat(cpl, {
        readPort: (port, width) => {
          seen.push(`in ${port.toString(16)}/${width}`);
          return 0x89abcdef;
        },
        writePort: (port, width, value) => {
          seen.push(`out ${port.toString(16)}/${width}=${value.toString(16)}`);
        },
      });
      return { machine, seen };
    };

    it("are reached by immediates and by DX, in three widths", () => {
      const { machine, seen } = ported(0);
      put(machine, { edx: 0xabc0cf8, eax: 0x11223344 });
      run(machine, "e6 80 66 ef ef ed", 4);
      expect(seen).toEqual(["out 80/1=44", "out cf8/2=3344", "out cf8/4=11223344", "in cf8/4"]);
      expect(register(machine, s.eax)).toBe(0x89abcdef);
    });

    it("are moved in strings", () => {
      const { machine, seen } = ported(0);
      put(machine, { edx: 0x60, edi: 0x5000, esi: 0x5000, ecx: 2 });
      run(machine, "f3 66 6d", 2);
      expect(read32(machine, 0x5000)).toBe(0xcdefcdef);
      put(machine, { ecx: 2 });
      run(machine, "f3 6e", 2);
      expect(seen).toEqual(["in 60/2", "in 60/2", "out 60/1=ef", "out 60/1=cd"]);
    });

    it("are not read when the memory cannot take it", () => {
      const { machine, seen } = ported(0);
      paging(machine, 0x10000, [[0x1000, 0x1000]]);
      put(machine, { edx: 0x60, edi: 0x5000, ecx: 1 });
      expect(run(machine, "f3 6c")).toBe(14);
      expect(seen).toEqual([]);
    });

    it("are refused to a process without a map", () => {
      const { machine, seen } = ported(3);
      expect(run(machine, "ec")).toBe(13);
      expect(run(machine, "6e")).toBe(13);
      expect(seen).toEqual([]);
    });
  });

  it("HLT waits behind itself", () => {
    const machine = flat();
    run(machine, "f4 90", 5);
    expect(register(machine, s.engine.pc)).toBe(codeAt + 1);
    expect(word(machine, s.halted)).toBe(1);
  });

  it("x87 instructions are #NM where CR0 says so, and pass where there is no x87", () => {
    const machine = flat();
    put(machine, { cr0: 0x11 });
    expect(run(machine, "dd 7d 10")).toBeUndefined();
    expect(register(machine, s.engine.pc)).toBe(codeAt + 3);
    put(machine, { cr0: 0x15 });
    expect(run(machine, "d9 e8")).toBe(7);
  });
});
