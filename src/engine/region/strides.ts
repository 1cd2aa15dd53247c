import { armsOf, type Node } from "../../ir/node.ts";
import { targetOf } from "./instructions.ts";
import type { PlacedBlock } from "./plan.ts";

/*
 * A block that jumps back to itself and moves its addresses by the same amount each time touches one page many times before it comes to the next.
 */

/** Blocks of more instructions are not looked at: asking for their pages is the least that they do. */
const longest = 48;

/** By how many bytes a value grows each time its block jumps back to itself; undefined where that is not known. */
export type StrideOf = (value: Node) => number | undefined;

/** The strides of a block which jumps back to itself at one place and calls nothing; undefined for another. */
export function stridesOf({ offset, instructions, built }: PlacedBlock, cells: Cells): StrideOf | undefined {
  if (instructions.length > longest) return undefined;
  const { nodes } = built.block;
  const back = nodes.findIndex((node) => jumpsTo(node, offset).length > 0);
  const jumps = nodes.flatMap((node) => jumpsTo(node, offset));
  if (jumps.length !== 1 || nodes.some(calls)) return undefined;
  const last = built.writes.get(jumps[0] as Node);
  if (last === undefined) return undefined;
  const moved = new Map(last.cells.map((cell, k) => [cell, last.values[k] as Node]));
  const written = new Set<number>();
  for (const node of nodes.slice(0, back + 1)) writtenBy(node);
  const known = new Map<Node, number | undefined>();
  return strideOf;

  /** Cells that change in the middle. */
  function writtenBy(node: Node): void {
    if (node.op === "set") for (const cell of built.writes.get(node)?.cells ?? []) written.add(cell);
    for (const arm of armsOf(node)) arm.nodes.forEach(writtenBy);
  }

  function strideOf(value: Node): number | undefined {
    if (!known.has(value)) known.set(value, find(value));
    return known.get(value);
  }

  function find(value: Node): number | undefined {
    const [x, y] = value.args;
    switch (value.op) {
      case "const":
      case "pc":
        return 0;
      case "get":
        return cells.has(value.imm) && !built.pinned.has(value) && !written.has(value.imm)
          ? growth(value.imm)
          : undefined;
      case "add":
      case "sub": {
        const [by, from] = [strideOf(x as Node), strideOf(y as Node)];
        if (by === undefined || from === undefined) return undefined;
        return (value.op === "add" ? by + from : by - from) | 0;
      }
      case "shl": {
        const by = strideOf(x as Node);
        return by === undefined || y?.op !== "const" ? undefined : by << y.imm;
      }
      default:
        return undefined;
    }
  }

  /** What is added to a cell. */
  function growth(cell: number): number | undefined {
    const value = moved.get(cell);
    if (value === undefined) return 0;
    const [x, y] = value.args;
    if (value.op !== "add" && value.op !== "sub") return undefined;
    if (x?.op !== "get" || x.imm !== cell || y?.op !== "const") return undefined;
    return value.op === "add" ? y.imm : -y.imm | 0;
  }
}

type Cells = { has(cell: number): boolean };

function jumpsTo(node: Node, offset: number): Node[] {
  if (node.op === "jump" && targetOf(node) === offset) return [node];
  return armsOf(node).flatMap((arm) => arm.nodes.flatMap((inner) => jumpsTo(inner, offset)));
}

function calls(node: Node): boolean {
  return node.op === "call" || armsOf(node).some((arm) => arm.nodes.some(calls));
}
