import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
let tree: string;

/** What a tree's command prints: a word of another module's, its own address, and whether it runs from a bundle. */
const bin = `
import { word } from "../word.ts";
const { stack = "" } = new Error();
console.log(word as string, import.meta.url, stack.includes(".cache"));
`;

function put(path: string, text: string): void {
  writeFileSync(join(tree, path), text);
}

function started(): string {
  const { stdout } = spawnSync(process.execPath, ["scripts/start.mjs"], { cwd: tree, encoding: "utf8" });
  return stdout.trim();
}

beforeEach(() => {
  tree = realpathSync(mkdtempSync(join(tmpdir(), "barzero-start-")));
  for (const folder of ["scripts", "src/host", "node_modules"]) mkdirSync(join(tree, folder), { recursive: true });
  for (const script of ["start.mjs", "bundle.mjs"])
    copyFileSync(join(root, "scripts", script), join(tree, "scripts", script));
  symlinkSync(realpathSync(join(root, "node_modules/esbuild")), join(tree, "node_modules/esbuild"));
  put("package.json", '{ "type": "module" }');
  put("src/host/bin.ts", bin);
  put("src/word.ts", 'export const word = "one";');
});

afterEach(() => {
  rmSync(tree, { recursive: true });
});

describe("npm start", () => {
  const address = () => pathToFileURL(join(tree, "src/host/bin.ts")).href;

  it("runs one file made of the sources, which know their addresses all the same", () => {
    expect(started()).toBe(`one ${address()} true`);
    expect(started()).toBe(`one ${address()} true`);
  });

  it("starts threads from a file of their own, made of their sources, and anew when one of those has changed", () => {
    mkdirSync(join(tree, "src/host/translator"));
    copyFileSync(join(root, "src/host/worker-file.ts"), join(tree, "src/host/worker-file.ts"));
    put(
      "src/host/translator/worker.ts",
      'import { word } from "../../word.ts"; console.log(word, new Error().stack?.includes(".cache"));',
    );
    put(
      "src/host/bin.ts",
      'import { workerFile } from "./worker-file.ts"; await import(workerFile(import.meta.url.replace("bin", "translator/thread")).href);',
    );
    expect(started()).toBe("one true");
    put("src/word.ts", 'export const word = "another";');
    expect(started()).toBe("another true");
    unlinkSync(join(tree, "node_modules/esbuild"));
    put("src/word.ts", 'export const word = "third";');
    expect(started()).toBe("third false");
  });

  it("runs what the sources say now", () => {
    started();
    put("src/word.ts", 'export const word = "another";');
    expect(started()).toBe(`another ${address()} true`);
  });

  it("runs the sources where no such file can be made", () => {
    unlinkSync(join(tree, "node_modules/esbuild"));
    expect(started()).toBe(`one ${address()} false`);
  });

  it("runs the sources where they are no program, so that node says why", () => {
    started();
    put("src/word.ts", "export const word = ;");
    expect(started()).toBe("");
  });
});
