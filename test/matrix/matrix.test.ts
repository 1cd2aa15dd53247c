import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pc } from "../../machines/pc.ts";
import { judge } from "../../src/host/matrix/cells.ts";
import { layouts } from "../../src/host/matrix/plan.ts";
import { runRow } from "../../src/host/matrix/run-row.ts";
import { run } from "../support/command.ts";

/** How the command ends when every cell is ok. Asked first: one that was ended may have said a part of its lines. */
const well = { status: 0, signal: null, stderr: "", bad: [] };

const notOk = (lines: readonly string[]) => lines.filter((line) => line.startsWith("not ok"));

describe("barzero matrix", () => {
  it("finds every cell of the machines ok, a line of TAP each", async () => {
    const { stdout, ...ended } = await run("matrix", "--tap");
    const lines = stdout.trimEnd().split("\n");
    expect({ ...ended, bad: notOk(lines) }).toEqual(well);
    expect(lines[1]).toBe(`1..${lines.length - 2}`);
    expect(lines.length - 2).toBe(960);
    expect(new Set(lines.slice(2).map((line) => line.split(" ").slice(3, 8).join(" "))).size).toBe(lines.length - 2);
    const figures = "messages=\\d+ interrupts=[1-9]\\d* setup-accesses=[1-9]\\d*";
    for (const [i, line] of lines.slice(2).entries())
      expect(line).toMatch(
        new RegExp(
          `^ok ${i + 1} - [\\w-]+ [\\w-]+ (split|packed) (intx|msix|msix-shared) (blk|console|rng|net) (${figures}|# SKIP .+)$`,
        ),
      );
    const skipped = lines
      .filter((line) => / split (intx|msix)\S* \w+ # SKIP/.test(line))
      .map((line) => line.split(" ").slice(3, 5).join(" "));
    expect([...new Set(skipped)]).toEqual([
      "pc-ports overlay-bar1",
      ...["legacy", "overlay-bar0", "overlay-as-legacy", "transitional-as-legacy"].map((name) => `pc-memory ${name}`),
      ...["legacy", "overlay-bar0", "overlay-as-legacy", "transitional-as-legacy"].map(
        (name) => `ppce500-noio ${name}`,
      ),
    ]);
  }, 300_000);

  it("finds every device ok with rings in order and notification data, where the modern driver is asked to take them", async () => {
    const { stdout, ...ended } = await run("matrix", "pc", "ppce500", "--tap", "--with", "in-order,notification-data");
    const lines = stdout.trimEnd().split("\n").slice(2);
    expect({ ...ended, bad: notOk(lines) }).toEqual(well);
    const made = lines.filter((line) => !line.includes("# SKIP"));
    // Two machines, three layouts which the modern driver drives, two formats, three modes, four devices.
    expect(made).toHaveLength(2 * 3 * 2 * 3 * 4);
    for (const line of made)
      expect(line).toMatch(/^ok \d+ - \S+ \S+ (split|packed)\+in-order\+notification-data \S+ \w+ messages=/);
    const wrong = await run("matrix", "--with", "in-odor");
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringMatching(/^barzero: --with in-odor: .*in-order/)]);
  }, 120_000);

  it("gives a row whose machine cannot be made four cells which say why", async () => {
    const layout = layouts[0] as (typeof layouts)[number];
    const cells = judge(await runRow({ machine: "nowhere.json", layout, ring: "split", irq: "msix" }));
    expect(cells.map((cell) => cell.ok)).toEqual([false, false, false, false]);
    expect(cells[2]?.why).toMatch(/nowhere\.json: there is no such file/);
  });

  it("ends with status 1 when a cell is not ok, and says what was wrong with it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "barzero-matrix-"));
    const file = join(folder, "mistaken.json");
    // A machine which is given the other one's kernel.
    writeFileSync(file, JSON.stringify({ ...pc, kernel: "ppce500.elf" }));
    const { status, stdout } = await run("matrix", file, "--shard", "1/8");
    rmSync(folder, { recursive: true });
    expect(stdout).toMatch(
      /BAD 0\/0\/0 +BAD 0\/0\/0 +BAD 0\/0\/0 +BAD 0\/0\/0\n +blk: the kernel is an ELF file for another processor/,
    );
    expect(stdout).toMatch(/^0 of 24 cells are ok, 8 are impossible$/m);
    expect(status).toBe(1);
  });

  it("does every n-th boot alone, when asked for a part", async () => {
    const { status, stdout } = await run("matrix", "ppce500-noio", "--tap", "--shard", "5/8");
    expect(stdout.split("\n").filter((line) => line.startsWith("ok "))).toHaveLength(24);
    expect(stdout).toMatch(/^1\.\.24$/m);
    expect(status).toBe(0);
    for (const shard of ["0/4", "5/4", "1", "a/b"]) {
      const wrong = await run("matrix", "--shard", shard);
      expect(wrong.stderr).toMatch(/^barzero: --shard .*1\/4\n$/);
      expect(wrong.status).toBe(2);
    }
  });

  it("says which machine is not there, with status 2", async () => {
    const { status, stderr } = await run("matrix", "ppc500");
    expect(stderr).toMatch(/^barzero: no machine ppc500; .*\n$/);
    expect(status).toBe(2);
  });
});
