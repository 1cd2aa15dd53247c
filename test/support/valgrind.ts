import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dataAt } from "./x86-vectors.ts";

/*
 * Valgrind's lists of instructions which check themselves (none/tests/x86/*.def), read where they lie:
 *
 *     adcb eflags[0x1,0x0] : imm8[12] al.ub[34] => 1.ub[46]
 *
 * Before the colon what is set besides the operands, which follow in AT&T's order; behind the arrow what is to come out, operands by number.
 */

/** A place with its values: where, of which type, what. */
export interface Item {
  readonly place: string;
  readonly type: string;
  readonly values: readonly string[];
}

export interface Line {
  readonly text: string;
  readonly mnemonic: string;
  readonly given: readonly Item[];
  readonly operands: readonly Item[];
  readonly results: readonly Item[];
}

const sizes: Readonly<Record<string, number>> = { b: 1, w: 2, d: 4, q: 8 };

/** Bytes of an element: ub, sw, ud, sq, ps (4), pd (8). */
export function sizeOf(type: string): number {
  return type === "ps" ? 4 : type === "pd" ? 8 : (sizes[type[1] ?? ""] ?? 0);
}

function items(text: string): Item[] {
  return [...text.matchAll(/(\w+)(?:\.(\w+))?\[([^\]]*)\]/g)].map(([, place = "", type = "", values = ""]) => ({
    place,
    type,
    values: values.split(","),
  }));
}

export function parse(file: string): Line[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((text) => {
      const [mnemonic = "", ...rest] = text.split(" ");
      const [before = "", after = ""] = rest.join(" ").split("=>");
      const parts = before.split(" : ");
      const [given, operands] = parts.length > 1 ? [parts[0] as string, parts[1] as string] : ["", before];
      return { text, mnemonic, given: items(given), operands: items(operands), results: items(after) };
    });
}

/** Bytes of values of one type. */
export function toBytes({ type, values }: Item): Uint8Array {
  const size = sizeOf(type);
  const bytes = new Uint8Array(size * values.length);
  const view = new DataView(bytes.buffer);
  for (const [k, value] of values.entries()) {
    const at = k * size;
    if (type === "ps") view.setFloat32(at, Number(value), true);
    else if (type === "pd") view.setFloat64(at, Number(value), true);
    else {
      const negative = value.startsWith("-");
      const number = BigInt(negative ? value.slice(1) : value);
      const whole = BigInt.asUintN(64, negative ? -number : number);
      for (let n = 0; n < size; n++) bytes[at + n] = Number((whole >> BigInt(8 * n)) & 0xffn);
    }
  }
  return bytes;
}

const general = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"];
const words = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
const bytes = ["al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"];

/** Where an operand lies, by its place in the line: a register's number, or bytes from `dataAt` on. */
export interface Place {
  readonly kind: "general" | "byte" | "mm" | "xmm" | "st" | "memory" | "immediate";
  readonly number: number;
  readonly bytes: number;
}

/** A register that is named, whole. */
export function named(place: string): Place | undefined {
  const among = (list: readonly string[], kind: Place["kind"], size: number): Place | undefined =>
    list.includes(place) ? { kind, number: list.indexOf(place), bytes: size } : undefined;
  const st = /^st(\d)$/.exec(place);
  if (st !== null) return { kind: "st", number: Number(st[1]), bytes: 10 };
  return among(general, "general", 4) ?? among(words, "general", 2) ?? among(bytes, "byte", 1);
}

/** Gives each operand a place; those that a line names keep theirs. */
export function places(line: Line): Place[] {
  const taken = new Set<number>([4, 5]);
  for (const { place } of [...line.given, ...line.operands, ...line.results]) {
    const known = named(place);
    if (known?.kind === "general") taken.add(known.number);
    if (known?.kind === "byte") taken.add(known.number & 3);
  }
  let memory = 0;
  let vector = 1;
  const free = (upTo: number) => {
    for (let k = upTo - 1; k >= 0; k--)
      if (!taken.has(k)) {
        taken.add(k);
        return k;
      }
    throw new Error(`${line.text}: no register is free`);
  };
  return line.operands.map(({ place }): Place => {
    const known = named(place);
    if (known !== undefined) return known;
    const width = Number(/\d+$/.exec(place)?.[0] ?? 0) / 8;
    if (place.startsWith("imm")) return { kind: "immediate", number: 0, bytes: width };
    if (place === "mm" || place === "xmm") return { kind: place, number: vector++, bytes: place === "mm" ? 8 : 16 };
    if (place.startsWith("m")) return { kind: "memory", number: 16 * memory++, bytes: width };
    if (place === "r8") return { kind: "byte", number: free(4), bytes: 1 };
    if (/^r\d+$/.test(place)) return { kind: "general", number: free(8), bytes: width };
    throw new Error(`${line.text}: ${place}?`);
  });
}

function operand(place: Place, item: Item): string {
  switch (place.kind) {
    case "immediate":
      return `$${item.values[0]}`;
    case "memory":
      return `0x${(dataAt + place.number).toString(16)}`;
    case "general":
      return `%${(place.bytes === 2 ? words : general)[place.number]}`;
    case "byte":
      return `%${bytes[place.number]}`;
    case "st":
      return place.number === 0 ? "%st" : `%st(${place.number})`;
    default:
      return `%${place.kind}${place.number}`;
  }
}

const slot = 32;

/** Assembles all lines by GNU as; undefined when it is not there. A line's bytes end where the padding, INT3, begins. */
export function assemble(lines: readonly Line[], prefix = "i686-linux-gnu-"): Uint8Array[] | undefined {
  if (spawnSync(`${prefix}as`, ["--version"]).status !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "barzero-as-"));
  try {
    const source = lines.map((line) => {
      const list = places(line).map((place, k) => operand(place, line.operands[k] as Item));
      return `.p2align 5, 0xcc\n${line.mnemonic} ${list.join(", ")}\n`;
    });
    const object = join(folder, "all.o");
    const image = join(folder, "all.bin");
    writeFileSync(join(folder, "all.s"), `.text\n${source.join("")}.p2align 5, 0xcc\n`);
    const done = spawnSync(`${prefix}as`, ["--32", "-o", object, join(folder, "all.s")], { encoding: "utf8" });
    if (done.status !== 0) throw new Error(done.stderr);
    spawnSync(`${prefix}objcopy`, ["-O", "binary", "-j", ".text", object, image]);
    const code = readFileSync(image);
    return lines.map((_, k) => {
      let end = slot * (k + 1);
      while (code[end - 1] === 0xcc) end--;
      return Uint8Array.from(code.subarray(slot * k, end));
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
