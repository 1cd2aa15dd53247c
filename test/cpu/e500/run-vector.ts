import * as s from "../../../src/cpu/e500/slots.ts";
import { undefinedBits } from "../../vectors/e500/undefined.ts";
import { Bare, type Executor } from "./bare.ts";
import { codeAt, dataAt, dataSize, type RegisterName, registers, toLine, type Vector } from "./vectors.ts";

/** The pages of the oracle lie 1 GiB up; here they are mapped to the beginning of RAM. */
const region = 0x4000_0000;
const nop = 0x6000_0000;
const userMsr = 0x4000;

/** IVOR numbers and the signals which Linux makes of them; program interrupts by their syndrome. */
function signalOf(ivor: number, esr: number): number {
  if (ivor === 6) return (esr & 0x0200_0000) !== 0 ? 5 : 4;
  if (ivor === 5) return 7;
  return 11;
}

/** Gives a function which runs a vector in problem state, and says what was wrong, if anything. */
export function vectorRunner(executor: Executor): (vector: Vector) => string | undefined {
  const m = new Bare(executor, { memory: 1 << 18 });
  m.front.core.reset(region, 0, 8);
  for (let k = 0; k < 42; k++) m.set(s.ivor[k], 0x100 + 16 * k);
  m.set(s.spr.IVPR, 0x5000_0000);
  const code = codeAt - region;
  const data = dataAt - region;

  return (v) => {
    m.set(s.engine.pc, v.before === undefined ? codeAt : codeAt - 4);
    m.code(code - 4, v.before ?? nop, v.instruction);
    for (let k = 0; k < dataSize; k++) m.setByte(data + k, v.memory[k] as number);
    m.set(s.reserved, 0);
    m.msr(userMsr);
    for (const name of registers) setRegister(m, name, v.input.get(name) ?? 0);
    m.run(v.before === undefined ? 1 : 2);
    const signal =
      (m.pc & 0xffff_0000) >>> 0 === 0x5000_0000 ? signalOf(((m.pc & 0xfff) - 0x100) >> 4, m.get(s.spr.ESR)) : 0;
    const found = new Map(registers.map((name) => [name, getRegister(m, name)] as const));
    const memoryAfter = Uint8Array.from({ length: dataSize }, (_, k) => m.byte(data + k));
    const taken = signal === 0 && m.pc === codeAt + 8;
    const went = signal !== 0 || taken || m.pc === codeAt + 4;
    const same = registers.every((name) => {
      const mask = ~undefinedBits(
        v.mnemonic,
        v.instruction,
        (k) => v.input.get(`${k}` as RegisterName) ?? 0,
        kind(name),
      );
      return ((found.get(name) ?? 0) & mask) === ((v.output.get(name) ?? 0) & mask);
    });
    const bytes = memoryAfter.every((byte, k) => byte === v.memoryAfter[k]);
    if (same && bytes && went && signal === v.signal && taken === v.taken) return undefined;
    const ours: Vector = { ...v, output: found, memoryAfter, signal, taken };
    return `${v.mnemonic}\n  oracle ${toLine(v)}\n  ours   ${toLine(ours)}${went ? "" : ` pc ${m.pc.toString(16)}`}`;
  };
}

function kind(name: RegisterName): number | "cr" | "xer" | "other" {
  if (name === "c") return "cr";
  if (name === "x") return "xer";
  return name === "l" || name === "t" ? "other" : Number(name);
}

function setRegister(m: Bare, name: RegisterName, value: number): void {
  switch (name) {
    case "x":
      m.set(s.so, value >>> 31);
      m.set(s.ov, (value >>> 30) & 1);
      m.set(s.ca, (value >>> 29) & 1);
      m.set(s.byteCount, value & 0x7f);
      break;
    case "c":
      for (let k = 0; k < 8; k++) m.set(s.cr[k], (value >>> (28 - 4 * k)) & 15);
      break;
    case "l":
      m.set(s.lr, value);
      break;
    case "t":
      m.set(s.ctr, value);
      break;
    default:
      m.setR(Number(name), value);
  }
}

function getRegister(m: Bare, name: RegisterName): number {
  switch (name) {
    case "x":
      return ((m.get(s.so) << 31) | (m.get(s.ov) << 30) | (m.get(s.ca) << 29) | m.get(s.byteCount)) >>> 0;
    case "c":
      return s.cr.reduce((value, _, k) => value * 16 + m.get(s.cr[k]), 0);
    case "l":
      return m.get(s.lr);
    case "t":
      return m.get(s.ctr);
    default:
      return m.r(Number(name));
  }
}
