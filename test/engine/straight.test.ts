import { describe, expect, it } from "vitest";
import { Facts, fact } from "../../src/engine/region/facts.ts";
import { instructionsFrom, lookInto } from "../../src/engine/region/instructions.ts";
import { builderFor } from "../../src/engine/region/region-builder.ts";
import { isStraight } from "../../src/engine/region/straight.ts";
import { decodingFront, type FrontName } from "../../src/host/translator/front.ts";
import { Decoded, Fields } from "../../src/ir/frontend.ts";
import type { Block } from "../../src/ir/node.ts";

/* Instructions of random bytes; only their numbers are drawn, so both sides see the same ones in each run. */

const rounds = 20_000;

const fronts: readonly (FrontName & { readonly mode: number })[] = [
  { architecture: "x86", model: "pentium-m", mode: 0x7 },
  { architecture: "e500", model: "", mode: 0x1 },
];

function leads({ nodes }: Block): boolean {
  return nodes.some(
    ({ op, yes, no }) => op === "jump" || op === "exit" || [yes, no].some((arm) => arm !== undefined && leads(arm)),
  );
}

function* drawn(): Generator<Uint8Array> {
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  };
  for (let k = 0; k < rounds; k++) yield Uint8Array.from({ length: 16 }, next);
}

describe.each(fronts)("an instruction of $architecture whose form is straight", ({ mode, ...name }) => {
  it("can be in a region, and leads nowhere but to the next one", () => {
    const front = decodingFront(name);
    const decoded = new Decoded();
    let all = 0;
    let straight = 0;
    for (const bytes of drawn()) {
      if (!front.decode(bytes, bytes.length, 0x1000, mode, decoded) || decoded.form === undefined) continue;
      all++;
      if (decoded.form.ends || !isStraight(decoded.form)) continue;
      straight++;
      const builder = builderFor(front);
      builder.begin(0);
      builder.instruction(0, decoded.length, decoded.operands);
      decoded.form.body(builder, new Fields(builder));
      expect(leads(builder.block), decoded.form.name).toBe(false);
      expect(builder.links.size).toBe(0);
    }
    expect(straight / all).toBeGreaterThan(0.4);
  });

  it("leads where its own meaning says, also where that is told by its form", () => {
    const front = decodingFront(name);
    const source = { front, pc: 0x1000, mode };
    const page = new Uint8Array(4096);
    const decoded = new Decoded();
    let jumping = 0;
    for (const bytes of drawn()) {
      if (!front.decode(bytes, bytes.length, 0x1100, mode, decoded) || decoded.form === undefined) continue;
      const { form, length, operands } = decoded;
      const one = { offset: 0x100, length, form, operands: operands.slice(), from: 0 };
      const facts = new Facts(front.alignment === 1 ? 0 : 2);
      const known = facts.learn(front, one);
      expect(known).not.toBe(0);
      expect(facts.at(0x100)).toBe(known);
      const meant = lookInto(front, one);
      if (typeof meant === "number") {
        expect(known & (fact.alien | fact.length), form.name).toBe(fact.alien | meant);
        continue;
      }
      const { targets, falls, dynamic, last, links, jumps } = meant;
      const is = (flag: number) => (known & flag) !== 0;
      expect(
        [is(fact.alien), known & fact.length, is(fact.falls), is(fact.last), is(fact.jumps), is(fact.links)],
        form.name,
      ).toEqual([false, length, falls, last, jumps, links]);
      expect(facts.targets(0x100), form.name).toEqual(targets);
      if (isStraight(form)) continue;
      page.set(bytes, 0x100);
      const [found] = instructionsFrom(source, page, 0x100, 1);
      expect(found, form.name).toMatchObject({ targets, falls, dynamic });
      if (jumps) jumping++;
    }
    expect(jumping).toBeGreaterThan(500);
  });
});
