/**
 * `npm run bench:disk`: reads and writes of a Linux guest with O_DIRECT, Barzero beside QEMU's TCG, each with a virtio disk
 * over a raw file of its own. README.md beside this file has the options.
 */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { barzero, type Guest, isInstalled, tcg } from "./emulators.ts";
import type { Result } from "./marks.ts";
import { measure, type Run, type Typed } from "./measure.ts";
import { median } from "./table.ts";

/** What the guest does, and how much of what that is each time. */
const tests = [
  { name: "seqrd_vda", amount: 64, unit: "MiB/s", what: "reads of 256 KiB, one after the other" },
  { name: "rnd4k_vda", amount: 4000, unit: "/s", what: "reads of 4 KiB anywhere" },
  { name: "seqwr_vda", amount: 32, unit: "MiB/s", what: "writes of 256 KiB and an fsync" },
] as const;

/**
 * All three again and again at the shell of the guest, which its `b=sh` gives it: the first time takes some tenths of a second, in which a translator sees the code of a disk's way for the
 * first time, and a disk's throughput is what it does after that.
 */
function again(times: number): Typed {
  const bench = `DISK=/dev/vda SFX=_vda bench ${tests.map(({ name }) => name.replace("_vda", "")).join(" ")}`;
  return { prompt: "/ # ", line: `for i in $(seq ${times}); do ${bench}; done; exit` };
}

const imageBytes = 64 * 2 ** 20;

/** An image whose sectors differ, the same in every run (xorshift). */
function image(): Uint32Array {
  const words = new Uint32Array(imageBytes / 4);
  let x = 1;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[i] = x;
  }
  return words;
}

/** The guest of the shared images; on pc the initramfs which has the drivers of virtio. */
function guestOf(machine: string, images: string): Guest {
  if (machine !== "pc" && machine !== "ppce500") throw new Error(`no machine ${machine}: there are pc and ppce500`);
  const folder = resolve(images, machine);
  const [kernel, initrd, more] =
    machine === "pc"
      ? ["vmlinuz", "initrd-devices.cpio.gz", "mitigations=off cryptomgr.notests no_timer_check "]
      : ["vmlinux", "initrd.cpio.gz", ""];
  const append = `console=ttyS0 quiet ${more}b=disk,sh`;
  return { machine, kernel: join(folder, kernel), initrd: join(folder, initrd), append };
}

/**
 * Each with the host's time and its page cache: Barzero reads and writes the file as it is, QEMU with the default `cache=writeback`. Neither
 * waits for the host's disk but for the fsync.
 */
function commands(guest: Guest, drives: readonly [string, string], more: readonly string[]) {
  const [ours, theirs] = drives;
  const disk = ["-drive", `file=${theirs},format=raw,if=none,id=d0,cache=writeback`];
  return [
    ["barzero", barzero(guest, ["--clock", "host", "--drive", ours, ...more])],
    ["tcg", [...tcg(guest), ...disk, "-device", "virtio-blk-pci,drive=d0"]],
  ] as const;
}

/** The times a test was run, of `passes`: what of them, and from which on, to which. */
function spans(passes: number): readonly (readonly [what: string, from: number, to: number])[] {
  const last = [`time ${passes}`, passes - 1, passes] as const;
  return [["first time", 0, 1], ...(passes > 1 ? [last, ["all", 0, passes] as const] : [])];
}

/** Least, middle and most of each emulator by wall clock, their ratio, and the CPU time of the busiest thread and of all. */
function table(runs: readonly Run[], passes: number): string {
  const rows = tests.flatMap(({ name, amount, unit, what }) =>
    spans(passes).map(([which, from, to]) => {
      // Of each run the times that are asked for, as one.
      const of = (emulator: string) =>
        runs
          .filter((run) => run.emulator === emulator)
          .map(({ results }) => results.filter((result) => result.name === name).slice(from, to))
          .filter((results) => results.length === to - from);
      const sums = (emulator: string, metric: "host" | "main" | "cpu") =>
        of(emulator).map((results) => results.reduce((sum, result) => sum + result[metric], 0));
      const rates = (emulator: string) => sums(emulator, "host").map((host) => ((to - from) * amount * 1e6) / host);
      const spread = (values: readonly number[]) =>
        [Math.min(...values), median(values) ?? 0, Math.max(...values)].map((value) => value.toFixed(0)).join(" ");
      const seconds = (values: readonly number[]) => ((median(values) ?? 0) / 1e6).toFixed(2);
      const cpu = (emulator: string) => `${seconds(sums(emulator, "main"))} ${seconds(sums(emulator, "cpu"))}`;
      const ratio = (median(rates("barzero")) ?? 0) / (median(rates("tcg")) ?? 1);
      // What is read is what was written the time before.
      const checksums = runs.map(({ results }) => results.filter((r) => r.name === name).map((r) => r.checksum));
      const same = new Set(checksums.map((each) => each.slice(from, to).join(" "))).size <= 1;
      const cells = [`${what}, ${which}`, unit, spread(rates("barzero")), spread(rates("tcg")), ratio.toFixed(2)];
      return [...cells, cpu("barzero"), cpu("tcg"), same ? "ok" : "DIFF"];
    }),
  );
  const head = ["what", "", "barzero", "tcg", "barzero/tcg", "barzero CPU s", "tcg CPU s", "chk"];
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      machine: { type: "string", default: "pc" },
      images: { type: "string" },
      runs: { type: "string", default: "3" },
      passes: { type: "string", default: "5" },
      timeout: { type: "string", default: "300" },
    },
  });
  for (const name of ["runs", "passes", "timeout"] as const)
    if (!/^[1-9]\d*$/.test(values[name])) throw new Error(`--${name} takes a number from 1, not ${values[name]}`);
  if (values.images === undefined) throw new Error("--images DIR says where the Linux guests are");
  const passes = Number(values.passes);
  const guest = guestOf(values.machine, values.images);
  const folder = mkdtempSync(join(tmpdir(), "barzero-disk-"));
  const runs: Run[] = [];
  try {
    const [fresh, ours, theirs] = ["fresh", "barzero", "tcg"].map((name) => join(folder, `${name}.img`)) as [
      string,
      string,
      string,
    ];
    writeFileSync(fresh, image());
    for (let number = 1; number <= Number(values.runs); number++)
      for (const [name, command] of commands(guest, [ours, theirs], positionals)) {
        if (!isInstalled(command[0] ?? "") && name === "tcg") throw new Error(`${command[0]} is not installed`);
        // What the guest has written is no part of the next run.
        copyFileSync(fresh, name === "tcg" ? theirs : ours);
        process.stdout.write(`${name} ${number}/${values.runs}:`);
        const say = (result: Result) => process.stdout.write(` ${result.name} ${(result.host / 1e6).toFixed(2)}`);
        const run = await measure(name, command, Number(values.timeout), say, again(passes - 1));
        process.stdout.write("\n");
        if (run.failure) console.log(`  ${run.failure}`);
        runs.push(run);
      }
  } finally {
    rmSync(folder, { recursive: true });
  }
  console.log(`\nBy wall clock, least, middle and most of ${values.runs}\n\n${table(runs, passes)}`);
  return runs.every(({ failure }) => failure === undefined) ? 0 : 1;
}

process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));
try {
  process.exitCode = await main();
} catch (error) {
  console.error(
    `${error instanceof Error ? error.message : error}\nnpm run bench:disk -- --images DIR [--machine pc|ppce500] [--runs N] [--passes N] [--timeout S] [-- BARZERO OPTIONS]`,
  );
  process.exitCode = 2;
}
