import { describe, expect, it } from "vitest";
import { Bytes } from "../../src/engine/wasm/bytes.ts";
import { direct, float, integers, op, reinterpret, vector } from "../../src/engine/wasm/opcodes.ts";
import { instructionsOf, linesOf } from "../../src/engine/wasm/text.ts";

/** `i32Load8U` is `i32.load8_u`, `brIf` is `br_if`. */
function fieldName(key: string): string {
  const [, type = "", rest = key] = /^(i32|i64|f32|f64|local)([A-Z].*)$/.exec(key) ?? [];
  const words = rest.replace(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
  return type === "" ? words : `${type}.${words}`;
}

/** Immediates of an instruction, as section 5.4 has them, and how they read. */
function immediates(key: string): readonly [readonly number[], string] {
  if (/^(block|loop|if)$/.test(key)) return [[0x40], ""];
  if (/^br(If)?$/.test(key)) return [[3], " 3"];
  if (key === "brTable") return [[2, 5, 6, 7], " 5 6 7"];
  if (/^(call|returnCall)$/.test(key)) return [[9], " 9"];
  if (/CallIndirect$|^callIndirect$/.test(key)) return [[4, 0], " (type 4)"];
  if (/^local/.test(key)) return [[0x85, 0x01], " 133"];
  if (/Load|Store/.test(key)) return [[0, 0x90, 0x01], /8/.test(key) ? " offset=144" : " offset=144 align=1"];
  if (/Const$/.test(key)) return [[0x7f], " -1"];
  return [[], ""];
}

/** The words for one instruction between two that are known. */
function read(bytes: readonly number[]): string {
  const opened = bytes[0] === op.block || bytes[0] === op.loop || bytes[0] === op.if;
  const around = bytes[0] === op.end || bytes[0] === op.else ? [op.if, 0x40] : [];
  const close = opened || bytes[0] === op.else ? [op.end] : [];
  const all = instructionsOf(Uint8Array.from([...around, ...bytes, ...close, op.drop]));
  expect(all).toHaveLength(around.length / 2 + 1 + close.length + 1);
  expect(all.at(-1)?.text).toBe("drop");
  return all[around.length / 2]?.text ?? "";
}

describe("WebAssembly as text", () => {
  it.each(Object.entries(op))("has %s by its name, and consumes its immediates exactly", (key, code) => {
    const [bytes, words] = immediates(key);
    expect(read([code, ...bytes])).toBe(`${fieldName(key)}${words}`);
  });

  it("has the operations of the IR, of 32 and of 64 bits", () => {
    for (const [name, [narrow, wide]] of Object.entries(direct)) {
      if (name.startsWith("extend_")) expect(read([narrow])).toBe(`i64.extend_i32_${name.at(-1)}`);
      else if (name === "wrap") expect(read([narrow])).toBe("i32.wrap_i64");
      else {
        const plain = name.replace(/^sext(8|16)$/, "extend$1_s");
        expect([read([narrow]), read([wide])]).toEqual([`i32.${plain}`, `i64.${plain}`]);
      }
    }
  });

  it("has operations on numbers, and the ways between numbers and bits", () => {
    for (const [name, [single, double]] of Object.entries(float))
      expect([read([single]), read([double])]).toEqual([`f32.${name.slice(1)}`, `f64.${name.slice(1)}`]);
    for (const [name, code] of Object.entries(reinterpret)) {
      const [, to, from] = /^(\w\d\d)From(\w\d\d)$/.exec(name) ?? [];
      expect(read([code])).toBe(`${to}.reinterpret_${from?.toLowerCase()}`);
    }
  });

  it("has operations on vectors behind their prefix", () => {
    for (const [name, code] of Object.entries(vector)) {
      const [, operation, shape] = /^([a-z]+)(\d+x\d)$/.exec(name) ?? [];
      expect(read([0xfd, ...new Bytes().u32(code).view()])).toBe(`f${shape}.${operation}`);
    }
    const words: Record<string, string> = { eq: "eq", gt: "gt_s", min: "min_s", max: "max_s" };
    for (const [name, code] of Object.entries(integers)) {
      const [, kind, operation = "", shape] = /^([iu]|signs|)([a-z]*)(\d+x\d+)$/.exec(name) ?? [];
      const word = kind === "signs" ? "bitmask" : kind === "u" ? `${operation}_u` : (words[operation] ?? operation);
      const expected = kind === undefined ? `v128.${name.replace("128", "")}` : `i${shape}.${word}`;
      expect(read([0xfd, ...new Bytes().u32(code).view()])).toBe(expected);
    }
    expect(read([0xfd, 0, 4, 16])).toBe("v128.load offset=16");
    expect(read([0xfd, 11, 0, 0])).toBe("v128.store align=1");
    expect(read([0xfc, 7])).toBe("i64.trunc_sat_f64_u");
  });

  it("reads what was written, of constants at the ends of their ranges", () => {
    for (const value of [0, 63, 64, -64, -65, 0x7fff_ffff, -0x8000_0000])
      expect(read([op.i32Const, ...new Bytes().s32(value).view()])).toBe(`i32.const ${value}`);
    for (const value of [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)])
      expect(read([op.i64Const, ...new Bytes().s64(value).view()])).toBe(`i64.const ${value}`);
  });

  it("refuses what has no name, and code that stops in the middle", () => {
    expect(() => instructionsOf(Uint8Array.of(0xff))).toThrow(/opcode without a name/);
    expect(() => instructionsOf(Uint8Array.of(op.block, 0x40))).toThrow(/in the middle/);
    expect(() => instructionsOf(Uint8Array.of(op.i32Const, 0x80))).toThrow();
  });

  it("puts into a line what leaves nothing on the stack, indented by its labels", () => {
    const body = [op.block, 0x40, op.i32Const, 1, op.localSet, 2, op.localGet, 2, op.brIf, 0, op.end];
    const named = { local: (k: number) => `$local${k}` };
    expect(linesOf(instructionsOf(Uint8Array.from(body), named))).toEqual([
      "block",
      "  i32.const 1  local.set $local2",
      "  local.get $local2  br_if 0",
      "end",
    ]);
  });
});
