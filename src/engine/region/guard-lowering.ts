import type { Block, Node } from "../../ir/node.ts";
import { op } from "../wasm/opcodes.ts";
import { alternativesOf, deferredIn, guarding } from "./guards.ts";
import { RunLowering } from "./run-lowering.ts";

/** Guards: several questions in front of an instruction, asked in turn. */
export abstract class GuardLowering extends RunLowering {
  /** Conditions of the block at hand which are computed where they are asked for. */
  #deferred: ReadonlySet<Node> = new Set();
  readonly #usesOfOne = (node: Node) => this.usesOf(node);

  /** Of a block whose uses are counted: what is computed later. */
  protected defer(block: Block): void {
    this.#deferred = deferredIn(block, this.#usesOfOne);
  }

  /**
   * Out unless all of several conditions hold: a branch for each of them, and one way out. False for an `if` which is none of those; one that a guard asks for
   * waits for it.
   */
  protected guard(node: Node): boolean {
    if (this.#deferred.has(node)) return true;
    const all = guarding(node, this.#usesOfOne);
    if (all.length === 0) return false;
    this.open("if", op.block);
    this.open("if", op.block);
    for (const [k, one] of all.entries()) this.#ask(one, k === all.length - 1);
    this.close();
    this.arm(node.yes, undefined);
    this.close();
    return true;
  }

  /** A condition of a guard: to the way out, which is the next label, if it does not hold; past it if it does and is the last. */
  #ask(one: Node, last: boolean): void {
    const { out } = this;
    const any = this.#deferred.has(one) ? [one.args[0] as Node, one] : alternativesOf(one, this.#usesOfOne);
    const many = any.length > 1 && !last;
    if (many) this.open("if", op.block);
    for (const [k, way] of any.entries()) {
      if (way === one && any.length > 1) {
        this.block(one.no as Block);
        this.value((one.no as Block).result as Node);
      } else this.value(way);
      if (last) out.hint(1).u8(op.brIf, 1);
      else if (k < any.length - 1) out.u8(op.brIf, 0);
      else
        out
          .u8(op.i32Eqz)
          .hint(0)
          .u8(op.brIf, many ? 1 : 0);
    }
    if (many) this.close();
  }
}
