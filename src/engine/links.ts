import type { Form } from "../ir/frontend.ts";
import { armsOf, type Block, type Node } from "../ir/node.ts";
import { openBlock } from "./forms.ts";
import { oncePer } from "./once-per.ts";
import { relative } from "./region/leads.ts";

/** The operand whose place in a record is `record.link`. */
const linkOperand = 7;

/** Whether an instruction that jumps always jumps to the same place, and leaves the operand where its link lies alone. */
export function hasOnePlace(block: Block): boolean {
  const jumps: Node[] = [];
  return leavesFree(block, jumps) && jumps.length === 1 && relative(jumps[0]?.args[0] as Node) !== undefined;
}

/** Whether the instructions of a form keep a link in their records. */
export const isLinked = oncePer((form: Form) => hasOnePlace(openBlock(form)));

function leavesFree({ nodes }: Block, jumps: Node[]): boolean {
  return nodes.every((node) => {
    if (node.op === "jump") jumps.push(node);
    return isFree(node) && armsOf(node).every((arm) => leavesFree(arm, jumps));
  });
}

function isFree({ op, imm, args }: Node): boolean {
  return (op !== "field" || imm !== linkOperand) && args.every(isFree);
}
