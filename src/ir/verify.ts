import { type Block, type Node, terminated } from "./node.ts";
import { info, type Operation, operations, type Type } from "./ops.ts";

/**
 * What is wrong with a block: arguments that are not there yet, types that do not fit, code behind the end, state written before an access
 * that may still fault. An empty list when nothing is.
 */
export function verify(block: Block): string[] {
  const verifier = new Verifier();
  verifier.block(block, new Set());
  return verifier.wrong;
}

const faulting: ReadonlySet<string> = new Set(["load", "load_rw", "store", "probe"]);

class Verifier {
  readonly wrong: string[] = [];
  /** Whether state was written on some way to here. */
  #written = false;

  block(block: Block, outer: ReadonlySet<Node>): void {
    const known = new Set(outer);
    for (const [k, node] of block.nodes.entries()) {
      if (k > 0 && terminated({ nodes: block.nodes.slice(0, k), result: undefined })) {
        this.#say(node, "stands behind the end of its block");
        return;
      }
      this.#node(node, known);
      known.add(node);
    }
    if (block.result !== undefined && block.result.op !== "const" && !known.has(block.result)) {
      this.#say(block.result, "is the value of an arm and is not in it");
    }
  }

  #node(node: Node, known: ReadonlySet<Node>): void {
    for (const arg of node.args) {
      if (arg.op !== "const" && !known.has(arg)) this.#say(node, `uses ${arg.op} which does not stand before it`);
      if (arg.type === undefined) this.#say(node, `uses ${arg.op} which has no value`);
    }
    if (faulting.has(node.op) && this.#written) this.#say(node, "may fault and state was written before it");
    switch (node.op) {
      case "const":
        this.#say(node, "constants stand in no block");
        return;
      case "field":
        this.#shape(node, [], "i32");
        if (!(node.imm >= 0 && node.imm < 8)) this.#say(node, `there is no operand ${node.imm}`);
        return;
      case "pc":
      case "next_pc":
        this.#shape(node, [], "i32");
        return;
      case "get":
        if (node.args.length > 0) this.#shape(node, ["i32"], node.type);
        this.#width(node, node.type);
        return;
      case "set":
        this.#width(node, node.args[0]?.type);
        if (node.args.length > 1 && node.args[1]?.type !== "i32")
          this.#say(node, "adds something that is not i32 to a place in the state");
        this.#written = true;
        return;
      case "load":
      case "load_rw":
        this.#shape(node, ["i32"], node.type);
        this.#width(node, node.type);
        return;
      case "store":
        this.#shape(node, ["i32", node.args[1]?.type], undefined);
        this.#width(node, node.args[1]?.type);
        return;
      case "probe":
      case "jump":
        this.#shape(node, ["i32"], undefined);
        return;
      case "call":
      case "exit":
        this.#shape(
          node,
          node.args.map(() => "i32" as const),
          node.op === "call" ? "i32" : undefined,
        );
        if (node.args.length > 4) this.#say(node, "a helper takes four values at most");
        return;
      case "if":
        this.#if(node, known);
        return;
      default:
        this.#operation(node, node.op);
    }
  }

  #if(node: Node, known: ReadonlySet<Node>): void {
    this.#shape(node, ["i32"], node.type);
    const before = this.#written;
    let after = before;
    for (const arm of [node.yes, node.no]) {
      if (arm === undefined) continue;
      this.#written = before;
      this.block(arm, known);
      // What an arm wrote only counts where control comes out of it.
      if (!terminated(arm)) after ||= this.#written;
      if (node.type !== undefined && arm.result?.type !== node.type)
        this.#say(node, `an arm gives ${arm.result?.type ?? "nothing"}`);
    }
    this.#written = after;
    if (node.type !== undefined && (node.yes === undefined || node.no === undefined))
      this.#say(node, "a value needs two arms");
  }

  #operation(node: Node, op: Operation): void {
    if (!(op in operations)) {
      this.#say(node, "is no operation");
      return;
    }
    const { signature, types } = info(op);
    const [inputs, output] = signature.split("->") as [string, string];
    const generic = node.args[inputs.split(",").indexOf("T")]?.type;
    if (generic !== undefined && !types.includes(generic)) this.#say(node, `does not exist for ${generic}`);
    const type = (text: string): Type | undefined => (text === "T" ? generic : (text as Type));
    this.#shape(node, inputs.split(",").map(type), type(output));
  }

  #shape(node: Node, args: readonly (Type | undefined)[], result: Type | undefined): void {
    if (node.args.length !== args.length) this.#say(node, `takes ${args.length} values and has ${node.args.length}`);
    for (const [k, type] of args.entries()) {
      if (node.args[k] !== undefined && node.args[k].type !== type)
        this.#say(node, `value ${k} is ${node.args[k].type}, not ${type}`);
    }
    if (node.type !== result) this.#say(node, `gives ${result ?? "nothing"}, not ${node.type ?? "nothing"}`);
  }

  /** i32 has widths up to 4, the others their own. */
  #width(node: Node, type: Type | undefined): void {
    const fits =
      type === "i32"
        ? node.width <= 4
        : type === "f32"
          ? node.width === 4
          : type === "v128"
            ? node.width === 16
            : type !== undefined && node.width === 8;
    if (!fits) this.#say(node, `${node.width} bytes of ${type ?? "nothing"}`);
  }

  #say(node: Node, what: string): void {
    this.wrong.push(`${node.op}: ${what}`);
  }
}
