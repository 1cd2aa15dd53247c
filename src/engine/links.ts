import type { Form } from "../ir/frontend.ts";
import { armsOf, type Block, type Node } from "../ir/node.ts";
import { openBlock } from "./forms.ts";
import { operandOffset, record } from "./layout.ts";
import { oncePer } from "./once-per.ts";
import { leadsOf } from "./region/leads.ts";

/** Whether the instructions of a form keep a link in their records: each jumps to one place, always at the same distance, and has no operand where the link lies. */
export const isLinked = oncePer((form: Form) => {
  const leads = leadsOf(form);
  return leads?.places.length === 1 && !leads.dynamic && leavesFree(openBlock(form));
});

function leavesFree({ nodes }: Block): boolean {
  return nodes.every((node) => isFree(node) && armsOf(node).every(leavesFree));
}

function isFree({ op, imm, args }: Node): boolean {
  return (op !== "field" || operandOffset(imm) !== record.link) && args.every(isFree);
}
