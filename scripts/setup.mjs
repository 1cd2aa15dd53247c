// Installs the dependencies when node_modules does not match package-lock.json.
//
// Plain JavaScript, and nothing newer than Node 20: it runs on whatever node the host has, before the
// pinned one is there. A stamp of the lock file in node_modules says what was installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stamp = join(root, "node_modules", ".barzero-stamp");
const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  process.stderr.write("barzero: installing dependencies (npm ci)\n");
  const npm = process.env.npm_execpath;
  const arguments_ = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const done =
    npm && /\.[cm]?js$/.test(npm)
      ? spawnSync(process.execPath, [npm, ...arguments_], { cwd: root, stdio: ["ignore", 2, 2] })
      : spawnSync("npm", arguments_, { cwd: root, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  if (done.status !== 0) {
    process.stderr.write("barzero: npm ci failed; see above, then run the command again\n");
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}

// With install scripts switched off the pinned node is not linked, and the host's node runs instead.
if (Number(process.versions.node.split(".")[0]) < 24) {
  const pinned = join(root, "node_modules", ".bin", process.platform === "win32" ? "node.cmd" : "node");
  const version = existsSync(pinned) ? spawnSync(pinned, ["--version"], { encoding: "utf8" }).stdout : "";
  if (!version?.startsWith("v24.")) {
    process.stderr.write(
      `barzero: Node 24 or newer is needed and this is ${process.version}; ` +
        "run `npm ci` without --ignore-scripts, which brings its own, or install Node 24\n",
    );
    process.exit(1);
  }
}
