import { describe, expect, test } from "vitest";
import { type Command, EscapeKeys } from "../../src/host/escape.ts";

function type(...pieces: readonly string[]) {
  const keys = new EscapeKeys();
  const commands: Command[] = [];
  const rest = pieces.map((piece) =>
    new TextDecoder().decode(keys.filter(new TextEncoder().encode(piece), (command) => commands.push(command))),
  );
  return { rest: rest.join(""), commands };
}

describe("Ctrl-A", () => {
  test("x quits, and neither key reaches the guest", () =>
    expect(type("ab\x01xcd")).toEqual({ rest: "abcd", commands: ["quit"] }));
  test("c asks for the monitor and h for help", () =>
    expect(type("\x01c\x01h\x01?").commands).toEqual(["monitor", "help", "help"]));
  test("twice sends one", () => expect(type("\x01\x01")).toEqual({ rest: "\x01", commands: [] }));
  test("holds across two reads", () => expect(type("a\x01", "xb")).toEqual({ rest: "ab", commands: ["quit"] }));
  test("before another key is dropped with it", () => expect(type("a\x01zb")).toEqual({ rest: "ab", commands: [] }));
  test("leaves Ctrl-C and Ctrl-D to the guest", () => expect(type("\x03\x04").rest).toBe("\x03\x04"));
});
