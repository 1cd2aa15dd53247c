/**
 * `npm run bench`: Barzero, v86 and QEMU's TCG in turn on one guest, side by side. README.md beside this file has the options.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { barzero, fetchV86, type Guest, isInstalled, tcg, v86 } from "./emulators.ts";
import { groups, guestList } from "./groups.ts";
import { historyRow } from "./history.ts";
import type { Result } from "./marks.ts";
import { measure, type Run } from "./measure.ts";
import { baseline, Comparison, groupTable, testTable } from "./table.ts";

const usage = `npm run bench -- [--machine pc|ppce500] [--guest bench|linux] [--images DIR] [--only GROUP,...] [--runs N]
    [--emulators barzero,v86,tcg] [--cpu MODEL] [--divide N] [--v86 DIR] [--bios DIR] [--timeout S] [--keep DIR] [--json FILE] [-- BARZERO OPTIONS]`;

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      machine: { type: "string", default: "pc" },
      guest: { type: "string", default: "bench" },
      images: { type: "string" },
      only: { type: "string" },
      runs: { type: "string", default: "5" },
      emulators: { type: "string", default: "barzero,v86,tcg" },
      cpu: { type: "string", default: "p6-nx" },
      divide: { type: "string", default: "1" },
      v86: { type: "string" },
      bios: { type: "string", default: "/usr/share/seabios" },
      timeout: { type: "string", default: "900" },
      keep: { type: "string" },
      json: { type: "string" },
    },
  });
  const { machine, guest } = values;
  if (machine !== "pc" && machine !== "ppce500") throw new Error(`no machine ${machine}: there are pc and ppce500`);
  if (guest !== "bench" && guest !== "linux") throw new Error(`no guest ${guest}: there are bench and linux`);
  if (guest === "linux" && values.images === undefined) throw new Error("--guest linux wants --images DIR");
  const count = (name: "runs" | "divide" | "timeout"): number => {
    const n = Number(values[name]);
    if (!Number.isInteger(n) || n < 1) throw new Error(`--${name} takes a number from 1, not ${values[name]}`);
    return n;
  };
  const numbers = { runs: count("runs"), divide: count("divide"), timeout: count("timeout") };
  return { ...values, ...numbers, machine, guest, wanted: values.only?.split(",") ?? [], more: positionals } as const;
}

type Options = ReturnType<typeof options>;

/** The Linux guest is the folder of the shared images: DIR/pc/vmlinuz and so on. */
function guestOf({ machine, guest, images = "", wanted, divide }: Options): Guest {
  const list = guestList(guest, wanted.length === 0 ? Object.keys(groups) : wanted);
  if (guest === "bench") {
    const kernel = fileURLToPath(new URL(`images/bench-${machine}.elf`, import.meta.url));
    return { machine, kernel, initrd: undefined, append: `b=${list} divide=${divide}` };
  }
  const folder = resolve(images, machine);
  const kernel = join(folder, machine === "pc" ? "vmlinuz" : "vmlinux");
  const append = `console=ttyS0 ${machine === "pc" ? "mitigations=off " : ""}quiet b=${list}`;
  return { machine, kernel, initrd: join(folder, "initrd.cpio.gz"), append };
}

/** Commands by name; what cannot run here is left out, with a line that says why. */
function commands(set: Options, guest: Guest): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const name of set.emulators.split(",")) {
    if (name === "barzero") {
      const model = guest.machine === "pc" ? ["--cpu", set.cpu] : [];
      found.set(name, barzero(guest, [...model, ...set.more]));
    } else if (name === "tcg") {
      const command = tcg(guest);
      if (isInstalled(command[0] ?? "")) found.set(name, command);
      else console.log(`${command[0]} is not installed: no figures of QEMU`);
    } else if (name === "v86") {
      if (guest.machine === "pc") found.set(name, v86(guest, set.v86 ?? fetchV86(), set.bios));
    } else throw new Error(`no emulator ${name}: there are barzero, v86 and tcg`);
  }
  return found;
}

/** In the form of the shared runner's files, so that its table can be made of them too. */
function keep(folder: string, run: Run, number: number): void {
  const results = run.results.map(({ name, host, cpu, main, guest, checksum }: Result) => {
    const [host_us, cpu_us, main_us] = [host, cpu, main].map(Math.round);
    return { name, host_us, cpu_us, main_us, guest_us: guest, chk: checksum };
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, `${run.emulator}.${number}.json`),
    JSON.stringify({ emu: run.emulator, results }, null, 1),
  );
}

/** The commit, with a plus where the tree differs from it. */
function commit(): string {
  try {
    const git = (...args: readonly string[]) => execFileSync("git", args, { encoding: "utf8", stdio: "pipe" }).trim();
    return (
      git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "--untracked-files=no") === "" ? "" : "+")
    );
  } catch {
    return "";
  }
}

async function main(): Promise<number> {
  const set = options();
  const guest = guestOf(set);
  const runs: Run[] = [];
  const started = readFileSync("/proc/loadavg", "latin1").split(" ")[0] ?? "";
  for (let number = 1; number <= set.runs; number++)
    for (const [name, command] of commands(set, guest)) {
      process.stdout.write(`${name} ${number}/${set.runs}:`);
      const run = await measure(name, command, set.timeout, ({ name: test, main: us }) =>
        process.stdout.write(` ${test} ${(us / 1e6).toFixed(2)}`),
      );
      process.stdout.write("\n");
      if (run.failure) console.log(`  ${run.failure}`);
      if (set.keep !== undefined) keep(set.keep, run, number);
      runs.push(run);
    }

  const all = new Comparison(runs, set.wanted);
  const named = set.guest === "bench" && set.divide > 1 ? `bench/${set.divide}` : set.guest;
  const memory = all.emulators.map((e) => `${e} ${all.peak(e).toFixed(0)} MiB`).join(", ");
  console.log(`\nCPU time of the emulating thread, minimum, median and maximum\n\n${testTable(all, "main")}`);
  if (all.emulators.includes(baseline) && all.emulators.length > 1)
    console.log(`\nRatios of the medians: emulating thread, all threads, wall clock\n\n${groupTable(all)}`);
  console.log(`\nLargest resident set: ${memory}. Load at the start: ${started}.`);
  if (all.emulators.includes("barzero")) {
    const row = historyRow(all, { ...set, guest: named, load: started, commit: commit() });
    console.log(`\nFor HISTORY.md:\n\n${row}`);
  }
  if (set.json !== undefined)
    writeFileSync(set.json, JSON.stringify({ ...set, load: started, commit: commit(), results: runs }, null, 1));
  return runs.every(({ failure }) => failure === undefined) && all.tests().every((test) => all.agrees(test)) ? 0 : 1;
}

process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));
try {
  process.exitCode = await main();
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
  process.exitCode = 2;
}
