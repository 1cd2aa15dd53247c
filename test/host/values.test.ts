import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDrive } from "../../src/host/drive-option.ts";
import { Failure } from "../../src/host/failure.ts";
import { nearest } from "../../src/host/nearest.ts";
import { parseChoice, parseInteger, parseRegex, parseSeconds, parseSize } from "../../src/host/values.ts";

describe("sizes", () => {
  test.each([
    ["4096", 4096],
    ["512K", 524_288],
    ["256M", 268_435_456],
    ["1g", 1_073_741_824],
    ["64MiB", 67_108_864],
  ])("%s is %i bytes", (text, bytes) => expect(parseSize(text, "--memory")).toBe(bytes));

  test.each(["", "M", "-1", "1.5G", "64 M", "64X", "1e9"])("%j is refused as usage", (text) => {
    expect(() => parseSize(text, "--memory")).toThrow(expect.objectContaining({ status: 2 }));
  });
});

describe("numbers and words", () => {
  test("a seed may be decimal or hexadecimal", () => {
    expect(parseInteger("42", "--seed", 0, 100)).toBe(42);
    expect(parseInteger("0x2a", "--seed", 0, 100)).toBe(42);
  });

  test.each(["-1", "101", "4.5", "", "ten"])("%j is not a whole number from 0 to 100", (text) => {
    expect(() => parseInteger(text, "--seed", 0, 100)).toThrow(Failure);
  });

  test("seconds may have a fraction, and there are some", () => {
    expect(parseSeconds("0.5", "--timeout")).toBe(0.5);
    expect(() => parseSeconds("0", "--timeout")).toThrow(Failure);
    expect(() => parseSeconds("1e99", "--timeout")).toThrow(Failure);
  });

  test("a mistyped word is answered with the nearest one", () => {
    expect(() => parseChoice("mssix", "--irq", ["intx", "msix"])).toThrow("did you mean msix?");
  });

  test("a bad regular expression is one line of usage", () => {
    expect(() => parseRegex("(", "--expect")).toThrow(/^--expect \(: .*$/);
  });

  test("^ and $ stand at line ends", () => expect(parseRegex("^ok$", "--expect").test("a\nok\nb")).toBe(true));
});

describe("drives", () => {
  test("a file alone is raw, writable and kept", () => {
    expect(parseDrive("a.img")).toEqual({ file: "a.img", format: "raw", readonly: false, snapshot: false });
  });

  test("options follow in any order", () => {
    const wanted = { file: "dir/a.img", format: "raw", readonly: true, snapshot: true };
    expect(parseDrive("dir/a.img,snapshot,format=raw,readonly=on")).toEqual(wanted);
  });

  test("two commas are one in the file's name", () => expect(parseDrive("a,,b.img,readonly").file).toBe("a,b.img"));

  test.each([
    ["a.img,format=qcow2", "only raw is"],
    ["a.img,readnly", "did you mean readonly?"],
    ["a.img,readonly=maybe", "neither on nor off"],
    [",readonly", "no file name"],
  ])("%s is refused: %s", (text, why) => expect(() => parseDrive(text)).toThrow(why));

  test("whatever is written, the answer is a drive or one line", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(parseDrive(text).file).not.toBe("");
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
    );
  });
});

describe("the nearest name", () => {
  test("takes a swap, a missing and a doubled letter for one mistake", () => {
    const known = ["--memory", "--kernel", "--append"];
    expect(nearest("--memroy", known)).toBe("--memory");
    expect(nearest("--kernl", known)).toBe("--kernel");
    expect(nearest("--apppend", known)).toBe("--append");
  });

  test("is none when nothing is near", () => expect(nearest("xyz", ["--memory", "--kernel"])).toBeUndefined());
});
