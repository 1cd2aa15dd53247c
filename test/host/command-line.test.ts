import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { pc } from "../../machines/pc.ts";
import { Failure } from "../../src/host/failure.ts";
import { runProgram } from "../../src/host/program.ts";
import { run } from "../support/command.ts";

const folder = mkdtempSync(join(tmpdir(), "command-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, contents: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
}

/** What the command says of such words, and the status it then ends with. */
async function complaint(...words: readonly string[]): Promise<{ status: number; message: string }> {
  const error = await runProgram(words, "0.0.0").catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Failure);
  const { status, message } = error as Failure;
  expect(message).not.toMatch(/\n|\.ts:| at /);
  return { status, message };
}

test("an error is one line on standard error, with no stack in it, and nothing on standard output", async () => {
  const { status, stdout, stderr } = await run("boot", "--memroy", "64M");
  expect(stderr).toBe("barzero: unknown option --memroy; did you mean --memory?\n");
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
});

describe("a command line that makes no sense is one line and status 2", () => {
  test.each([
    [["boot", "--memroy", "64M"], "did you mean --memory?"],
    [["boot", "pcc"], "did you mean pc?"],
    [["bot"], "did you mean boot?"],
    [["boot", "pc", "extra"], "too many arguments"],
    [["boot", "--memory"], "argument missing"],
    [["boot", "--memory", "5"], "takes 8M to 2048M"],
    [["boot", "--memory", "lots"], "not a size"],
    [["boot", "--irq", "msx"], "did you mean msix?"],
    [["boot", "--ring", "pakced"], "did you mean packed?"],
    [["boot", "--console", "tty"], "not one of stdio, pty, none"],
    [["boot", "--expect", "("], "Invalid regular expression"],
    [["boot", "--timeout", "soon"], "not a number of seconds"],
    [["boot", "--seed", "x"], "not a whole number"],
    [["boot", "--drive", "a.img,readnly"], "did you mean readonly?"],
    [["boot", "--trace", "vritio"], "did you mean virtio?"],
    [["machines", "all"], "too many arguments"],
  ])("%j", async (words, why) => {
    const { status, message } = await complaint(...words);
    expect(message).toContain(why);
    expect(status).toBe(2);
  });
});

describe("a machine file", () => {
  test("with a wrong key is refused by the key's path and the nearest name, with status 2", async () => {
    const { status, message } = await complaint(
      "boot",
      file("key.json", JSON.stringify({ ...pc, memory: { ...pc.memory, sise: 1 } })),
    );
    expect(message).toMatch(/memory: unknown key "sise"; did you mean "size"\?/);
    expect(status).toBe(2);
  });

  test("that is no JSON is one line and status 2", async () => {
    const { status, message } = await complaint("boot", file("text.json", "not json"));
    expect(message).toContain("not JSON");
    expect(status).toBe(2);
  });

  test("that is missing is one line and status 1", async () => {
    const { status, message } = await complaint("boot", join(folder, "none.json"));
    expect(message).toContain("there is no such file");
    expect(status).toBe(1);
  });
});

describe("a file that cannot be had is one line and status 1", () => {
  test.each([
    ["--drive", "none.img", "cannot open drive"],
    ["--kernel", "none.elf", "cannot read the kernel"],
    ["--initrd", "none.cpio", "cannot read the initrd"],
    ["--module", "none.mod and its text", "cannot read the module"],
    ["--firmware", "none.bin", "cannot read the firmware"],
    ["--kernel", ".", "it is a directory"],
    ["--kernel", "/dev/zero", "larger than 512 MiB"],
    ["--trace-file", "no/such/folder/file", "cannot write the trace file"],
  ])("%s %s", async (option, name, why) => {
    const { status, message } = await complaint("boot", option, name);
    expect(message).toContain(why);
    expect(status).toBe(1);
  });
});

describe("what there is to know", () => {
  test("machines are a line each", async () => {
    const { status, stdout } = await run("machines");
    expect(stdout).toMatch(/^pc +\S.*\n/m);
    expect(status).toBe(0);
  });

  test("help names every verb, and a verb's help its options", async () => {
    expect((await run("--help")).stdout).toMatch(/boot[\s\S]*machines/);
    const { status, stdout } = await run("boot", "--help");
    for (const option of ["irq", "memory", "kernel", "append", "drive", "console", "expect", "timeout", "stats"])
      expect(stdout).toContain(`--${option}`);
    expect(status).toBe(0);
  });

  test("the version is the package's", async () => {
    expect((await run("--version")).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
