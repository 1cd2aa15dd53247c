import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "package-"));
const installed = join(folder, "node_modules", "barzero");

/** The output of a command which has to succeed. */
function must(cwd: string, command: string, ...words: readonly string[]): string {
  const done = spawnSync(command, words, { cwd, encoding: "utf8", shell: process.platform === "win32" });
  expect(done.status, `${command} ${words.join(" ")}\n${done.stdout}\n${done.stderr}`).toBe(0);
  return done.stdout;
}

const guestTest = `
import { boot } from "barzero";
import { checkMachine } from "barzero/core";
import { expect, test } from "vitest";

test("a guest boots", async () => {
  await using vm = await boot({ memory: "64M", append: "selftest" });
  const plan = await vm.console.expect(/^1\\.\\.(\\d+)/m);
  expect(Number(plan[1])).toBeGreaterThanOrEqual(20);
  const status: number = await vm.exit;
  expect(status).toBe(0);
  expect(checkMachine).toBeTypeOf("function");
}, 100_000);
`;

beforeAll(() => {
  must(root, "npm", "pack", "--silent", "--pack-destination", folder);
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz")) as string;
  // The two packages which ours needs come from this tree, so that the test needs no network.
  const here = (name: string) => `file:${join(root, "node_modules", name)}`;
  const dependencies = { barzero: `file:${tarball}`, commander: here("commander"), zod: here("zod") };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module", dependencies }));
  const quiet = ["--offline", "--install-links", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"];
  must(folder, "npm", "install", "--silent", ...quiet);
  for (const name of ["vitest", "@types"])
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name), "junction");
  writeFileSync(join(folder, "guest.test.ts"), guestTest);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe("the package, installed in an empty folder", () => {
  test("carries JavaScript, declarations and the images, and no sources or tests", () => {
    for (const name of ["dist/src/host/bin.js", "dist/src/index.d.ts", "firmware/images/pc.bin", "guest/images/pc.elf"])
      expect(existsSync(join(installed, name)), name).toBe(true);
    for (const name of ["src", "test", "dist/test"]) expect(existsSync(join(installed, name)), name).toBe(false);
  });

  test("boots a guest from somebody else's vitest", () => {
    must(folder, process.execPath, join(root, "node_modules", "vitest", "vitest.mjs"), "run", "--root", folder);
  });

  test("has declarations which a strict compiler takes", () => {
    const options = [
      "--noEmit",
      "--strict",
      "--module",
      "nodenext",
      "--target",
      "es2024",
      "--lib",
      "es2024,esnext,dom",
    ];
    must(folder, process.execPath, join(root, "node_modules", "typescript", "bin", "tsc"), ...options, "guest.test.ts");
  });

  test("has its command", () => {
    expect(must(folder, join(folder, "node_modules", ".bin", "barzero"), "machines")).toMatch(/^pc /m);
  });
});
