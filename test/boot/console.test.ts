import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { bin, run, start } from "../support/command.ts";

const prompt = /barzero> $/;

/** Seconds of processor time which a process has used (proc(5): fields 14 and 15, in hundredths). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

describe("the console through a pipe", () => {
  test("takes commands typed ahead, and powers off at the end of input", async () => {
    const command = start(["boot", "pc"]);
    command.type("help\nmem\n");
    command.end();
    const { status, stdout } = await command.ended;
    expect(stdout).toMatch(/barzero> help[\s\S]*poweroff[\s\S]*barzero> mem[\s\S]*pages/);
    expect(status).toBe(0);
  });

  test("answers one command at a time", async () => {
    const command = start(["boot", "pc"]);
    await command.printed(prompt);
    command.type("lspci\n");
    await command.printed(/8086:1237[\s\S]*barzero> $/i);
    command.type("poweroff\n");
    expect((await command.ended).status).toBe(0);
  });

  test("loses nothing of a long input", async () => {
    const command = start(["boot", "pc"]);
    for (let i = 0; i < 60; i++) command.type(`word${i}\n`);
    command.end();
    const { stdout, status } = await command.ended;
    for (let i = 0; i < 60; i++) expect(stdout).toContain(`word${i}: no such command`);
    expect(status).toBe(0);
  });

  test("costs nothing while the guest waits", async () => {
    const command = start(["boot", "pc"]);
    await command.printed(prompt);
    await delay(1500);
    const before = cpuSeconds(command.pid);
    await delay(1500);
    expect(cpuSeconds(command.pid) - before).toBeLessThan(0.3);
    command.end();
    expect((await command.ended).status).toBe(0);
  });

  test("nobody reads any more ends the command", async () => {
    const command = start(["boot", "pc"]);
    await command.printed(/barzero/);
    command.closeOutput();
    command.type("help\n");
    const { status, stderr } = await command.ended;
    expect(stderr).toMatch(/^barzero: standard output was closed by its reader$/m);
    expect(status).toBe(1);
  });
});

describe("without a terminal", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("%s ends the command with status %i", async (signal, status) => {
    const command = start(["boot", "pc"]);
    await command.printed(prompt);
    command.kill(signal);
    expect(await command.ended).toMatchObject({ status, stderr: "" });
  });

  test("/dev/null as input gives status 0, and the same figures each time", async () => {
    const runs = [await run("boot", "pc", "--stats"), await run("boot", "pc", "--stats")];
    for (const { status, stderr } of runs) {
      expect(status).toBe(0);
      expect(stderr).toMatch(/^instructions \d+$/m);
      expect(stderr).toMatch(/^ram-sha256 [0-9a-f]{64}$/m);
    }
    // What the host's clock says is another matter.
    const figures = runs.map(({ stderr }) => stderr.replaceAll(/^host-.*\n/gm, ""));
    expect(figures[0]).toEqual(figures[1]);
    expect(runs[0]?.stdout).toEqual(runs[1]?.stdout);
  });

  test("--stats tells what the run took of the host, on lines of their own", async () => {
    const { stderr } = await run("boot", "pc", "--stats", "--exec", "interp");
    const figure = (name: string) => Number(new RegExp(`^${name} ([0-9.]+)$`, "m").exec(stderr)?.[1]);
    expect(figure("host-run-seconds")).toBeGreaterThan(0);
    expect(figure("host-seconds")).toBeGreaterThanOrEqual(figure("host-run-seconds"));
    expect(figure("host-compile-seconds")).toBe(0);
    const mips = figure("instructions") / 1e6 / figure("host-run-seconds");
    expect(figure("host-run-mips") / mips).toBeCloseTo(1, 1);
  });
});

test("the command ends when the process that started it is gone", async () => {
  // A parent which goes away when its child has come to its prompt and prints no more. The child's input comes from
  // somebody else, who stays.
  const script = `
    const child = require("node:child_process").spawn(process.execPath, process.argv.slice(1), { stdio: ["inherit", "pipe", "inherit"] });
    child.stdout.on("data", (text) => String(text).endsWith("barzero> ") && process.exit(0));`;
  const typist = spawn("sleep", ["30"]);
  const parent = spawn(process.execPath, ["-e", script, bin, "boot", "pc"], {
    stdio: [typist.stdout, "pipe", "pipe"],
  });
  let stderr = "";
  parent.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  parent.stdout?.resume();
  // The pipes close when the last who holds them has ended, the child among them.
  await new Promise((resolve) => parent.on("close", resolve));
  typist.kill();
  expect(stderr).toContain("barzero: the process that started this one is gone");
});

describe("what is expected of a guest", () => {
  test("ends the command with status 0 when it is seen", async () => {
    const { status, stderr } = await run("boot", "pc", "--expect", "barzero>", "--timeout", "60");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  test("and does not come ends it with status 124 and the last lines", async () => {
    const { status, stderr } = await start(["boot", "pc", "--expect", "NEVER", "--timeout", "1.5"]).ended;
    expect(stderr).toMatch(/^barzero: --expect NEVER was not seen within 1.5 s; the last lines of the console:\n/);
    expect(status).toBe(124);
  });

  test("but cannot come any more ends it too", async () => {
    const { status, stderr } = await run("boot", "pc", "--append", "selftest", "--expect", "NEVER");
    expect(stderr).toContain("was not seen before the guest ended with status 0");
    expect(status).toBe(124);
  });
});

test("a firmware that finds nothing to boot is said to wait for ever", async () => {
  const { status, stderr } = await run("boot", "pc", "--kernel", "none");
  expect(stderr).toContain("nothing that could wake it");
  expect(status).toBe(1);
});

describe("a drive", () => {
  /** Boots on a blank disk of a MiB, has the guest write a sector, and gives what it said and what is on the disk then. */
  async function writeSector(options: string) {
    const folder = mkdtempSync(join(tmpdir(), "drive-"));
    const file = join(folder, "disk.img");
    writeFileSync(file, new Uint8Array(2 ** 20));
    const command = start(["boot", "pc", "--drive", `${file}${options}`]);
    await command.printed(prompt);
    command.type("blk write 7 0x11223344\n");
    command.end();
    const { stdout, status } = await command.ended;
    const sector = readFileSync(file).subarray(7 * 512, 8 * 512);
    rmSync(folder, { recursive: true });
    expect(status).toBe(0);
    return { said: stdout.slice(stdout.indexOf("blk write")), word: sector.readUInt32LE(0) };
  }

  test("keeps what the guest writes", async () => {
    expect((await writeSector("")).word).toBe(0x11223344);
  });

  test("as a snapshot forgets it", async () => {
    const { said, word } = await writeSector(",snapshot");
    expect(word).toBe(0);
    expect(said).not.toMatch(/IOERR/);
  });

  test("that is read-only refuses it, and the guest says so", async () => {
    const { said, word } = await writeSector(",readonly");
    expect(word).toBe(0);
    expect(said).toMatch(/IOERR/);
  });
});
