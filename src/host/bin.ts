#!/usr/bin/env node
import { readFileSync } from "node:fs";
import * as module from "node:module";
import type { Failure } from "./failure.ts";
import "./parent.ts";
import "./v8-flags.ts";

// Before anything of ours is loaded, so that a second start finds it compiled: it saves a fifth of a second.
// An older node has no such thing, and is told so below.
module.enableCompileCache?.();

const [major = 0] = process.versions.node.split(".").map(Number);
if (major < 24) {
  process.stderr.write(
    `barzero: Node 24 or newer is needed and this is ${process.version}; install it, or run \`npm ci\`\n`,
  );
  process.exit(1);
}

/** The package's own folder is two levels up from the source and three from the built file. */
function version(): string {
  for (const up of ["../../package.json", "../../../package.json"]) {
    try {
      return (JSON.parse(readFileSync(new URL(up, import.meta.url), "utf8")) as { version: string }).version;
    } catch {
      // Not there; the other one is.
    }
  }
  return "unknown";
}

try {
  const { runProgram } = await import("./program.ts");
  process.exit(await runProgram(process.argv.slice(2), version()));
} catch (error) {
  const { name, message, stack } = error as Error;
  const { status } = error as Failure;
  const known = ["Failure", "MachineError", "LoadError"].includes(name);
  const text = known
    ? message
    : `internal error, please report it: ${message} (${(stack ?? "").split("\n")[1]?.trim() ?? "no stack"})`;
  process.stderr.write(`barzero: ${text.replace(/\s*[\r\n]+\s*/g, " ")}\n`);
  process.exit(name === "Failure" ? status : 1);
}
