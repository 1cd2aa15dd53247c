import { closeSync, openSync, writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { bin, start } from "../support/command.ts";

// An optional dependency: where it has no binary, there is no terminal to be had.
const library = await import("@lydell/node-pty").catch(() => undefined);

/** A shell in a terminal which runs the command and says how it ended and whether the terminal is as it was. */
function terminal(words: string) {
  if (library === undefined) throw new Error("no terminal");
  const script = `before=$(stty -g); "$0" "$1" ${words}; status=$?; [ "$(stty -g)" = "$before" ] && echo "restored $status"`;
  const shell = library.spawn("/bin/sh", ["-c", script, process.execPath, bin], {});
  let output = "";
  shell.onData((text) => {
    output += text;
  });
  const printed = async (pattern: RegExp) => {
    for (let i = 0; i < 600 && !pattern.test(output); i++) await delay(25);
    expect(output).toMatch(pattern);
  };
  return { type: (text: string) => shell.write(text), printed };
}

describe.skipIf(library === undefined)("--console pty", () => {
  test("gives the guest a terminal of its own, to which a person may connect later", async () => {
    const command = start(["boot", "pc", "--console", "pty"]);
    const path = await command.complained(/the console is at (\S+)\n/);
    await delay(1500);
    const far = openSync(path[1] as string, "r+");
    writeSync(far, "\x04");
    expect(await command.ended).toMatchObject({ status: 0, stdout: "" });
    closeSync(far);
  });
});

describe.skipIf(library === undefined)("a live terminal", () => {
  test("is the guest's until Ctrl-A x, and is then as it was", async () => {
    const { type, printed } = terminal("boot pc");
    await printed(/Ctrl-A x quits[\s\S]*barzero> $/);
    type("hel\x7flp\r");
    await printed(/poweroff[\s\S]*barzero> $/);
    type("\x01x");
    await printed(/restored 0/);
  });

  test("gives Ctrl-C to the guest", async () => {
    const { type, printed } = terminal("boot pc");
    await printed(/barzero> $/);
    type("\x03");
    await delay(200);
    type("mem\r");
    await printed(/free[\s\S]*barzero> $/);
    type("\x04");
    await printed(/restored 0/);
  });

  test("is the monitor's between one Ctrl-A c and the next", async () => {
    const { type, printed } = terminal("boot pc");
    await printed(/barzero> $/);
    type("\x01c");
    await printed(/\(barzero\) $/);
    type("stop\r");
    await printed(/stopped at 0x[0-9a-f]{8}[^\n]*\r\n\(barzero\) $/);
    type("info pci\r");
    await printed(/00:00\.0 8086:1237[\s\S]*\(barzero\) $/);
    type("cont\r\x01c");
    type("mem\r");
    await printed(/free[\s\S]*barzero> $/);
    type("\x01c");
    type("quit\r");
    await printed(/restored 0/);
  });

  test("is as it was when the guest ends by itself", async () => {
    const { printed } = terminal("boot pc --append selftest");
    await printed(/restored 0/);
  });
});
