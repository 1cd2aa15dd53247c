import type { Form } from "../../ir/frontend.ts";
import { armsOf, type Block, type Node } from "../../ir/node.ts";
import { openBlock } from "../forms.ts";
import { oncePer } from "../once-per.ts";

/**
 * Whether all instructions of a form can be in a region, and only go on to the next one: most are so, whatever their operands, and their meaning need not be
 * built to find where they lead.
 */
export const isStraight = oncePer((form: Form) => isPlain(openBlock(form), { wrote: false, straight: true }));

/** Whether all instructions of a form can be in a region, wherever they jump. */
export const isForRegions = oncePer((form: Form) => isPlain(openBlock(form), { wrote: false, straight: false }));

/**
 * Whether nothing calls a helper, may fault behind a change of state, or touches state at a place that is not known; and, of what is to be straight, nothing leads elsewhere or keeps the
 * address behind the instruction.
 */
function isPlain({ nodes }: Block, past: { wrote: boolean; readonly straight: boolean }): boolean {
  return nodes.every((node) => {
    switch (node.op) {
      case "exit":
      case "call":
        return false;
      case "jump":
      case "next_pc":
        return !past.straight;
      case "load":
      case "load_rw":
      case "store":
      case "probe":
        return !past.wrote;
      case "get":
        return node.args.every(isKnown);
      case "set":
        past.wrote = true;
        return node.args.slice(1).every(isKnown);
      default:
        return armsOf(node).every((arm) => isPlain(arm, past));
    }
  });
}

/** Whether a value is of operands alone, so that a region has it as a constant. */
function isKnown({ op, args, yes }: Node): boolean {
  if (op === "field" || op === "const") return true;
  return (
    args.length > 0 && yes === undefined && op !== "load" && op !== "load_rw" && op !== "get" && args.every(isKnown)
  );
}
