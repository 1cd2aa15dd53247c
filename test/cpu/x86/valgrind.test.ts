import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Answer, field, fpuOffset, memoryOffset } from "../../campaign/x86-answer.ts";
import type { X86Case } from "../../campaign/x86-case.ts";
import { initialFpu, offset } from "../../campaign/x86-fpu-state.ts";
import { CampaignMachine } from "../../campaign/x86-machine.ts";
import {
  assemble,
  type Item,
  type Line,
  named,
  type Place,
  parse,
  places,
  sizeOf,
  toBytes,
} from "../../support/valgrind.ts";
import { codeAt, stackTop } from "../../support/x86-vectors.ts";

/* Valgrind's lists, which hold on processors; a floating-point result is to be as near as they ask: 1.5 * 2^-12 of its size. */

const folder = fileURLToPath(new URL("../../../../shared/oracle/vectors/valgrind/x86/", import.meta.url));
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".def")) : [];
const lists = files.map((name) => [name, parse(folder + name)] as const);
const all = lists.flatMap(([, lines]) => lines);
const assembled = all.length === 0 ? undefined : assemble(all);
if (assembled === undefined)
  console.warn(
    "valgrind's lists (../shared/oracle/vectors) or GNU as for i686 are not here: the x86 is not held to them",
  );

/** A number as the x87 has it: sign and exponent, significand. */
function extended(value: number): { word: number; significand: bigint } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  if (exponent === 0) return { word: Number(bits >> 63n) << 15, significand: 0n };
  return {
    word: (Number(bits >> 63n) << 15) | (exponent - 1023 + 16383),
    significand: (1n << 63n) | ((bits & 0xf_ffff_ffff_ffffn) << 11n),
  };
}

function fromExtended(word: number, significand: bigint): number {
  const magnitude = Number(significand) * 2 ** ((word & 0x7fff) - 16383 - 63);
  return word & 0x8000 ? -magnitude : magnitude;
}

/** Puts what a line gives into a case. */
class Setting {
  readonly registers = new Uint8Array(32);
  readonly memory = new Uint8Array(64);
  readonly fpu = initialFpu.slice();
  flags = 0;

  constructor() {
    new DataView(this.registers.buffer).setUint32(16, stackTop, true);
  }

  put(place: Place, item: Item): void {
    if (place.kind === "immediate") return;
    const value = toBytes(item).subarray(0, place.bytes);
    if (place.kind === "memory") this.memory.set(value, place.number);
    else if (place.kind === "general") this.registers.set(value, 4 * place.number);
    else if (place.kind === "byte") this.registers.set(value, 4 * (place.number & 3) + (place.number >> 2));
    else if (place.kind === "xmm") this.fpu.set(value, offset.xmm + 16 * place.number);
    else if (place.kind === "mm") {
      this.fpu.set(value, offset.st + 16 * place.number);
      this.fpu.set([0xff, 0xff], offset.st + 16 * place.number + 8);
      this.fpu[offset.used] = 0xff;
    } else {
      const { word, significand } = extended(
        item.type === "ps" ? Math.fround(Number(item.values[0])) : Number(item.values[0]),
      );
      const view = new DataView(this.fpu.buffer, offset.st + 16 * place.number);
      view.setBigUint64(0, significand, true);
      view.setUint16(8, word, true);
      this.fpu[offset.used] = (this.fpu[offset.used] as number) | (1 << place.number);
    }
  }

  /** EFLAGS or the control word: a mask, and the bits in it. */
  special({ place, values }: Item): boolean {
    const [mask = 0, bits = 0] = values.map(Number);
    if (place === "eflags") this.flags = (this.flags & ~mask) | bits;
    else if (place === "fpucw") {
      const view = new DataView(this.fpu.buffer);
      view.setUint16(offset.control, (view.getUint16(offset.control, true) & ~mask) | bits, true);
    } else if (place === "fpusw") {
      const view = new DataView(this.fpu.buffer);
      view.setUint16(offset.status, (view.getUint16(offset.status, true) & ~mask) | bits, true);
    } else return false;
    return true;
  }

  caseOf(mnemonic: string, code: Uint8Array): X86Case {
    return {
      elements: [{ mnemonic, bytes: [...code] }],
      registers: [...new Uint32Array(this.registers.buffer)],
      flags: this.flags,
      memory: this.memory,
      eip: codeAt,
      selectors: [0x2b, 0x23, 0x2b, 0x2b, 0, 0],
      writable: false,
      fpu: this.fpu,
      translated: false,
    };
  }
}

/** The bytes of a place in an answer. */
function bytesAt(a: Answer, place: Place): Uint8Array {
  const bytes = new Uint8Array(a.buffer, a.byteOffset);
  const at =
    place.kind === "memory"
      ? memoryOffset + place.number
      : place.kind === "general"
        ? 4 * place.number
        : place.kind === "byte"
          ? 4 * (place.number & 3) + (place.number >> 2)
          : fpuOffset + (place.kind === "xmm" ? offset.xmm : offset.st) + 16 * place.number;
  return bytes.subarray(at, at + Math.max(place.bytes, 8));
}

const near = (is: number, should: number) =>
  Object.is(is, should) || is === should || Math.abs(is - should) < Math.abs(should) * 1.5 * 2 ** -12;

/** What does not come out as a line says. */
function wrong(line: Line, operands: readonly Place[], a: Answer): string | undefined {
  if (a[field.trap] !== 3) return `exception ${a[field.trap]}`;
  for (const item of line.results) {
    const [mask = 0, bits = 0] = item.values.map(Number);
    if (item.place === "eflags") {
      if (((a[field.flags] as number) & mask) !== bits) return `eflags ${(a[field.flags] as number).toString(16)}`;
      continue;
    }
    if (item.place === "fpusw") {
      const status = (a[fpuOffset / 4] as number) >>> 16;
      if ((status & mask) !== bits) return `fpusw ${status.toString(16)}`;
      continue;
    }
    const place = /^\d$/.test(item.place) ? operands[Number(item.place)] : named(item.place);
    if (place === undefined) return `${item.place}?`;
    const bytes = bytesAt(a, place);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    if (place.kind === "st") {
      const value = fromExtended(view.getUint16(8, true), view.getBigUint64(0, true));
      if (!near(value, Number(item.values[0]))) return `${item.place} is ${value}`;
      continue;
    }
    const size = sizeOf(item.type);
    const should = toBytes(item);
    for (const [k, text] of item.values.entries()) {
      const at = k * size;
      if (item.type === "ps" || item.type === "pd") {
        const value = size === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true);
        if (!near(value, Number(text))) return `${item.place}, element ${k}, is ${value}`;
      } else
        for (let n = at; n < at + size; n++)
          if (view.getUint8(n) !== should[n]) return `${item.place}, byte ${n}, is ${view.getUint8(n)}`;
    }
  }
  return undefined;
}

describe.skipIf(assembled === undefined)("on the interpreter every line of valgrind's lists holds", () => {
  const machine = new CampaignMachine("interpreter");
  it.each(lists)("%s", (_name, lines) => {
    const failed: string[] = [];
    for (const line of lines) {
      const setting = new Setting();
      const operands = places(line);
      for (const item of line.given) {
        const place = named(item.place);
        if (place !== undefined) setting.put(place, item);
        else if (!setting.special(item)) failed.push(`${line.text}: ${item.place}?`);
      }
      for (const [k, item] of line.operands.entries()) setting.put(operands[k] as Place, item);
      const a = machine.run(setting.caseOf(line.mnemonic, assembled?.[all.indexOf(line)] as Uint8Array));
      const found = wrong(line, operands, a);
      if (found !== undefined) failed.push(`${line.text}: ${found}`);
    }
    expect(failed).toEqual([]);
  });

  it("there are 2,765 of them", () => {
    expect(all.length).toBe(2765);
  });
});
