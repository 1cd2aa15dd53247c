/** Where a bundle (scripts/bundle.mjs) has workers of its own, by the address of each one's file. */
declare const bundledWorkers: Readonly<Record<string, string>> | undefined;

/** A worker's file beside a module: as source, as built, or of a bundle. */
export function workerFile(beside: string): URL {
  const file = new URL(beside.endsWith(".ts") ? "./worker.ts" : "./worker.js", beside);
  return new URL((typeof bundledWorkers === "undefined" ? undefined : bundledWorkers[file.href]) ?? file);
}
