// One file in place of three hundred, for a start, and others for its threads: node takes half a millisecond for each module that it loads.
//
// A bundle is made once and used while the times and sizes of what it was made of are the same. It is made by esbuild, which comes with tsx; where that cannot be had, or will not do it,
// there is none, and the sources are run.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { argv, execPath, pid } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Milliseconds. */
const day = 24 * 3600 * 1000;

const self = fileURLToPath(import.meta.url);

/** What threads are started with. */
const workers = ["translator", "matrix", "compare"].map((room) => `src/host/${room}/worker.ts`);

/** Where a tree's bundles are: several trees may share their dependencies. */
function folderOf(root) {
  return join(root, "node_modules", ".cache", `barzero${root.replace(/\W+/g, "-")}`.slice(0, 200));
}

function stamp(file) {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? "" : `${found.mtimeMs} ${found.size}`;
}

/** The entry of a tree's bundle, if there is one and it is of what is there now. */
function fresh(root) {
  try {
    const { of, entry, inputs } = JSON.parse(readFileSync(join(folderOf(root), "inputs.json"), "utf8"));
    for (const file in inputs) if (stamp(join(root, file)) !== inputs[file]) return undefined;
    return of === root && inputs[relative(root, self)] !== undefined ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** The file to load for an entry of a tree: a bundle's, or the source itself. */
export function bundled(root, source) {
  const found = fresh(root);
  if (found !== undefined || !possible(root)) return found ?? join(root, source);
  // By another process, so that nothing of it is left in this one.
  spawnSync(execPath, [self, root, source], { stdio: "ignore" });
  return fresh(root) ?? join(root, source);
}

function possible(root) {
  try {
    mkdirSync(folderOf(root), { recursive: true });
    return existsSync(join(root, "node_modules", "esbuild"));
  } catch {
    return false;
  }
}

/** Makes the bundle. Each module knows its own address still, since images and workers are found by it. */
async function make(root, source) {
  const folder = folderOf(root);
  const { build } = await import("esbuild");
  const addresses = {
    name: "addresses",
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const text = readFileSync(path, "utf8");
        const address = JSON.stringify(pathToFileURL(path).href);
        return { loader: "ts", contents: text.replaceAll("import.meta.url", address) };
      });
    },
  };
  // Before they are read: what is changed in between is seen then.
  const began = Date.now();
  const bundle = async (entryPoints, bundledWorkers) => {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints,
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: "node24",
      packages: "external",
      define: { bundledWorkers: JSON.stringify(bundledWorkers) },
      outdir: folder,
      outExtension: { ".js": ".mjs" },
      entryNames: "[name]-[hash]",
      chunkNames: "[name]-[hash]",
      metafile: true,
      plugins: [addresses],
      logLevel: "silent",
    });
    const outputs = Object.entries(metafile.outputs);
    const entries = outputs.filter(([, { entryPoint }]) => entryPoint !== undefined);
    return {
      // A definition is an input of that kind.
      inputs: Object.keys(metafile.inputs).filter((file) => !file.startsWith("<define:")),
      outputs: outputs.map(([file]) => join(root, file)),
      of: new Map(entries.map(([file, { entryPoint }]) => [entryPoint, join(root, file)])),
    };
  };
  const threads = await bundle(
    workers.filter((worker) => existsSync(join(root, worker))),
    {},
  );
  const address = (file) => pathToFileURL(file).href;
  const main = await bundle(
    [source],
    Object.fromEntries([...threads.of].map(([worker, file]) => [address(join(root, worker)), address(file)])),
  );
  const entry = main.of.get(source);
  if (entry === undefined) return;
  const inputs = {};
  for (const file of [...threads.inputs, ...main.inputs, relative(root, self)]) {
    if (statSync(join(root, file)).mtimeMs >= began) return;
    inputs[file] = stamp(join(root, file));
  }
  const made = [...threads.outputs, ...main.outputs];
  for (const path of readdirSync(folder).map((file) => join(folder, file))) {
    if (made.includes(path)) continue;
    // A machine that runs may still load a part of a bundle which is no more in use.
    if (began - statSync(path).mtimeMs > day) rmSync(path);
  }
  // In one step, since another start may look at it.
  const list = join(folder, `inputs-${pid}.json`);
  writeFileSync(list, JSON.stringify({ of: root, entry, inputs }));
  renameSync(list, join(folder, "inputs.json"));
}

if (resolve(argv[1] ?? "") === self)
  await make(resolve(argv[2] ?? dirname(dirname(self))), argv[3] ?? "src/host/bin.ts");
