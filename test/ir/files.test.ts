import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Status } from "../../src/ir/node.ts";
import { parse } from "../../src/ir/parse.ts";
import { print } from "../../src/ir/text.ts";
import { verify } from "../../src/ir/verify.ts";
import { type Outcome, onEvaluator, onInterpreter, onRegion, type Run } from "../support/ir-machine.ts";

const folder = join(import.meta.dirname, "files");
const executors = { evaluator: onEvaluator, interpreter: onInterpreter, region: onRegion };

/** `k=v` an operand, `[at]=v` a word of state, `m[at]=v` a word of memory; behind the arrow also `fault`, `jump=at`, `calls=...`. */
function words(text: string, prefix: string): Map<number, number> {
  const found = text.matchAll(new RegExp(`(?<![\\w])${prefix}\\[(\\w+)\\]=(-?\\w+)`, "g"));
  return new Map([...found].map(([, at, value]) => [Number(at), Number(value) | 0]));
}

function setup(text: string): Run {
  const operands = Array.from({ length: 8 }, () => 0);
  for (const [, k, value] of text.matchAll(/(?<=^|\s)(\d)=(-?\w+)/g)) operands[Number(k)] = Number(value) | 0;
  return { operands, state: words(text, ""), memory: words(text, "m") };
}

function check(outcome: Outcome, text: string): void {
  const jump = /jump=(\w+)/.exec(text);
  const calls = /calls=(\S+)/.exec(text);
  expect(outcome.status).toBe(/\bfault\b/.test(text) ? Status.fault : jump ? Status.jump : Status.next);
  if (jump) expect(outcome.pc).toBe(Number(jump[1]));
  if (calls) expect(outcome.calls.join("")).toBe(calls[1]);
  for (const [at, value] of words(text, "")) expect([at, outcome.state.getInt32(at, true)]).toEqual([at, value]);
  for (const [at, value] of words(text, "m")) expect([at, outcome.memory.getInt32(at, true)]).toEqual([at, value]);
}

for (const file of readdirSync(folder)) {
  const source = readFileSync(join(folder, file), "utf8");
  const runs = [...source.matchAll(/^; run (.*) -> (.*)$/gm)];
  describe(file, () => {
    it("is well formed, and its text form reads back as itself", () => {
      const block = parse(source);
      expect(verify(block)).toEqual([]);
      expect(print(parse(print(block)))).toBe(print(block));
      expect(runs.length).toBeGreaterThan(0);
    });
    for (const [name, executor] of Object.entries(executors)) {
      for (const [, before, after] of runs) {
        it(`on the ${name}: ${before} -> ${after}`, () => {
          check(executor(parse(source), setup(before as string)), after as string);
        });
      }
    }
  });
}
