import { describe, expect, test } from "vitest";
import { Watch } from "../../src/host/watch.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("what is expected of the console", () => {
  test("is found across two pieces", () => {
    const watch = new Watch(/hello, world/);
    watch.add(bytes("hello, w"));
    expect(watch.seen).toBe(false);
    watch.add(bytes("orld"));
    expect(watch.seen).toBe(true);
  });

  test("is found at the end of a line that ends with CR LF", () => {
    const watch = new Watch(/^done$/m);
    watch.add(bytes("first\r\ndone\r\nlast"));
    expect(watch.seen).toBe(true);
  });

  test("is not forgotten when much follows", () => {
    const watch = new Watch(/needle/);
    watch.add(bytes("needle"));
    for (let i = 0; i < 100; i++) watch.add(bytes("x".repeat(4096)));
    expect(watch.seen).toBe(true);
  });

  test("a character in two pieces is one character", () => {
    const watch = new Watch(/é!/);
    watch.add(Uint8Array.of(0xc3));
    watch.add(Uint8Array.of(0xa9, 0x21));
    expect(watch.seen).toBe(true);
  });
});

describe("the last lines", () => {
  test("are those before the end, and no more than asked for", () => {
    const watch = new Watch(undefined);
    watch.add(bytes("1\r\n2\r\n3\r\n4\r\n"));
    expect(watch.tail(2)).toBe("3\n4");
  });

  test("carry nothing that moves a cursor", () => {
    const watch = new Watch(undefined);
    watch.add(bytes("\x1b[2J\x1b[1;31mred\x1b[0m \x07bell"));
    expect(watch.tail()).toBe("red bell");
  });
});
