// `npm run test:linux`: Linux guests on both machines. It says which images it found and what it skips without the others.
//
//   npm run test:linux              what .ci/run wants: a few minutes
//   npm run test:linux -- all       every variant of kernel, command line and layout
// With BARZERO_COUNTS=FILE the counts go to FILE, as "PASSED FAILED".
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const scratch = mkdtempSync(join(tmpdir(), "barzero-linux-"));
const report = join(scratch, "vitest.json");
const words = process.argv.slice(2);
const environment = {
  ...process.env,
  PATH: `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH ?? ""}`,
  BARZERO_LINUX: words.includes("all") ? "all" : "",
};

const found = spawnSync("node", [join(root, "test/linux/found.ts")], { cwd: root, env: environment, encoding: "utf8" });
process.stdout.write(found.stdout);
process.stderr.write(found.stderr);

const filters = words.filter((word) => word !== "all");
const options = ["--config", "vitest.linux.config.ts", "--reporter=verbose", "--reporter=json"];
const done = spawnSync("vitest", ["run", ...options, `--outputFile.json=${report}`, ...filters], {
  cwd: root,
  env: environment,
  stdio: ["ignore", "inherit", "inherit"],
});

let passed = 0;
let failed = done.status === 0 ? 0 : 1;
let skipped = [];
try {
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
  passed = numPassedTests;
  failed = Math.max(failed, numFailedTests);
  skipped = testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status !== "passed" && status !== "failed").map(({ fullName }) => fullName),
  );
} catch {
  failed = Math.max(failed, 1);
}
rmSync(scratch, { recursive: true, force: true });
for (const name of skipped) process.stdout.write(`skipped: ${name}\n`);
process.stdout.write(`linux: ${passed} passed, ${failed} failed, ${skipped.length} skipped\n`);
if (process.env.BARZERO_COUNTS) writeFileSync(process.env.BARZERO_COUNTS, `${passed} ${failed}\n`);
process.exit(failed === 0 ? 0 : 1);
