// What `npm test` runs: every step, even after one has failed, then a line for each and an exit status.
//
// With BARZERO_COUNTS=FILE the counts go to FILE as well, as "PASSED FAILED": a failed step that is not a suite counts as one.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const scratch = mkdtempSync(join(tmpdir(), "barzero-test-"));
const report = join(scratch, "vitest.json");
// The pinned node first, also when somebody calls this file without npm.
const environment = {
  ...process.env,
  PATH: `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH ?? ""}`,
};

const steps = [
  { name: "lint", command: ["biome", "check", "--error-on-warnings", "."] },
  { name: "types", command: ["tsc", "--noEmit"] },
  {
    name: "unit",
    command: ["vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
    suite: true,
  },
];

/** Counts of the suite, or undefined when it did not get as far as writing them. */
function counts() {
  try {
    const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(readFileSync(report, "utf8"));
    // A file that does not load fails as a suite and has no tests.
    return { passed: numPassedTests, failed: Math.max(numFailedTests, numFailedTestSuites > 0 ? 1 : 0) };
  } catch {
    return undefined;
  }
}

let passed = 0;
let failed = 0;
const summary = [];
for (const { name, command, suite } of steps) {
  const [program, ...rest] = command;
  process.stdout.write(`\n--- ${name}: ${program} ${rest[0] ?? ""}\n`);
  const begin = process.hrtime.bigint();
  const done = spawnSync(program, rest, {
    cwd: root,
    env: environment,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  const ok = done.status === 0;
  const counted = suite ? counts() : undefined;
  passed += counted?.passed ?? 0;
  // A suite may end badly with every test green (an unhandled error): that is a failure too.
  failed += Math.max(counted?.failed ?? 0, ok ? 0 : 1);
  const detail = counted ? `  ${counted.passed} passed, ${counted.failed} failed` : "";
  summary.push(`${ok ? "ok    " : "FAILED"}  ${name.padEnd(6)} ${seconds.toFixed(1).padStart(6)} s${detail}`);
}
rmSync(scratch, { recursive: true, force: true });

process.stdout.write(`\n${summary.join("\n")}\n`);
if (process.env.BARZERO_COUNTS) writeFileSync(process.env.BARZERO_COUNTS, `${passed} ${failed}\n`);
process.exit(failed === 0 ? 0 : 1);
