import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The size of what serves one layout on one side. */
export interface Room {
  readonly layout: string;
  readonly files: readonly string[];
  /** Neither blank nor comment alone. */
  readonly lines: number;
  /** Counted by a compiler; undefined where it is not here. */
  readonly decisions: number | undefined;
}

export interface Sizes {
  readonly drivers: readonly Room[];
  readonly devices: readonly Room[];
  /** What counted the decisions of each side, with its version, or why nothing did. */
  readonly driverTool: string;
  readonly deviceTool: string;
}

const top = fileURLToPath(new URL("../../../", import.meta.url));
const layouts = ["legacy", "overlay", "modern"] as const;

/** Measures the sources beside this file. Undefined for an installed package, which has none. */
export function measureSizes(): Sizes | undefined {
  const source = join(top, "src/virtio/layout");
  if (!import.meta.url.endsWith(".ts") || !existsSync(source) || !existsSync(join(top, "guest/drivers")))
    return undefined;
  const c = readdirSync(join(top, "guest/drivers")).sort();
  const drivers = layouts.map((layout) => ({
    layout,
    files: c
      .filter((name) => name.startsWith(`virtio_pci_${layout}`) && name.endsWith(".c"))
      .map((name) => `guest/drivers/${name}`),
  }));
  const devices = layouts.map((layout) => ({
    layout,
    files: readdirSync(join(source, layout))
      .filter((name) => name.endsWith(".ts"))
      .sort()
      .map((name) => `src/virtio/layout/${layout}/${name}`),
  }));
  const branches = gcovBranches(drivers.flatMap(({ files }) => files));
  const jumps = conditionalJumps(devices.flatMap(({ files }) => files));
  const room = (
    { layout, files }: { layout: string; files: readonly string[] },
    counts: ReadonlyMap<string, number> | undefined,
  ) => ({
    layout,
    files,
    lines: files.reduce((sum, file) => sum + codeLines(readFileSync(join(top, file), "utf8")), 0),
    decisions: counts && files.reduce((sum, file) => sum + (counts.get(file) ?? 0), 0),
  });
  return {
    drivers: drivers.map((each) => room(each, branches.counts)),
    devices: devices.map((each) => room(each, jumps)),
    driverTool: branches.tool,
    deviceTool: jumps === undefined ? "not counted: this node prints no bytecode" : `V8 ${process.versions.v8}`,
  };
}

export function codeLines(text: string): number {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ""))
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.trim().startsWith("//")).length;
}

/**
 * Branches which gcc's coverage instrumentation finds (-fprofile-arcs -ftest-coverage, then gcov -b): two for an `if`, one for each way out
 * of a `switch`. Without optimisation, so that the compiler counts what is written.
 */
function gcovBranches(files: readonly string[]): {
  readonly counts?: ReadonlyMap<string, number>;
  readonly tool: string;
} {
  const gcc = ["i686-linux-gnu-gcc", "gcc"].find((name) => spawnSync(name, ["--version"]).status === 0);
  const gcov = ["i686-linux-gnu-gcov", "gcov"].find((name) => spawnSync(name, ["--version"]).status === 0);
  if (gcc === undefined || gcov === undefined) return { tool: "not counted: there is no gcc with gcov here" };
  const scratch = mkdtempSync(join(tmpdir(), "barzero-sizes-"));
  try {
    const counts = new Map<string, number>();
    for (const [i, file] of files.entries()) {
      const object = join(scratch, `${i}.o`);
      const flags = ["-m32", "-std=gnu11", "-O0", "-ffreestanding", "-fprofile-arcs", "-ftest-coverage"];
      const includes = ["-Iguest/include", "-Iguest/arch/x86", "-Iguest/arch/x86/include"];
      const made = spawnSync(gcc, [...flags, ...includes, "-c", file, "-o", object], { cwd: top, encoding: "utf8" });
      if (made.status !== 0) return { tool: `not counted: ${gcc} does not take ${file}` };
      const read = spawnSync(gcov, ["-b", "-t", object], { cwd: top, encoding: "utf8" });
      counts.set(file, branchesOf(read.stdout, file));
    }
    const version = spawnSync(gcc, ["-dumpfullversion"], { encoding: "utf8" }).stdout.trim();
    return { counts, tool: `gcc ${version} and gcov` };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The branches of one source in gcov's listing, which also holds inline functions of headers. */
function branchesOf(listing: string, file: string): number {
  let inside = false;
  let branches = 0;
  for (const line of listing.split("\n")) {
    const source = /^\s*-:\s+0:Source:(.*)$/.exec(line);
    if (source) inside = source[1] === file;
    else if (inside && /^branch\s/.test(line)) branches++;
  }
  return branches;
}

/** Conditional jumps in the bytecode which V8 compiles a module's functions to, all of them, run or not; undefined where it prints none. */
function conditionalJumps(files: readonly string[]): ReadonlyMap<string, number> | undefined {
  const scratch = mkdtempSync(join(tmpdir(), "barzero-sizes-"));
  try {
    const list = files.map((file) => join(top, file));
    const script = join(scratch, "compile.mjs");
    writeFileSync(script, compileAll);
    const flags = ["--no-warnings", "--experimental-vm-modules", "--no-lazy", "--print-bytecode"];
    const { stdout } = spawnSync(process.execPath, [...flags, script, ...list], {
      encoding: "utf8",
      maxBuffer: 2 ** 30,
      env: { ...process.env, NODE_COMPILE_CACHE: "", NODE_DISABLE_COMPILE_CACHE: "1" },
    });
    const pieces = (stdout ?? "").split(/^\[generated bytecode for function: barzero_mark_\d+ .*$/m).slice(1);
    if (pieces.length !== files.length + 1) return undefined;
    return new Map(files.map((file, i) => [file, (pieces[i]?.match(/ JumpIf\w+(\.\w+)? /g) ?? []).length]));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Takes the types from each module and compiles it, without running or linking it; a function of a known name before each. */
const compileAll = `
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { SourceTextModule, Script } from "node:vm";
const files = process.argv.slice(2);
for (const [i, file] of files.entries()) {
  new Script("function barzero_mark_" + i + "() {}");
  new SourceTextModule(stripTypeScriptTypes(readFileSync(file, "utf8")), { identifier: "m" + i });
}
new Script("function barzero_mark_" + files.length + "() {}");
`;
