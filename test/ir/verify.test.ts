import { describe, expect, it } from "vitest";
import { ParseError, parse } from "../../src/ir/parse.ts";
import { verify } from "../../src/ir/verify.ts";

describe("the verifier", () => {
  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ["a value of another type", "v0: i64 = add 1, 2", /gives i32, not i64/],
    ["arguments of two types", "v0: i32 = add 1, 2L", /value 1 is i64, not i32/],
    ["too few arguments", "v0: i32 = add 1", /takes 2 values and has 1/],
    ["an operation that the type does not have", "v0: i32 = sext8 1L", /value 0 is i64/],
    ["code behind the end", "jump 1\nset.4 [256], 1", /behind the end/],
    [
      "code behind an if both of whose arms end",
      "if 1 {\n  jump 1\n} else {\n  exit stop()\n}\nset.4 [256], 1",
      /behind the end/,
    ],
    [
      "state written before an access that may fault",
      "set.4 [256], 1\nv0: i32 = load.4 16",
      /may fault and state was written/,
    ],
    ["a width that the type does not have", "v0: i32 = load.8 16", /8 bytes of i32/],
    ["an operand that a record does not have", "v0: i32 = field 8", /no operand 8/],
    ["a value from an arm used outside of it", "if 1 {\n  v0: i32 = pc\n}\nset.4 [256], v0", /not stand before it/],
  ];
  for (const [title, source, message] of wrong) {
    it(`finds ${title}`, () => expect(verify(parse(source)).join("; ")).toMatch(message));
  }

  it("lets state be written before an access on the way that does not come there", () => {
    expect(verify(parse("v0: i32 = field 0\nif v0 {\n  set.4 [256], 1\n  jump 5\n}\nv1: i32 = load.4 16"))).toEqual([]);
  });
});

describe("the parser", () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["v0: i32 = nonsense 1", /line 1: no operation nonsense/],
    ["v0: i32 = add v7, 1", /line 1: "v7" is neither/],
    ["v0: word = pc", /line 1: no type word/],
    ["if 1 {", /line 1: an arm that is not closed/],
    ["}", /line 1: "}" closes nothing/],
    ["\nv0: i32 = load.3 1", /line 2: no width 3/],
  ];
  for (const [source, message] of wrong) {
    it(`refuses ${JSON.stringify(source)}`, () => {
      expect(() => parse(source)).toThrow(ParseError);
      expect(() => parse(source)).toThrow(message);
    });
  }
});
