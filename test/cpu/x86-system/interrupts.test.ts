import { beforeEach, describe, expect, test } from "vitest";
import { Flag } from "../../../src/cpu/x86/constants.ts";
import * as s from "../../../src/cpu/x86/slots.ts";
import { at, SystemMachine } from "./machine.ts";

const nop = 0x90;
const hlt = 0xf4;
const sti = 0xfb;
const movSsAx = [0x8e, 0xd0];

let m: SystemMachine;
beforeEach(() => {
  m = new SystemMachine();
  m.set(s.eax, 0x10);
});

const pushed = (k: number) => m.read32(m.get(s.esp) + 4 * k);

describe("interrupts between instructions", () => {
  test("INTR waits for IF", () => {
    m.start(nop, nop, sti, nop, nop);
    m.interrupt = 0x41;
    m.step(2);
    expect(m.eip).toBe(at.code + 2);
    // STI itself, and the instruction behind it, which it shields.
    m.step(2);
    expect([m.eip, m.interrupt]).toEqual([at.code + 4, 0x41]);
    m.step();
    expect(m.interrupt).toBeUndefined();
    expect(m.read32(at.stack - 12)).toBe(at.code + 4);
  });

  test("STI shields nothing when IF was set already", () => {
    m.start(sti, nop, nop);
    m.front.core.setFlags(Flag.if, Flag.if);
    m.step();
    m.interrupt = 0x41;
    m.step();
    expect(m.interrupt).toBeUndefined();
  });

  test("STI does not shield from NMIs or single steps", () => {
    m.start(sti, nop, nop);
    m.front.core.setFlags(Flag.tf, Flag.tf);
    m.step();
    m.step();
    expect(m.read32(at.stack - 12)).toBe(at.code + 1);
    m = new SystemMachine();
    m.start(sti, nop, nop);
    m.step();
    m.front.nmi();
    m.step();
    expect(m.read32(at.stack - 12)).toBe(at.code + 1);
  });

  test("MOV SS shields one instruction from INTR, NMIs and single steps", () => {
    m.start(...movSsAx, nop, nop, nop);
    m.front.core.setFlags(Flag.if | Flag.tf, Flag.if | Flag.tf);
    m.step();
    m.interrupt = 0x41;
    m.front.nmi();
    m.step();
    expect([m.eip, m.interrupt]).toEqual([at.code + 3, 0x41]);
    m.step();
    // The step's trap came first, and the NMI before its handler's first instruction; INTR waits, since the gates have cleared IF.
    expect(m.read32(at.stack - 12)).toBe(at.code + 3);
    expect(m.interrupt).toBe(0x41);
  });

  test("an NMI waits until the handler of another has returned", () => {
    m.start(nop, nop, nop);
    m.write(m.handler(2), nop, nop, 0xcf);
    m.front.nmi();
    m.step();
    m.front.nmi();
    m.step(1);
    expect(m.get(s.esp)).toBe(at.stack - 12);
    expect(m.get(s.nmi)).toBe(1);
    // IRET, and the next NMI.
    m.step();
    m.step();
    expect(m.get(s.nmi)).toBe(0);
    expect(m.eip).toBe(m.handler(2) + 1);
  });

  test("HLT ends with an interrupt, whose handler returns behind it", () => {
    m.start(sti, hlt, nop);
    m.engine.run(10);
    expect(m.front.halted).toBe(true);
    m.interrupt = 0x41;
    m.engine.run(1);
    expect(m.front.halted).toBe(false);
    expect(m.eip).toBe(at.code + 2);
  });

  test("a single step over HLT does not halt", () => {
    m.start(hlt, nop);
    m.front.core.setFlags(Flag.tf, Flag.tf);
    m.engine.run(2);
    expect(m.front.halted).toBe(false);
    expect(m.read32(at.stack - 12)).toBe(at.code + 1);
  });

  test("RF ends with the instruction that it was set for", () => {
    m.start(nop, nop);
    m.front.core.setFlags(Flag.rf, Flag.rf);
    expect(m.flags & Flag.rf).toBe(Flag.rf);
    m.engine.run(2);
    expect(m.flags & Flag.rf).toBe(0);
  });

  test("a fault pushes RF set, an interrupt does not", () => {
    m.start(0x0f, 0x0b);
    m.step();
    expect(pushed(2) & Flag.rf).toBe(Flag.rf);
    m = new SystemMachine();
    m.start(nop, nop);
    m.front.core.setFlags(Flag.if, Flag.if);
    m.interrupt = 0x41;
    m.write(m.handler(0x41), nop);
    m.step();
    expect(m.read32(at.stack - 4) & Flag.rf).toBe(0);
  });

  test("three faults in a row shut the processor down", () => {
    m.start(0x0f, 0x0b);
    m.set(s.idtrLimit, 0);
    m.engine.run(10);
    expect([m.shutdowns, m.front.halted]).toEqual([1, true]);
  });
});

describe("breakpoints cost nothing while DR7 is clear, and one page while it is not", () => {
  test("a data breakpoint sees the access that a TLB entry would have hidden", () => {
    // MOV [data], EAX; the same again; NOP.
    const store = [0xa3, 0, 0, 2, 0];
    m.start(...store, ...store, nop);
    m.step();
    m.set(s.dr[0], at.data);
    // MOV DR7, EAX does it as the guest would: the translations are forgotten.
    const beside = m.get(s.eax);
    m.write(at.code + 0x100, 0x0f, 0x23, 0xf8);
    m.set(s.eax, 0x000d_0001);
    m.set(s.engine.pc, at.code + 0x100);
    m.step();
    m.set(s.eax, beside);
    m.set(s.engine.pc, at.code + 5);
    m.step();
    m.step();
    expect(m.read32(at.stack - 12)).toBe(at.code + 10);
    expect(m.get(s.dr[6]) & 0xf).toBe(1);
  });
});
