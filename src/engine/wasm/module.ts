import type { Type } from "../../ir/ops.ts";
import { Bytes } from "./bytes.ts";

const typeCodes: Record<Type, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

export function typeCode(type: Type): number {
  return typeCodes[type];
}

/** Of a function, in V8's section of compilation hints: two bits each for when it is compiled (left to V8), by which compiler first, and by which at last (the optimising one). */
const topTier = (2 << 2) | (2 << 4);

interface FunctionType {
  readonly params: readonly Type[];
  readonly results: readonly Type[];
}

interface Definition {
  readonly type: number;
  readonly locals: readonly Type[];
  readonly body: Bytes;
}

/**
 * Puts a WebAssembly module together (core specification, chapter 5). Functions that are imported have to be asked for
 * before the first one is defined, since they come first in the index space.
 */
export class ModuleBuilder {
  readonly #types: FunctionType[] = [];
  readonly #imports = new Bytes();
  #importCount = 0;
  #importedFunctions = 0;
  readonly #known = new Map<string, number>();
  readonly #functions: Definition[] = [];
  readonly #exports = new Bytes();
  #exportCount = 0;
  readonly #names = new Map<number, string>();

  type(params: readonly Type[], results: readonly Type[]): number {
    const index = this.#types.findIndex((type) => same(type.params, params) && same(type.results, results));
    return index < 0 ? this.#types.push({ params, results }) - 1 : index;
  }

  importMemory(module: string, name: string, pages: number): void {
    this.#imports.name(module).name(name).u8(0x02, 0x01).u32(pages).u32(pages);
    this.#importCount++;
  }

  importTable(module: string, name: string, size: number): void {
    this.#imports.name(module).name(name).u8(0x01, 0x70, 0x00).u32(size);
    this.#importCount++;
  }

  /** The index of an imported function; the same name gives the same index. */
  importFunction(module: string, name: string, params: readonly Type[], results: readonly Type[]): number {
    const known = this.#known.get(`${module}.${name}`);
    if (known !== undefined) return known;
    if (this.#functions.length > 0) throw new Error(`${name} is imported behind the first function`);
    this.#imports.name(module).name(name).u8(0x00).u32(this.type(params, results));
    this.#importCount++;
    this.#known.set(`${module}.${name}`, this.#importedFunctions);
    return this.#importedFunctions++;
  }

  /** @param body the code without the closing `end`. Returns the function's index. */
  function(params: readonly Type[], results: readonly Type[], locals: readonly Type[], body: Bytes): number {
    this.#functions.push({ type: this.type(params, results), locals, body });
    return this.#importedFunctions + this.#functions.length - 1;
  }

  /** What profilers and stack traces call a function. To be told in the order of indices. */
  name(index: number, name: string): void {
    this.#names.set(index, name);
  }

  export(name: string, index: number): void {
    this.#exports.name(name).u8(0x00).u32(index);
    this.#exportCount++;
  }

  /** @param optimized asks V8 to optimise each function when it is first called, in place of compiling it twice: for who calls it where nobody waits for that. */
  bytes(optimized = false): Uint8Array<ArrayBuffer> {
    const code = new Bytes(this.#functions.reduce((sum, { body }) => sum + body.length + 256, 0));
    const hints = new Bytes();
    let hinted = 0;
    for (const [k, { locals, body }] of this.#functions.entries()) {
      const declared = declare(locals);
      if (body.hints.length > 0) {
        hinted++;
        hints.u32(this.#importedFunctions + k).u32(body.hints.length);
        for (const hint of body.hints) hints.u32(declared.length + (hint >> 1)).u8(1, hint & 1);
      }
      code
        .u32(declared.length + body.length + 1)
        .append(declared.view())
        .append(body.view())
        .u8(0x0b);
    }
    const out = new Bytes(code.length + hints.length + 1024).u8(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
    const headed = (id: number, head: Bytes, content: Bytes) => {
      out
        .u8(id)
        .u32(head.length + content.length)
        .append(head.view())
        .append(content.view());
    };
    const section = (id: number, count: number, content: Bytes) => headed(id, new Bytes().u32(count), content);
    // Whoever does not know a custom section leaves it alone.
    const custom = (name: string, content: Bytes) => headed(0, new Bytes().name(name), content);
    const types = new Bytes();
    for (const { params, results } of this.#types) {
      types.u8(0x60).u32(params.length).append(params.map(typeCode)).u32(results.length).append(results.map(typeCode));
    }
    section(1, this.#types.length, types);
    section(2, this.#importCount, this.#imports);
    const functions = new Bytes();
    for (const { type } of this.#functions) functions.u32(type);
    section(3, this.#functions.length, functions);
    section(7, this.#exportCount, this.#exports);
    if (hinted > 0) {
      // Branch hinting: in front of the code.
      custom("metadata.code.branch_hint", new Bytes().u32(hinted).append(hints.view()));
    }
    // Likewise: V8's own form of compilation hints, a byte for each function.
    if (optimized)
      custom("compilationHints", new Bytes().u32(this.#functions.length).append(this.#functions.map(() => topTier)));
    section(10, this.#functions.length, code);
    if (this.#names.size > 0) {
      // The names behind it all, which profilers show: subsection 1 has those of functions.
      const list = new Bytes().u32(this.#names.size);
      for (const [index, name] of this.#names) list.u32(index).name(name);
      custom("name", new Bytes().u8(1).u32(list.length).append(list.view()));
    }
    return out.view().slice();
  }
}

function same(a: readonly Type[], b: readonly Type[]): boolean {
  return a.length === b.length && a.every((type, k) => type === b[k]);
}

/** Local declarations: runs of one type (core 5.4.4). */
function declare(locals: readonly Type[]): Bytes {
  const runs: { type: Type; count: number }[] = [];
  for (const type of locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  const bytes = new Bytes().u32(runs.length);
  for (const { type, count } of runs) bytes.u32(count).u8(typeCode(type));
  return bytes;
}
