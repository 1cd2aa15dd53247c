import { beforeEach, describe, expect, test } from "vitest";
import * as s from "../../../src/cpu/x86/slots.ts";
import { at, SystemMachine } from "./machine.ts";

let m: SystemMachine;
beforeEach(() => {
  m = new SystemMachine();
});

function faulted(): boolean {
  return m.eip === m.handler(13);
}

function write(index: number, low: number, high = 0): boolean {
  m.set(s.ecx, index);
  m.set(s.eax, low);
  m.set(s.edx, high);
  m.start(0x0f, 0x30);
  m.step();
  return !faulted();
}

function read(index: number): [number, number] | undefined {
  m.set(s.ecx, index);
  m.start(0x0f, 0x32);
  m.step();
  return faulted() ? undefined : [m.get(s.eax) >>> 0, m.get(s.edx) >>> 0];
}

describe("model-specific registers", () => {
  test("the counter goes on from what is written, with its high word clear", () => {
    m.timestamp = 1_000_000;
    expect(write(0x10, 500, 7)).toBe(true);
    m.timestamp += 25;
    expect(read(0x10)).toEqual([525, 0]);
    m.start(0x0f, 0x31);
    m.step();
    expect(m.get(s.eax)).toBe(525);
  });

  test("MTRRs keep what fits, and refuse reserved bits and types", () => {
    expect(read(0xfe)).toEqual([0x508, 0]);
    expect(write(0x200, 0xe000_0001, 0)).toBe(true);
    expect(write(0x201, 0xf000_0800, 0xf)).toBe(true);
    expect(read(0x201)).toEqual([0xf000_0800, 0xf]);
    expect(write(0x200, 0x2)).toBe(false);
    expect(write(0x200, 0x100)).toBe(false);
    expect(write(0x201, 0x800, 0x10)).toBe(false);
    expect(write(0x250, 0x0606_0606, 0x0606_0606)).toBe(true);
    expect(write(0x250, 0x0606_0607, 0)).toBe(false);
    expect(write(0x2ff, 0xc06)).toBe(true);
    expect(write(0x2ff, 0x3000)).toBe(false);
    expect(write(0xfe, 0)).toBe(false);
  });

  test("the PAT has its types after a reset and takes UC-", () => {
    expect(read(0x277)).toEqual([0x0007_0406, 0x0007_0406]);
    expect(write(0x277, 0x0107_0406, 0x0007_0406)).toBe(true);
    expect(write(0x277, 0x0000_0002)).toBe(false);
  });

  test("machine checks: five banks, with nothing in them", () => {
    expect(read(0x179)).toEqual([5, 0]);
    for (let bank = 0; bank < 5; bank++) {
      expect(read(0x401 + 4 * bank)).toEqual([0, 0]);
      expect(write(0x401 + 4 * bank, 0)).toBe(true);
      expect(write(0x401 + 4 * bank, 1)).toBe(false);
      expect(write(0x400 + 4 * bank, -1, -1)).toBe(true);
    }
    expect(read(0x414)).toBeUndefined();
  });

  test("the microcode's revision is read as systems read it: 0 is written, CPUID runs, the high word tells", () => {
    expect(write(0x8b, 0)).toBe(true);
    expect(read(0x8b)).toEqual([0, 1]);
  });

  test("a performance counter keeps what is written, and who starts it is told that it does not count", () => {
    expect(write(0xc1, 0xabcd)).toBe(true);
    expect(write(0x186, 0x0041_0079)).toBe(true);
    expect(read(0xc1)).toEqual([0xabcd, 0]);
    expect(m.reports.join()).toMatch(/do not count/);
    m.set(s.ecx, 0);
    m.start(0x0f, 0x33);
    m.step();
    expect([m.get(s.eax), m.get(s.ecx)]).toEqual([0xabcd, 0]);
  });

  test("IA32_MISC_ENABLE has fast strings on, keeps what is read-only, and refuses reserved bits (SDM vol. 4 tables 2-2 and 2-21)", () => {
    m = new SystemMachine("pentium-m");
    expect(read(0x1a0)).toEqual([0x1801, 0]);
    expect(write(0x1a0, 0x0001_0000)).toBe(true);
    expect(read(0x1a0)).toEqual([0x0001_1800, 0]);
    expect(write(0x1a0, 0x0000_0002)).toBe(false);
    expect(write(0x1a0, 0, 4)).toBe(false);
  });

  test("branch traces are refused aloud", () => {
    expect(write(0x1d9, 1)).toBe(true);
    expect(read(0x1d9)).toEqual([0, 0]);
    expect(m.reports.join()).toMatch(/branch traces/);
  });

  test("one that is not there is #GP(0), and said once", () => {
    expect(read(0x3a)).toBeUndefined();
    expect(m.reports.join()).toMatch(/MSR 0x3a.*0x10000/);
  });

  test("ring 3 is refused", () => {
    m.set(s.rights[s.segment.cs], 0xc0_fb00);
    m.front.core.setCpl(3);
    m.front.core.updateMode();
    m.set(s.ecx, 0x10);
    m.start(0x0f, 0x32);
    m.engine.run(1);
    expect(m.eip).not.toBe(at.code + 2);
  });
});
