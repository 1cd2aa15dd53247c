import { describe, expect, it } from "vitest";
import { moduleOf } from "../../src/engine/modules.ts";
import { ModuleBuilder } from "../../src/engine/wasm/module.ts";

describe("a module that was made before", () => {
  const empty = () => new ModuleBuilder().bytes();
  const never = () => {
    throw new Error("made once more");
  };

  it("is had again by what it follows from", () => {
    const [key, part] = [{}, {}];
    const module = moduleOf(key, [1, part], empty);
    expect(moduleOf(key, [1, part], never)).toBe(module);
  });

  it.each([
    ["another part", [1, {}]],
    ["another number", [2]],
    ["one part more", [1, 2, 3]],
    ["one part less", []],
  ])("is made anew for %s, and kept in the place of the first", (_name, of) => {
    const key = {};
    const module = moduleOf(key, [1, 2], empty);
    const other = moduleOf(key, of, empty);
    expect(other).not.toBe(module);
    expect(moduleOf(key, of, never)).toBe(other);
    expect(moduleOf(key, [1, 2], empty)).not.toBe(module);
  });

  it("is another one for another key", () => {
    expect(moduleOf({}, [], empty)).not.toBe(moduleOf({}, [], empty));
  });
});
