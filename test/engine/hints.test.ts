import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Bytes } from "../../src/engine/wasm/bytes.ts";
import { ModuleBuilder } from "../../src/engine/wasm/module.ts";
import { noValue, op } from "../../src/engine/wasm/opcodes.ts";

/** A function that gives 7 when its argument is 0, else 5. */
function made(optimized?: boolean) {
  const module = new ModuleBuilder();
  const code = new Bytes().u8(op.localGet, 0).hint(0).u8(op.if, noValue, op.i32Const, 5, op.return, op.end);
  code.u8(op.localGet, 0, op.i32Eqz).hint(1).u8(op.if, noValue, op.i32Const, 7, op.return, op.end);
  const index = module.function(["i32"], ["i32"], ["i64", "i32"], code.u8(op.i32Const, 0));
  module.name(index, "chosen");
  module.export("chosen", index);
  return module.bytes(optimized);
}

describe("branch hints", () => {
  it("stand in a custom section in front of the code, counted from the function's locals on", () => {
    const bytes = made();
    const module = new WebAssembly.Module(bytes);
    const [section] = WebAssembly.Module.customSections(module, "metadata.code.branch_hint");
    const hints = [...new Uint8Array(section as ArrayBuffer)];
    // One function, index 0, two hints: place, length 1, value
    expect(hints.slice(0, 3)).toEqual([1, 0, 2]);
    const [first, one, seldom, second, alsoOne, mostly] = hints.slice(3) as [number, ...number[]];
    expect([one, seldom, alsoOne, mostly]).toEqual([1, 0, 1, 1]);
    // The function's body begins behind its size: two runs of locals, 2 1 i64 1 i32.
    const locals = [2, 1, 0x7e, 1, 0x7f];
    const text = [...bytes].join();
    const start = [...bytes].findIndex((_, k) => locals.every((byte, n) => bytes[k + n] === byte));
    expect(text).toContain(locals.join());
    expect([bytes[start + first], bytes[start + (second as number)]]).toEqual([op.if, op.if]);
  });

  it("change nothing in what a function gives", () => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(made()));
    const chosen = exports.chosen as (x: number) => number;
    expect([chosen(0), chosen(3)]).toEqual([7, 5]);
  });
});

describe("compilation hints", () => {
  it("ask for the optimising compiler from the first call on, where that is wanted", () => {
    const hints = (module: WebAssembly.Module) => WebAssembly.Module.customSections(module, "compilationHints");
    expect(hints(new WebAssembly.Module(made()))).toEqual([]);
    const [section] = hints(new WebAssembly.Module(made(true)));
    // One function: when it is called is left to V8, the first compiler is the optimising one, and so is the last.
    expect([...new Uint8Array(section as ArrayBuffer)]).toEqual([1, (2 << 2) | (2 << 4)]);
  });

  it("are taken by the V8 of the command", () => {
    const script = `
      await import(process.argv[1]);
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(JSON.parse(process.argv[2]))));
      exports.chosen(0);
      console.log(%IsLiftoffFunction(exports.chosen), %IsTurboFanFunction(exports.chosen));
    `;
    const flags = join(import.meta.dirname, "../../src/host/v8-flags.ts");
    const compiled = (optimized: boolean) => {
      const args = ["--allow-natives-syntax", "--input-type=module", "-e", script, flags, `[${made(optimized)}]`];
      return execFileSync(process.execPath, args, { encoding: "utf8" }).trim();
    };
    expect([compiled(false), compiled(true)]).toEqual(["true false", "false true"]);
  });
});
