import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

function said(script: string, ...words: readonly string[]): { readonly status: number | null; readonly text: string } {
  const path = fileURLToPath(new URL(`../../scripts/${script}.ts`, import.meta.url));
  const { status, stderr, stdout } = spawnSync(process.execPath, [path, ...words], { encoding: "utf8" });
  return { status, text: stderr + stdout };
}

describe("a script that does not understand what it is told", () => {
  it.each([
    ["fuzz", "--nonsense"],
    ["fuzz", "--runs", "many"],
    ["fuzz", "--device", "toaster"],
    ["campaign", "--nonsense"],
    ["decoder", "--nonsense"],
    ["decoder", "--cpu", "z80"],
    ["decoder", "many"],
  ] as const)("says so in one line, with status 2: %s %s", (script, ...words) => {
    const { status, text } = said(script, ...words);
    expect(text).toMatch(new RegExp(`^${script}: .*\\n$`));
    expect(status).toBe(2);
  });
});
