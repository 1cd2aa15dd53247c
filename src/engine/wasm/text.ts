import { plainNames, saturatingNames, vectorNames } from "./names.ts";
import { noValue, op } from "./opcodes.ts";

/** What locals and functions are called; by their numbers where nothing is given. */
export interface WasmNames {
  local?(index: number): string | undefined;
  function?(index: number): string | undefined;
}

/** One instruction of a function's code. */
export interface WasmInstruction {
  /** Where it starts, in bytes. */
  readonly at: number;
  /** How many labels are open around it. */
  readonly depth: number;
  /** In the text format (core specification, section 6.5). */
  readonly text: string;
}

const valueTypes: ReadonlyMap<number, string> = new Map([
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
]);

/** Reads code as section 5.4 has it. */
class Reader {
  readonly #view: DataView;
  at = 0;

  constructor(code: Uint8Array) {
    this.#view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  }

  get done(): boolean {
    return this.at >= this.#view.byteLength;
  }

  u8(): number {
    return this.#view.getUint8(this.at++);
  }

  /** LEB128, of at most 64 bits. */
  leb(signed: boolean): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      return signed ? BigInt.asIntN(Number(shift) + 7, value) : value;
    }
  }

  u32(): number {
    return Number(this.leb(false));
  }

  f32(): number {
    this.at += 4;
    return this.#view.getFloat32(this.at - 4, true);
  }

  f64(): number {
    this.at += 8;
    return this.#view.getFloat64(this.at - 8, true);
  }
}

/**
 * The instructions of a function's body, without its locals and its closing `end`, in order. @throws Error for code that is not what this project emits.
 */
export function instructionsOf(body: Uint8Array, names: WasmNames = {}): WasmInstruction[] {
  const reader = new Reader(body);
  const found: WasmInstruction[] = [];
  let depth = 0;
  while (!reader.done) {
    const { at } = reader;
    const code = reader.u8();
    if (code === op.end) depth--;
    found.push({ at, depth: code === op.else ? depth - 1 : depth, text: instruction(reader, code, names) });
    if (code === op.block || code === op.loop || code === op.if) depth++;
  }
  if (depth !== 0 || reader.at !== body.length) throw new Error(`code which ends in the middle, at ${reader.at}`);
  return found;
}

function instruction(reader: Reader, code: number, names: WasmNames): string {
  if (code === 0xfd) return vector(reader);
  const table = code === 0xfc ? saturatingNames : plainNames;
  const number = code === 0xfc ? reader.u32() : code;
  const name = table.get(number);
  if (name === undefined) throw new Error(`an opcode without a name, 0x${code.toString(16)} at ${reader.at - 1}`);
  const rest = code === 0xfc ? "" : immediates(reader, code, names);
  return rest === "" ? name : `${name} ${rest}`;
}

function immediates(reader: Reader, code: number, names: WasmNames): string {
  if (code >= op.i32Load && code <= 0x3e) return memory(reader, naturalAlignment(code));
  const local = (k: number) => names.local?.(k) ?? `${k}`;
  const callee = (k: number) => names.function?.(k) ?? `${k}`;
  switch (code) {
    case op.block:
    case op.loop:
    case op.if: {
      const type = reader.u8();
      return type === noValue ? "" : `(result ${valueTypes.get(type) ?? "?"})`;
    }
    case op.br:
    case op.brIf:
      return `${reader.u32()}`;
    case op.brTable: {
      const labels = Array.from({ length: reader.u32() + 1 }, () => reader.u32());
      return labels.join(" ");
    }
    case op.call:
    case op.returnCall:
      return callee(reader.u32());
    case op.callIndirect:
    case op.returnCallIndirect: {
      const type = reader.u32();
      const table = reader.u32();
      return table === 0 ? `(type ${type})` : `${table} (type ${type})`;
    }
    case op.localGet:
    case op.localSet:
    case op.localTee:
      return local(reader.u32());
    case op.i32Const:
    case op.i64Const:
      return `${reader.leb(true)}`;
    case 0x43:
      return `${reader.f32()}`;
    case 0x44:
      return `${reader.f64()}`;
    default:
      return "";
  }
}

/** Of a load or store: the power of two. */
function naturalAlignment(code: number): number {
  return [2, 3, 2, 3, 0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, 3, 2, 3, 0, 1, 0, 1, 2][code - op.i32Load] as number;
}

function memory(reader: Reader, natural: number): string {
  const align = reader.u32();
  const offset = reader.u32();
  const words = [...(offset === 0 ? [] : [`offset=${offset}`]), ...(align === natural ? [] : [`align=${2 ** align}`])];
  return words.join(" ");
}

function vector(reader: Reader): string {
  const code = reader.u32();
  const name = vectorNames.get(code);
  if (name === undefined) throw new Error(`a vector opcode without a name, ${code} at ${reader.at}`);
  const bytes = (count: number) => Array.from({ length: count }, () => reader.u8()).join(" ");
  const rest = () => {
    if (code <= 11 || code === 92 || code === 93) return memory(reader, vectorAlignment(code));
    if (code === 12) return `i8x16 ${bytes(16)}`;
    if (code === 13) return bytes(16);
    if (code >= 21 && code <= 34) return bytes(1);
    if (code >= 84 && code <= 91) return `${memory(reader, (code - 84) & 3)} ${bytes(1)}`.trim();
    return "";
  };
  return `${name} ${rest()}`.trim();
}

function vectorAlignment(code: number): number {
  if (code === 92) return 2;
  if (code === 93) return 3;
  if (code >= 1 && code <= 6) return 3;
  return code >= 7 && code <= 10 ? code - 7 : 4;
}

/** Behind these a line is full. */
const closing =
  /^(block|loop|if|else|end|br|br_if|br_table|return|return_call|return_call_indirect|unreachable|drop|local\.set|\S+\.store\S*)( |$)/;

/** Instructions as lines, each as long as the stack is not empty: indented by the labels around them. */
export function linesOf(instructions: readonly WasmInstruction[]): string[] {
  const lines: string[] = [];
  let words: string[] = [];
  let depth = 0;
  const flush = () => {
    if (words.length > 0) lines.push(`${"  ".repeat(depth)}${words.join("  ")}`);
    words = [];
  };
  for (const one of instructions) {
    if (one.depth !== depth || one.text === "end" || one.text === "else") flush();
    depth = one.depth;
    words.push(one.text);
    if (closing.test(one.text)) flush();
  }
  flush();
  return lines;
}
