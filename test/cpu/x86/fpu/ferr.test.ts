import { beforeEach, describe, expect, it } from "vitest";
import * as s from "../../../../src/cpu/x86/slots.ts";
import { type BareX86, bareX86, flatMode, resume, setWord, stoppedBy, word } from "../../../support/x86.ts";

/* MS-DOS compatible x87 exceptions: CR0.NE is 0. SDM vol. 1 section 8.7.2 and appendix D. */

const code = 0x1000;

describe.each(["evaluator", "interpreter"] as const)("on the %s, with CR0.NE clear", (executor) => {
  let machine: BareX86;
  let levels: number[];
  let ignored: 0 | 1;

  beforeEach(() => {
    levels = [];
    ignored = 0;
    machine = bareX86(executor, {
      memory: 1 << 16,
      stopAtExceptions: true,
      model: "pentium2",
      coprocessorError: (level) => {
        levels.push(level);
        return ignored;
      },
    });
    flatMode(machine, 0);
    // An invalid operation that waits, not masked.
    setWord(machine, s.fpuControl, 0x37e);
    setWord(machine, s.fpuUsed, 0);
    setWord(machine, s.fpuStatus, 0x8081);
  });

  function run(...bytes: number[]): number | undefined {
    machine.load(code, Uint8Array.from([...bytes, 0xcc]));
    setWord(machine, s.engine.pc, code);
    resume(machine);
    machine.run(8);
    return stoppedBy(machine);
  }

  it.each([
    ["WAIT", [0x9b]],
    ["FLD1", [0xd9, 0xe8]],
    ["PADDB", [0x0f, 0xfc, 0xc1]],
  ])("%s asserts FERR# and waits in front of itself for an interrupt", (_name, bytes) => {
    expect(run(...bytes)).toBeUndefined();
    expect(levels).toEqual([1]);
    expect([word(machine, s.halted), word(machine, s.engine.pc)]).toEqual([1, code]);
  });

  it("with IGNNE# asserted it goes on", () => {
    ignored = 1;
    expect(run(0xd9, 0xe8)).toBe(3);
    expect(word(machine, s.fpuTop)).toBe(7);
  });

  it.each([
    ["FNCLEX", [0xdb, 0xe2]],
    ["FNINIT", [0xdb, 0xe3]],
  ])("%s, which does not look, takes FERR# away", (_name, bytes) => {
    run(0x9b);
    setWord(machine, s.halted, 0);
    expect(run(...bytes)).toBe(3);
    expect(levels).toEqual([1, 0]);
  });

  it("with CR0.NE set the same is #MF, and FERR# stays as it is", () => {
    setWord(machine, s.cr0, word(machine, s.cr0) | 0x20);
    expect(run(0x9b)).toBe(16);
    expect(levels).toEqual([]);
  });
});
