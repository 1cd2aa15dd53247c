// Makes dist/: JavaScript and declarations of src/ and machines/, in the same folders as their sources.
//
// Node strips types from its own files but refuses to do so inside node_modules, so the package carries JavaScript.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "dist");

rmSync(dist, { recursive: true, force: true });
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
const done = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
if (done.status !== 0) {
  process.stderr.write("barzero: the build failed; see above\n");
  process.exit(1);
}
chmodSync(join(dist, "src", "host", "bin.js"), 0o755);

for (const image of [
  "firmware/images/pc.bin",
  "firmware/images/e500.bin",
  "guest/images/pc.elf",
  "guest/images/ppce500.elf",
]) {
  if (existsSync(join(root, image))) continue;
  process.stderr.write(`barzero: ${image} is missing; \`npm run guests\` builds it\n`);
  process.exit(1);
}
