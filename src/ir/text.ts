import type { Block, Node } from "./node.ts";

/** The words for a node: `words` are those of the text form, `name` gives those for a value that stands before it. */
export type Tell = (node: Node, words: string, name: (value: Node) => string) => string;

/**
 * The text form of a block, a node a line:
 *
 *     v0: i32 = field 6
 *     v1: i32 = get.4 [16]
 *     v2: i32 = add v0, v1
 *     set.4 [16 + v3], v2
 *     v4: i32 = if v2 {
 *       yield v1
 *     } else {
 *       yield 0
 *     }
 *     exit halt(v4)
 *
 * Constants are written where they are used: `5`, `-1`; of 64 bits `5L`. `parse.ts` reads it back.
 *
 * @param tell words a node otherwise than by the text it is given, for blocks whose nodes mean more than they say.
 */
export function print(block: Block, tell: Tell = (_node, words) => words): string {
  const names = new Map<Node, string>();
  const lines: string[] = [];
  printBlock(block, "", names, lines, tell);
  return `${lines.join("\n")}\n`;
}

function printBlock(block: Block, indent: string, names: Map<Node, string>, lines: string[], tell: Tell): void {
  for (const node of block.nodes) printNode(node, indent, names, lines, tell);
}

function printNode(node: Node, indent: string, names: Map<Node, string>, lines: string[], tell: Tell): void {
  const args = node.args.map((arg) => operand(arg, names));
  let head = indent;
  if (node.type !== undefined) {
    const name = `v${names.size}`;
    names.set(node, name);
    head += `${name}: ${node.type} = `;
  }
  if (node.op !== "if") {
    lines.push(head + tell(node, text(node, args), (value) => operand(value, names)));
    return;
  }
  lines.push(`${head}if ${args[0]} {`);
  for (const [k, arm] of [node.yes, node.no].entries()) {
    if (arm === undefined) continue;
    if (k === 1) lines.push(`${indent}} else {`);
    printBlock(arm, `${indent}  `, names, lines, tell);
    if (arm.result !== undefined && node.type !== undefined)
      lines.push(`${indent}  yield ${operand(arm.result, names)}`);
  }
  lines.push(`${indent}}`);
}

function text(node: Node, args: readonly string[]): string {
  const place = (base: string | undefined) => (base === undefined ? `[${node.imm}]` : `[${node.imm} + ${base}]`);
  switch (node.op) {
    case "field":
      return `field ${node.imm}`;
    case "get":
      return `get.${node.width} ${place(args[0])}`;
    case "set":
      return `set.${node.width} ${place(args[1])}, ${args[0]}`;
    case "load":
    case "load_rw":
    case "store":
    case "probe":
      return `${node.op}.${node.width} ${args.join(", ")}`;
    case "call":
    case "exit":
      return `${node.op} ${node.helper}(${args.join(", ")})`;
    default:
      return args.length === 0 ? node.op : `${node.op} ${args.join(", ")}`;
  }
}

function operand(node: Node, names: Map<Node, string>): string {
  if (node.op === "const") return node.type === "i64" ? `${node.long}L` : `${node.imm}`;
  // The start of a region's page stands in no block.
  return names.get(node) ?? (node.op === "pc" ? "page" : "?");
}
