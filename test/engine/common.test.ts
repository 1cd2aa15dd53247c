import { describe, expect, it } from "vitest";
import { openBlock } from "../../src/engine/forms.ts";
import { standsAlone } from "../../src/engine/lower.ts";
import { decodingFront } from "../../src/host/translator/front.ts";
import { Decoded, type Form, type FrontEnd } from "../../src/ir/frontend.ts";
import { terminated } from "../../src/ir/node.ts";

const fronts: readonly FrontEnd[] = [
  decodingFront({ architecture: "x86", model: "pentium-m" }),
  decodingFront({ architecture: "e500", model: "e500mc" }),
];

describe.each(fronts.map((front) => ({ name: front.name, front })))("the common instructions of $name", ({ front }) => {
  const { mode, instructions, usual, sequences } = front.common ?? {
    mode: 0,
    instructions: [],
    usual: [],
    sequences: [],
  };
  const both = [...instructions, ...usual];
  const decoded = new Decoded();
  const form = (text: string): Form | undefined => {
    const bytes = Uint8Array.from({ length: 16 }, (_, k) => Number.parseInt(text.slice(2 * k, 2 * k + 2) || "0", 16));
    return front.decode(bytes, 16, 0, mode, decoded) ? decoded.form : undefined;
  };

  it("are some dozens, each whole and no more than one instruction", () => {
    expect(instructions.length).toBeGreaterThan(40);
    for (const text of both) {
      expect(form(text), text).toBeDefined();
      expect(decoded.length, text).toBe(text.length / 2);
    }
  });

  it("stand each for a form of its own", () => {
    const seen = new Map<string, string>();
    for (const text of both) {
      const name = form(text)?.name ?? "";
      expect(seen.get(name), `${text} is ${name}`).toBeUndefined();
      seen.set(name, text);
    }
  });

  it("make sequences, none but whose last always jumps", () => {
    expect(new Set(sequences).size).toBe(sequences.length);
    expect(sequences.length).toBeGreaterThan(50);
    for (const sequence of sequences) {
      const parts = sequence.split(" ");
      expect(parts.length).toBeGreaterThan(1);
      for (const [k, part] of parts.entries()) {
        expect(instructions, sequence).toContain(part);
        const one = form(part) as Form;
        if (k < parts.length - 1) expect(terminated(openBlock(one)), sequence).toBe(false);
      }
    }
  });

  it("call no helper, so that their handlers may stand inside the loop", () => {
    for (const text of instructions) {
      const one = form(text) as Form;
      expect(standsAlone(openBlock(one)), `${text} is ${one.name}`).toBe(true);
    }
  });
});
