import { describe, expect, test } from "vitest";
import { MonitorKeys } from "../../src/host/monitor-keys.ts";
import { Stopwatch } from "../../src/host/stopwatch.ts";

function keyboard() {
  const lines: string[] = [];
  const keys = new MonitorKeys((line) => {
    lines.push(line);
    return line === "" ? "" : `did ${line}\n`;
  });
  return { keys, lines, type: (text: string) => keys.type(new TextEncoder().encode(text)) };
}

describe("the monitor's line", () => {
  test("takes the keyboard with a prompt and gives it back", () => {
    const { keys } = keyboard();
    expect(keys.on).toBe(false);
    expect(keys.toggle()).toBe("\r\n(barzero) ");
    expect(keys.on).toBe(true);
    keys.toggle();
    expect(keys.on).toBe(false);
  });

  test("shows what is typed, and what it does, as a raw terminal wants it", () => {
    const { type, lines } = keyboard();
    expect(type("info pci")).toBe("info pci");
    expect(type("\r")).toBe("\r\ndid info pci\r\n(barzero) ");
    expect(lines).toEqual(["info pci"]);
  });

  test("takes a character back, and not more than there are", () => {
    const { type, lines } = keyboard();
    expect(type("ab\x7f\x08\x7f")).toBe("ab\b \b\b \b");
    type("c\r");
    expect(lines).toEqual(["c"]);
  });

  test("is dropped by Ctrl-C and Ctrl-U", () => {
    const { type, lines } = keyboard();
    type("quit\x03stop\x15help\r");
    expect(lines).toEqual(["help"]);
  });

  test("knows no arrows, and shows nothing for them", () => {
    const { type, lines } = keyboard();
    expect(type("a\x1b[Ab\x1bOBc\x1b[3~d")).toBe("abcd");
    type("\r");
    expect(lines).toEqual(["abcd"]);
  });

  test("has an end", () => {
    const { type, lines } = keyboard();
    type(`${"x".repeat(10_000)}\r`);
    expect(lines[0]).toHaveLength(256);
  });
});

describe("a stopwatch", () => {
  test("rests while it is stopped and goes on where it was", () => {
    let wall = 100;
    const watch = new Stopwatch(() => wall);
    expect(watch.now).toBe(100);
    watch.stop();
    wall = 1000;
    watch.stop();
    expect(watch.now).toBe(100);
    watch.start();
    expect(watch.now).toBe(100);
    wall = 1005;
    watch.start();
    expect(watch.now).toBe(105);
  });
});
