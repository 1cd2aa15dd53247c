import { beforeEach, expect, describe as group, it } from "vitest";
import * as s from "../../../../src/cpu/x86/slots.ts";
import { type BareX86, bareX86, flatMode, resume, setWord, stoppedBy, word } from "../../../support/x86.ts";

/* Control instructions, the environment in its four layouts, and which exceptions come when. */

const code = 0x1000;
const data = 0x2000;

group.each(["evaluator", "interpreter"] as const)("on the %s", (executor) => {
  let machine: BareX86;

  beforeEach(() => {
    machine = bareX86(executor, { memory: 1 << 16, stopAtExceptions: true });
    flatMode(machine, 0);
    setWord(machine, s.cr0, word(machine, s.cr0) | 0x22);
    run("dbe3");
  });

  /** Runs to the INT3 behind the code; gives the exception. */
  function run(text: string): number | undefined {
    machine.load(code, Buffer.from(`${text}cccccccc`, "hex"));
    setWord(machine, s.engine.pc, code);
    setWord(machine, s.gpr[3], data);
    resume(machine);
    machine.run(32);
    return stoppedBy(machine);
  }

  const bytes = (length: number, from = data) => Array.from({ length }, (_, k) => machine.read(from + k));
  const word16 = (at: number) => machine.read(at) | (machine.read(at + 1) << 8);
  const word32 = (at: number) => (word16(at) | (word16(at + 2) << 16)) >>> 0;

  it("RESET leaves a control word of 0040 and FNINIT one of 037F", () => {
    machine.front.reset();
    expect(word(machine, s.fpuControl)).toBe(0x40);
    flatMode(machine, 0);
    expect(run("dbe3d93b9bdfe0")).toBe(3);
    expect(word16(data)).toBe(0x37f);
    expect(word(machine, s.gpr[0]) & 0xffff).toBe(0);
  });

  it("FNSTENV with 32-bit operands stores 28 bytes in protected mode's layout and masks all exceptions", () => {
    setWord(machine, s.fpuControl, 0x340);
    // FLD1, FLDZ, FLDPI twice, then divided: infinity; FADD [EBX+40h] comes last.
    expect(run("d9e8d9eed9ebd9c0d8432cd933")).toBe(3);
    expect(word32(data)).toBe(0xffff0340);
    expect(word32(data + 4) >>> 16).toBe(0xffff);
    expect((word32(data + 4) >> 11) & 7).toBe(4);
    // FLD1 in register 7, FLDZ in 6, pi in 5, their sum with 0 in 4.
    expect(word32(data + 8)).toBe(0xffff10ff);
    expect(word32(data + 12)).toBe(code + 8);
    expect(word32(data + 16)).toBe((0x043 << 16) | word(machine, s.selector[1]));
    expect(word32(data + 20)).toBe(data + 0x2c);
    expect(word32(data + 24)).toBe((0xffff0000 | word(machine, s.selector[3])) >>> 0);
    expect(word(machine, s.fpuControl)).toBe(0x37f);
  });

  it("FNSTENV with 16-bit operands stores 14 bytes", () => {
    machine.load(data, Buffer.alloc(32, 0xee));
    expect(run("d9e866d933")).toBe(3);
    expect(word16(data)).toBe(0x37f);
    expect(word16(data + 2)).toBe(7 << 11);
    expect(word16(data + 4)).toBe(0x3fff);
    expect(word16(data + 6)).toBe(code);
    expect(bytes(2, data + 14)).toEqual([0xee, 0xee]);
  });

  it("FNSAVE and FRSTOR bring everything back, and FNSAVE leaves what FNINIT does", () => {
    expect(run("d9ebd9e8d9eadec9dd33")).toBe(3);
    const image = bytes(108);
    expect(word(machine, s.fpuUsed)).toBe(0);
    expect(word(machine, s.fpuControl)).toBe(0x37f);
    expect(run("dd23dd33")).toBe(3);
    expect(bytes(108)).toEqual(image);
    // ST(0) is pi above log2(e) times 1: the registers stand in the order of the stack.
    expect(word16(data + 28 + 8)).toBe(0x3fff);
    expect(word16(data + 28 + 18)).toBe(0x4000);
  });

  it("FXSAVE and FXRSTOR bring everything back", () => {
    machine = bareX86(executor, { memory: 1 << 16, stopAtExceptions: true, model: "pentium2" });
    flatMode(machine, 0);
    run("dbe3");
    expect(run("d9ebd9e80fae03")).toBe(3);
    const image = bytes(160);
    // The tag byte has a bit for a register in use.
    expect(image[4]).toBe(0xc0);
    expect(run("dbe30fae0b0fae8300020000")).toBe(3);
    expect(bytes(160, data + 0x200)).toEqual(image);
  });

  it("FXSAVE wants an operand at a multiple of 16", () => {
    machine = bareX86(executor, { memory: 1 << 16, stopAtExceptions: true, model: "pentium2" });
    flatMode(machine, 0);
    expect(run("0fae4308")).toBe(13);
  });

  it("an instruction with CR0.TS or EM set is #NM, FNINIT too, and WAIT when TS and MP are", () => {
    const cr0 = word(machine, s.cr0);
    setWord(machine, s.cr0, cr0 | 8);
    expect(run("d9e8")).toBe(7);
    expect(run("dbe3")).toBe(7);
    expect(run("9b")).toBe(7);
    setWord(machine, s.cr0, (cr0 | 8) & ~2);
    expect(run("9b")).toBe(3);
    setWord(machine, s.cr0, cr0 | 4);
    expect(run("d9e8")).toBe(7);
    expect(run("9b")).toBe(3);
  });

  it("an exception that is not masked waits for the next instruction that waits: #MF there, with ES and B set until FNCLEX", () => {
    setWord(machine, s.fpuControl, 0x37b);
    // 1 / 0
    expect(run("d9e8d9eedef9dfe0")).toBe(3);
    expect(word(machine, s.gpr[0]) & 0x8084).toBe(0x8084);
    expect(run("9b")).toBe(16);
    expect(word(machine, s.engine.pc)).toBe(code);
    expect(run("d9e8")).toBe(16);
    expect(run("dbe2d9e8")).toBe(3);
    expect(word(machine, s.fpuStatus)).toBe(0);
  });

  it("unmasking by FLDCW an exception that was raised before sets ES", () => {
    run("d9e8d9eedef9");
    machine.load(data, Uint8Array.of(0x7b, 0x03));
    expect(run("d92b9b")).toBe(16);
  });

  it("a store that faults leaves the stack as it was", () => {
    run("d9e8");
    // FSTP of 80 bits: the last two do not fit into the segment.
    setWord(machine, s.limit[3], data + 8);
    machine.front.core.updateMode();
    expect(run("db3b")).toBe(13);
    expect(word(machine, s.fpuTop)).toBe(7);
    expect(word(machine, s.fpuUsed)).toBe(0x80);
  });
});
