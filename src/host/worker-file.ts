/** A worker's file beside a module: as source and as built. */
export function workerFile(beside: string): URL {
  return new URL(beside.endsWith(".ts") ? "./worker.ts" : "./worker.js", beside);
}
