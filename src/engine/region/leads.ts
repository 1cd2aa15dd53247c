import type { Form } from "../../ir/frontend.ts";
import { armsOf, type Block, type Node, terminated } from "../../ir/node.ts";
import { openBlock } from "../forms.ts";
import { oncePer } from "../once-per.ts";

/** A place at a distance from an instruction, or from the one behind it, that stands in one of its operands. */
export interface Relative {
  readonly behind: boolean;
  readonly field: number;
}

/** Where the instructions of a form lead, whatever their operands. */
export interface Leads {
  readonly places: readonly Relative[];
  /** They go where a register or memory says. */
  readonly dynamic: boolean;
  readonly falls: boolean;
  /** Whether they keep the address of the one behind them. */
  readonly links: boolean;
}

/** What is told by the form alone of instructions that may jump; undefined where it takes a look at each. */
export const leadsOf = oncePer((form: Form): Leads | undefined => {
  const block = openBlock(form);
  const found = { places: [] as Relative[], dynamic: false, falls: !terminated(block) };
  return follow(block, found) ? { ...found, links: keeps(block, ({ op }) => op === "next_pc") } : undefined;
});

/** Whether such a value is stored in memory or in a word of state. */
export function keeps(block: Block, isLink: (value: Node) => boolean): boolean {
  return block.nodes.some((node) => {
    const kept = node.op === "store" || node.op === "jump" ? node.args.slice(1) : node.op === "set" ? node.args : [];
    return kept.some(isLink) || armsOf(node).some((arm) => keeps(arm, isLink));
  });
}

/** False where something depends on operands alone, or a helper is called, of which a region may make an end. */
function follow({ nodes }: Block, found: { readonly places: Relative[]; dynamic: boolean }): boolean {
  return nodes.every((node) => {
    const [first] = node.args;
    switch (node.op) {
      case "call":
      case "exit":
        return false;
      case "if":
        return (
          dependsOnState(first as Node) && [node.yes, node.no].every((arm) => arm === undefined || follow(arm, found))
        );
      case "jump": {
        const place = relative(first as Node);
        if (place !== undefined) found.places.push(place);
        else if (dependsOnState(first as Node)) found.dynamic = true;
        else return false;
        return true;
      }
      default:
        return true;
    }
  });
}

function relative({ op, args: [start, distance] }: Node): Relative | undefined {
  if (op !== "add" || (start?.op !== "pc" && start?.op !== "next_pc") || distance?.op !== "field") return undefined;
  return { behind: start.op === "next_pc", field: distance.imm };
}

function dependsOnState({ op, args }: Node): boolean {
  return op === "get" || op === "load" || op === "load_rw" || args.some(dependsOnState);
}
