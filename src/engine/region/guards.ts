import { mayBeOne } from "../../ir/bits.ts";
import type { Block, Node } from "../../ir/node.ts";

/*
 * What an instruction asks of its operands before it is done in a region: several conditions, each with a way out. Most hold by what is asked first, and the rest need not be computed.
 */

/** How often a value is used. */
type UsesOf = (node: Node) => number;

/** Whether it is 0 or 1. */
const isTruth = (node: Node) => node.type === "i32" && mayBeOne(node) === 1;

/** What has to hold for an `and` of truth values to hold. */
function conditionsOf(node: Node): Node[] {
  if (node.op !== "and" || node.type !== "i32" || !node.args.every(isTruth)) return [node];
  return node.args.flatMap(conditionsOf);
}

/** What an `or` of truth values holds by, any of them, if nobody else asks for it. */
export function alternativesOf(node: Node, usesOf: UsesOf): Node[] {
  if (node.op !== "or" || !node.args.every(isTruth) || usesOf(node) > 1) return [node];
  return node.args.flatMap((arg) => alternativesOf(arg, usesOf));
}

/** The conditions of an `if` which leaves unless all of several hold; none of another one. */
export function guarding({ args: [condition], yes, no }: Node, usesOf: UsesOf): Node[] {
  if (condition?.op !== "eqz" || no !== undefined || yes?.nodes.at(-1)?.op !== "exit") return [];
  const all = conditionsOf(condition.args[0] as Node);
  return all.length < 2 || usesOf(condition) > 1 ? [] : all;
}

/**
 * Conditions that hold if another one does, and else are computed (`choose(known, 1, ...)`), where a guard alone asks for them: their second arm need not be
 * gone into where the guard asks.
 */
export function deferredIn({ nodes }: Block, usesOf: UsesOf): Set<Node> {
  const deferred = new Set<Node>();
  let from = 0;
  for (const [k, node] of nodes.entries()) {
    if (node.op === "if")
      for (const one of guarding(node, usesOf)) {
        if (one.op !== "if" || usesOf(one) !== 1 || !isEither(one)) continue;
        if (nodes.indexOf(one, from) >= 0) deferred.add(one);
      }
    // What is computed may wait as long as nothing happens.
    if (!isIdle(node)) from = k + 1;
  }
  return deferred;
}

/** 1 in the first arm, and something computed in the second. */
function isEither({ yes, no }: Node): boolean {
  if (yes === undefined || no?.result === undefined || yes.nodes.length > 0) return false;
  return yes.result?.op === "const" && yes.result.imm === 1 && no.nodes.every(isIdle);
}

const happening: ReadonlySet<string> = new Set(["set", "load", "load_rw", "store", "probe", "call", "exit", "jump"]);

/** Whether a node computes something and no more. */
function isIdle({ op, yes, no }: Node): boolean {
  return !happening.has(op) && [yes, no].every((arm) => arm?.nodes.every(isIdle) !== false);
}
