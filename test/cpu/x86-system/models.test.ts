import { describe, expect, test } from "vitest";
import { Feature, models } from "../../../src/cpu/x86/identification.ts";
import * as s from "../../../src/cpu/x86/slots.ts";
import { at, SystemMachine } from "./machine.ts";

/** Instructions which CPUID announces. */
const announced: readonly (readonly [string, number, readonly number[]])[] = [
  ["CMOVO", Feature.cmov, [0x0f, 0x40, 0xc0]],
  ["CMPXCHG8B", Feature.cx8, [0x0f, 0xc7, 0x0d, 0, 0, 2, 0]],
  ["RDTSC", Feature.tsc, [0x0f, 0x31]],
  ["SYSEXIT", Feature.sep, [0x0f, 0x35]],
];
/** Bits of CR4 which it does. SDM vol. 3 section 2.5. */
const bits: readonly (readonly [string, number, number])[] = [
  ["VME", Feature.vme, 1],
  ["PVI", Feature.vme, 2],
  ["TSD", Feature.tsc, 4],
  ["DE", Feature.de, 8],
  ["PSE", Feature.pse, 16],
  ["PAE", Feature.pae, 32],
  ["MCE", Feature.mce, 64],
  ["PGE", Feature.pge, 128],
];

const undefinedOpcode = 6;
const protection = 13;

/** The vector of the exception which a piece of code ends in, or undefined. */
function exception(m: SystemMachine, code: readonly number[]): number | undefined {
  m.start(...code, 0xf4);
  m.set(s.sysenterCs, 8);
  m.step();
  const { eip } = m;
  return eip >= at.handlers && eip < at.tables ? (eip - at.handlers) / 4 : undefined;
}

function features(m: SystemMachine): number {
  m.set(s.eax, 1);
  m.start(0x0f, 0xa2);
  m.step();
  return m.get(s.edx);
}

describe.each(Object.keys(models))("a %s", (name) => {
  test.each(announced)("has %s when CPUID says so", (_name, feature, code) => {
    const m = new SystemMachine(name);
    const has = (features(m) & feature) !== 0;
    expect(exception(m, code) === undefinedOpcode).toBe(!has);
  });

  test.each(bits)("has CR4.%s when CPUID says so", (_name, feature, bit) => {
    const m = new SystemMachine(name);
    const has = (features(m) & feature) !== 0;
    m.set(s.eax, bit);
    expect(exception(m, [0x0f, 0x22, 0xe0])).toBe(has ? undefined : protection);
    expect(m.get(s.cr4)).toBe(has ? bit : 0);
  });

  test("has EFER when its extended leaf says so", () => {
    const m = new SystemMachine(name);
    m.set(s.eax, 0x8000_0001);
    m.start(0x0f, 0xa2);
    m.step();
    const has = (m.get(s.edx) & (1 << 20)) !== 0 && models[name]?.noExecute === true;
    m.set(s.ecx, 0xc000_0080);
    const outcome = exception(m, [0x0f, 0x32]);
    expect(outcome).toBe(has ? undefined : features(m) & Feature.msr ? protection : undefinedOpcode);
  });

  test("has IA32_MISC_ENABLE from family 6 model 13 on, where kernels read it before they can take a fault (SDM vol. 4 table 2-21)", () => {
    const m = new SystemMachine(name);
    m.set(s.eax, 1);
    m.start(0x0f, 0xa2);
    m.step();
    const has = (m.get(s.eax) & 0xff0) >= 0x6d0;
    m.set(s.ecx, 0x1a0);
    const outcome = exception(m, [0x0f, 0x32]);
    expect(outcome).toBe(has ? undefined : features(m) & Feature.msr ? protection : undefinedOpcode);
  });
});

test("a model that does not exist is refused with a list of those that do", () => {
  expect(() => new SystemMachine("pentium-9")).toThrow(/pentium-9.*pentium-pro/);
});
