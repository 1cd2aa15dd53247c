import { spawn, spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { start } from "../support/command.ts";
import { kernelPath, machineNames } from "./support.ts";

const gdb = ["gdb-multiarch", "gdb"].find((name) => {
  const asked = spawnSync(name, ["-nx", "-batch", "-ex", "set architecture powerpc:common"], { encoding: "utf8" });
  return asked.status === 0 && !asked.stderr.includes("Undefined item");
});
if (gdb === undefined) console.warn("there is no gdb for both architectures here: nothing is tried with a real one");

/** A machine which waits for gdb. Its guest waits at the prompt for good when standard input is a pipe. */
async function waiting(machine: string, input: "pipe" | "null") {
  const command = start(["boot", machine, "--gdb", "0"], input);
  const port = (await command.complained(/target remote 127\.0\.0\.1:(\d+)/))[1] as string;
  return { command, attach: [`file ${kernelPath(machine as "pc")}`, `target remote :${port}`] };
}

/** Runs gdb over a machine to the end of both. Gives what they said. */
async function session(machine: string, commands: readonly string[]) {
  const { command, attach } = await waiting(machine, "null");
  const text = await run(["set pagination off", "set confirm off", ...attach, ...commands]);
  return { text, ran: await command.ended };
}

function run(commands: readonly string[]): Promise<string> {
  const child = spawn(gdb as string, ["-nx", "-batch", ...commands.flatMap((command) => ["-ex", command])]);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (part) => (text += part));
  return new Promise((resolve) => child.on("close", () => resolve(text)));
}

const pcOf = { pc: "$eip", ppce500: "$pc" } as const;
const argument = { pc: "$esp", ppce500: "$r1" } as const;

describe.skipIf(gdb === undefined).each(machineNames)("a real gdb on %s", (name) => {
  test("breaks at a symbol, steps, looks, writes and goes on to the guest's end", { timeout: 60_000 }, async () => {
    const { text, ran } = await session(name, [
      "info registers",
      "break kernel_main",
      "continue",
      `printf "at %x\\n", ${pcOf[name]}`,
      "stepi",
      `printf "then %x\\n", ${pcOf[name]}`,
      "x/2i $pc",
      "info symbol $pc",
      "delete",
      "hbreak blk_read",
      "continue",
      "backtrace 1",
      `set $kept = *(int*)${argument[name]}`,
      `set var *(int*)${argument[name]} = 0x1234`,
      `printf "wrote %x\\n", *(int*)${argument[name]}`,
      `set var *(int*)${argument[name]} = $kept`,
      "monitor info virtio",
      "delete",
      "continue",
    ]);
    expect(text).toMatch(/Breakpoint 1, .*kernel_main/);
    const [, at, then] = /at ([0-9a-f]+)\n[\s\S]*then ([0-9a-f]+)\n/.exec(text) ?? [];
    const moved = Number.parseInt(then ?? "", 16) - Number.parseInt(at ?? "", 16);
    expect(moved).toBeGreaterThan(0);
    expect(moved).toBeLessThan(16);
    expect(text).toMatch(/kernel_main \+ \d+ in section \.text/);
    expect(text).toMatch(/Breakpoint 2, .*blk_read/);
    expect(text).toContain("wrote 1234");
    expect(text).toMatch(/blk0: status 0xf/);
    // The end of input powers the guest off.
    expect(text).toContain("exited normally");
    expect(ran.status).toBe(0);
    expect(ran.stdout).toContain("barzero> ");
  });

  test("watches a variable and finds it changed", { timeout: 60_000 }, async () => {
    const { text } = await session(name, [
      "break kernel_main",
      "continue",
      "watch *(int*)&virtio_count",
      "continue",
      "delete",
      "rwatch *(int*)&virtio_count",
      "continue",
      "delete",
      "awatch *(int*)&virtio_count",
      "continue",
      "kill",
    ]);
    expect(text).toMatch(/Hardware watchpoint 2[\s\S]*Old value = 0\s+New value = 1/);
    expect(text).toMatch(/Hardware read watchpoint 3: [^\n]*\s+Value = 1/);
    expect(text).toMatch(/Hardware access \(read\/write\) watchpoint 4: [^\n]*\s+(Value|Old value) = \d/);
  });

  test("detaches, and finds the machine still there when it comes again", { timeout: 60_000 }, async () => {
    const { command, attach } = await waiting(name, "pipe");
    const first = await run([...attach, "break kernel_main", "continue", "break blk_read", "detach"]);
    expect(first).toMatch(/Breakpoint 1, .*kernel_main[\s\S]*detached/);
    // The tour reads the disk; nothing holds it there any more.
    await command.printed(/barzero> /);
    const second = await run([...attach, "info symbol $pc", "set confirm off", "kill"]);
    expect(second).toMatch(/ in section \.text/);
    expect((await command.ended).status).toBe(0);
  });

  test("resets the machine it is attached to, and meets its breakpoint again", { timeout: 60_000 }, async () => {
    const { text, ran } = await session(name, [
      "break kernel_main",
      "continue",
      "monitor reset",
      "maint flush register-cache",
      `printf "reset %x\\n", $pc`,
      "continue",
      "kill",
    ]);
    expect(text).toContain(name === "pc" ? "reset fff0" : "reset fffffffc");
    expect(text.match(/Breakpoint 1, .*kernel_main/g)).toHaveLength(2);
    expect(ran.status).toBe(0);
  });

  test("interrupts a guest that runs", { timeout: 60_000 }, async () => {
    const { command, attach } = await waiting(name, "pipe");
    const commands = ["set confirm off", ...attach, "continue"].flatMap((line) => ["-ex", line]);
    const child = spawn(gdb as string, ["-nx", "-q", ...commands]);
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (part) => (text += part));
    await command.printed(/barzero> /);
    child.kill("SIGINT");
    for (let tries = 0; tries < 400 && !text.includes("SIGINT"); tries++)
      await new Promise((resolve) => setTimeout(resolve, 25));
    expect(text).toContain("Program received signal SIGINT");
    child.stdin.end("kill\nquit\n");
    expect((await command.ended).status).toBe(0);
  });
});
