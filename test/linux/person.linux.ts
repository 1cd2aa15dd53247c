import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { started } from "../../scripts/started.ts";
import { find, initrdOf } from "./guests.ts";
import { prompt, quick } from "./linux.ts";

// An optional dependency: where it has no binary, there is no terminal to be had.
const library = await import("@lydell/node-pty").catch(() => undefined);
const all = process.env.BARZERO_LINUX === "all";

/** Seconds of processor which a process has used. */
function used(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  // utime and stime, in hundredths (proc(5)).
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;

describe.each(["ppce500", "pc"] as const)("a person at the shell of Linux on %s", (name) => {
  const wanted = process.platform === "linux" && library !== undefined && (name === "ppce500" || all);
  it.skipIf(!wanted || find(name) === undefined)(
    "sees a key within 50 ms, and leaves the processor alone while not typing: under 2 % of a core",
    async () => {
      const guest = find(name);
      if (guest === undefined || library === undefined) return;
      const folder = mkdtempSync(join(tmpdir(), "barzero-person-"));
      const initrd = join(folder, "initrd");
      writeFileSync(initrd, initrdOf(guest));
      // As `npm start` does it.
      const words = [
        ...started(),
        "boot",
        guest.machine,
        "--memory",
        "256M",
        "--kernel",
        guest.kernel,
        "--initrd",
        initrd,
      ];
      const shell = library.spawn(process.execPath, [...words, "--append", `console=ttyS0 quiet ${quick}`], {});
      let output = "";
      shell.onData((text) => {
        output += text;
      });
      try {
        for (let i = 0; i < 12_000 && !prompt.test(output); i++) await delay(50);
        expect(output).toMatch(prompt);

        // What the kernel still has to do in the background is done, and what its ticks run has been translated.
        await delay(8_000);
        const before = used(shell.pid);
        const begin = performance.now();
        await delay(10_000);
        const share = (used(shell.pid) - before) / ((performance.now() - begin) / 1000);

        const times: number[] = [];
        for (let i = 0; i < 25; i++) {
          await delay(150);
          const from = output.length;
          const pressed = performance.now();
          shell.write("x");
          while (!output.slice(from).includes("x") && performance.now() - pressed < 5000) await delay(1);
          times.push(performance.now() - pressed);
        }
        console.log(
          `${name}: ${(100 * share).toFixed(2)} % of a core at the prompt; a key is seen after ${median(times).toFixed(1)} ms (median), ${Math.max(...times).toFixed(1)} ms at most`,
        );
        expect(share).toBeLessThan(0.02);
        // The median, since this machine has others to serve too.
        expect(median(times)).toBeLessThan(50);
      } finally {
        shell.kill();
        rmSync(folder, { recursive: true });
      }
    },
  );
});
