import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const file = new URL("../../src/host/translator/step-back.ts", import.meta.url).href;

/** A thread steps back by 7; its priority and that of the thread which started it. */
const script = `
import { readlinkSync } from "node:fs";
import { getPriority } from "node:os";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { stepBack } from ${JSON.stringify(file)};
const own = () => getPriority(Number(readlinkSync("/proc/thread-self").split("/").pop()));
if (isMainThread) {
  const before = own();
  const worker = new Worker(new URL(import.meta.url));
  worker.on("message", (there) => console.log(there - before, own() - before));
} else {
  stepBack(7);
  parentPort.postMessage(own());
}
`;

test.runIf(process.platform === "linux")(
  "a thread that steps back lets others go first, and takes none with it, however far back all of them are",
  () => {
    const address = `data:text/javascript,${encodeURIComponent(script)}`;
    const program = [process.execPath, "--input-type=module", "-e", `import ${JSON.stringify(address)}`];
    for (const by of ["0", "3"]) {
      const { stdout, stderr } = spawnSync("nice", ["-n", by, ...program], { encoding: "utf8" });
      expect(`${stdout}${stderr}`.trim(), by).toBe("7 0");
    }
  },
);
