import type { Debugger } from "../debugger.ts";

/** `x` takes virtual addresses, `xp` physical ones. */
export type Addressing = "x" | "xp";

export const examineHelp = `x/NFU ADDRESS            memory at a virtual address: N units of size U (b, h, w, g)
                         as F (x, d, u, o, t, c, s); ADDRESS: a number, a symbol,
                         $register, and sums of them
xp/NFU ADDRESS           the same at a physical address`;

const sizes = { b: 1, h: 2, w: 4, g: 8 } as const;
/** Units shown at most. */
const most = 4096;
/** Characters of a string at most. */
const longest = 1024;

interface Format {
  readonly count: number;
  readonly form: string;
  readonly size: 1 | 2 | 4 | 8;
}

/** Shows memory. What does not lie in RAM or ROM is not read. */
export function examine(debug: Debugger, how: Addressing, format: string, expression: string): string {
  const wanted = parseFormat(format);
  if (wanted === undefined) return `/${format.slice(0, 20)} is no format; try help\n`;
  if (wanted.form === "i") return "instructions are not shown here; gdb does it: --gdb PORT\n";
  const address = evaluate(debug, expression);
  if (address === undefined) return `${expression.slice(0, 60) || "nothing"} is no address; try help\n`;
  const read = (at: number, length: number) =>
    how === "x" ? debug.memory.read(at, length) : debug.memory.readPhysical(at, length);
  return wanted.form === "s" ? strings(wanted.count, address, read) : units(debug, how, wanted, address, read);
}

type Read = (at: number, length: number) => Uint8Array;

function parseFormat(text: string): Format | undefined {
  const match = /^(\d{0,6})([a-z]*)$/.exec(text);
  if (match === null) return undefined;
  const [, count = "", letters = ""] = match;
  let form = "x";
  let size: Format["size"] | undefined;
  for (const letter of letters) {
    if (letter in sizes) size = sizes[letter as keyof typeof sizes];
    else if ("xduotcsi".includes(letter)) form = letter;
    else return undefined;
  }
  return { count: Math.min(count === "" ? 1 : Number(count), most), form, size: size ?? (form === "c" ? 1 : 4) };
}

function units(debug: Debugger, how: Addressing, wanted: Format, from: number, read: Read): string {
  const { size, count, form } = wanted;
  const bytes = read(from, count * size);
  const perLine = form === "t" ? Math.max(1, 4 / size) : Math.max(1, 16 / size);
  let text = "";
  const whole = Math.floor(bytes.length / size);
  for (let n = 0; n < whole; n++) {
    const at = from + n * size;
    if (n % perLine === 0) text += `${n === 0 ? "" : "\n"}${heading(debug, how, at)}:`;
    text += ` ${show(value(bytes.subarray(n * size, (n + 1) * size), debug.target.bigEndian), form, size)}`;
  }
  if (whole > 0) text += "\n";
  if (whole < count) text += `${heading(debug, how, from + whole * size)}: not in RAM or ROM\n`;
  return text;
}

function heading(debug: Debugger, how: Addressing, at: number): string {
  const digits = at.toString(16).padStart(8, "0");
  return how === "x" ? `${digits}${debug.symbols.label(at)}` : digits;
}

function value(bytes: Uint8Array, bigEndian: boolean): bigint {
  let all = 0n;
  for (const byte of bigEndian ? bytes : [...bytes].reverse()) all = (all << 8n) | BigInt(byte);
  return all;
}

function show(unit: bigint, form: string, size: number): string {
  switch (form) {
    case "d":
      return BigInt.asIntN(8 * size, unit).toString();
    case "u":
      return unit.toString();
    case "o":
      return `0${unit.toString(8)}`;
    case "t":
      return unit.toString(2).padStart(8 * size, "0");
    case "c":
      return quoted(Number(unit & 0xffn));
    default:
      return `0x${unit.toString(16).padStart(2 * size, "0")}`;
  }
}

function quoted(byte: number): string {
  return `'${printable(byte)}'`;
}

function printable(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
}

function strings(count: number, from: number, read: Read): string {
  let text = "";
  for (let n = 0, at = from; n < Math.min(count, 64); n++) {
    const bytes = read(at, longest);
    if (bytes.length === 0) return `${text}${at.toString(16).padStart(8, "0")}: not in RAM or ROM\n`;
    const zero = bytes.indexOf(0);
    const content = bytes.subarray(0, zero < 0 ? bytes.length : zero);
    text += `${at.toString(16).padStart(8, "0")}: "${Array.from(content, printable).join("")}"\n`;
    at += content.length + 1;
  }
  return text;
}

/** Numbers, symbols and registers, added and subtracted. */
function evaluate(debug: Debugger, expression: string): number | undefined {
  const terms = expression.match(/[+-]?[^+-]+/g);
  if (terms === null || terms.join("") !== expression) return undefined;
  let sum = 0;
  for (const term of terms) {
    const found = termValue(debug, term.replace(/^[+-]/, ""));
    if (found === undefined) return undefined;
    sum += term.startsWith("-") ? -found : found;
  }
  return sum >= 0 && sum < 2 ** 36 ? sum : undefined;
}

function termValue(debug: Debugger, text: string): number | undefined {
  if (/^(0x[0-9a-f]{1,9}|\d{1,11})$/i.test(text)) return Number(text);
  if (!text.startsWith("$")) return debug.symbols.address(text);
  const name = text.slice(1).toLowerCase();
  if (name === "pc") return debug.target.pc;
  const register = debug.target.registers.find((r) => r.name === name && r.bits <= 32);
  return register && Number(register.read());
}
