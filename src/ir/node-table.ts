import type { Node } from "./node.ts";

/** What is known of some nodes of one builder. */
export class NodeTable<T> {
  readonly #known: (T | undefined)[] = [];

  get(node: Node): T | undefined {
    return this.#known[node.id];
  }

  has(node: Node): boolean {
    return this.#known[node.id] !== undefined;
  }

  set(node: Node, known: T): void {
    this.#known[node.id] = known;
  }
}
