import { codeOf } from "./codes.ts";
import { type AccessWidth, type Block, type Effect, Node } from "./node.ts";
import { type Operation, operations, type Type } from "./ops.ts";

/** A text that is not IR: says the line and what is wrong with it. */
export class ParseError extends Error {}

const types: readonly string[] = ["i32", "i64", "f32", "f64", "v128"];
const widths: readonly number[] = [1, 2, 4, 8, 16];

/** What a line says of a node besides its operation, type and arguments. */
interface Rest {
  readonly imm?: number;
  readonly width?: AccessWidth;
  readonly long?: bigint;
  readonly helper?: string;
  readonly yes?: Block;
  readonly no?: Block | undefined;
}

/** Reads the text form (see `text.ts`). Lines that start with `;` are comments. Throws `ParseError`. */
export function parse(source: string): Block {
  return new Parser(source).parse();
}

class Parser {
  readonly #lines: readonly string[];
  readonly #names = new Map<string, Node>();
  #at = 0;
  #made = 0;

  constructor(source: string) {
    this.#lines = source.split("\n");
  }

  parse(): Block {
    const block = this.#block(false);
    return block;
  }

  #fail(what: string): ParseError {
    return new ParseError(`line ${this.#at}: ${what}`);
  }

  /** Nodes up to the end of the text, or to the line that closes the arm. */
  #block(nested: boolean): Block {
    const block: Block = { nodes: [], result: undefined };
    while (this.#at < this.#lines.length) {
      const line = (this.#lines[this.#at++] as string).trim();
      if (line === "" || line.startsWith(";")) continue;
      if (line === "}" || line === "} else {") {
        if (!nested) throw this.#fail(`"${line}" closes nothing`);
        this.#at--;
        return block;
      }
      if (line.startsWith("yield ")) block.result = this.#operand(line.slice(6));
      else block.nodes.push(this.#node(line));
    }
    if (nested) throw this.#fail("an arm that is not closed");
    return block;
  }

  #node(line: string): Node {
    const match = /^(?:(v\d+): (\w+) = )?(.*)$/.exec(line);
    const [, name, type, rest] = match as unknown as [string, string | undefined, string | undefined, string];
    if (type !== undefined && !types.includes(type)) throw this.#fail(`no type ${type}`);
    const node = rest.startsWith("if ")
      ? this.#if(rest, type as Type | undefined)
      : this.#plain(rest, type as Type | undefined);
    if (name !== undefined) {
      if (this.#names.has(name)) throw this.#fail(`${name} is there already`);
      this.#names.set(name, node);
    }
    return node;
  }

  #if(text: string, type: Type | undefined): Node {
    const match = /^if (\S+) \{$/.exec(text);
    if (match === null) throw this.#fail(`not an if: ${text}`);
    const condition = this.#operand(match[1] as string);
    const yes = this.#block(true);
    let no: Block | undefined;
    if ((this.#lines[this.#at] as string).trim() === "} else {") {
      this.#at++;
      no = this.#block(true);
    }
    this.#at++;
    return this.#make("if", type, [condition], { yes, no });
  }

  #plain(text: string, type: Type | undefined): Node {
    const match = /^(\w+)(?:\.(\d+))?(?: (.*))?$/.exec(text);
    if (match === null) throw this.#fail(`not a node: ${text}`);
    const [, op, wide, rest = ""] = match as unknown as [string, string, string | undefined, string | undefined];
    const width = Number(wide ?? 4);
    if (!widths.includes(width)) throw this.#fail(`no width ${width}`);
    const made = (args: readonly Node[], more: Rest = {}) =>
      this.#make(op as Effect | Operation, type, args, { ...more, width: width as AccessWidth });
    switch (op as Effect) {
      case "field":
        return made([], { imm: this.#number(rest) });
      case "get":
      case "set": {
        const place = /^\[(\d+)(?: \+ (\S+))?\](?:, (\S+))?$/.exec(rest);
        if (place === null) throw this.#fail(`not a place in the state: ${rest}`);
        const base = place[2] === undefined ? [] : [this.#operand(place[2])];
        const value = op === "set" ? [this.#operand(place[3] ?? "")] : [];
        return made([...value, ...base], { imm: this.#number(place[1] as string) });
      }
      case "call":
      case "exit": {
        const call = /^(\w+)\((.*)\)$/.exec(rest);
        if (call === null) throw this.#fail(`not a call: ${rest}`);
        return made(this.#operands(call[2] as string), { helper: call[1] as string });
      }
      case "pc":
      case "next_pc":
      case "load":
      case "load_rw":
      case "store":
      case "probe":
      case "jump":
        return made(this.#operands(rest));
      default:
        if (!(op in operations)) throw this.#fail(`no operation ${op}`);
        return made(this.#operands(rest));
    }
  }

  #operands(text: string): Node[] {
    return text.trim() === "" ? [] : text.split(",").map((part) => this.#operand(part.trim()));
  }

  #operand(text: string): Node {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    if (/^-?(0x[0-9a-f]+|\d+)L$/.test(text)) {
      return this.#make("const", "i64", [], { long: BigInt.asIntN(64, bigint(text.slice(0, -1))) });
    }
    return this.#make("const", "i32", [], { imm: this.#number(text) | 0 });
  }

  #make(op: Effect | Operation, type: Type | undefined, args: readonly Node[], rest: Rest): Node {
    const { imm = 0, width = 4, long = 0n, helper = "", yes, no } = rest;
    return new Node(++this.#made, op, codeOf(op), type, args, imm, width, long, helper, yes, no);
  }

  #number(text: string): number {
    if (!/^-?(0x[0-9a-f]+|\d+)$/.test(text)) throw this.#fail(`"${text}" is neither a value nor a number`);
    return Number(bigint(text));
  }
}

function bigint(text: string): bigint {
  return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text);
}
