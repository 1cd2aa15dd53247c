import type { Node } from "../ir/node.ts";
import type { Type } from "../ir/ops.ts";

/** What is known of a node, in bits: something computes with it as a number; it is kept as one. */
export const asOperand = 1;
export const asLocal = 2;

/** Locals of a type. */
interface Pool {
  readonly all: number[];
  out: number;
}

/**
 * The locals of a function, and which values of the nodes that are lowered at the time are in them. What is known of a node stands in tables by its number: regions are made
 * while the guest waits for them, and a map by the node itself takes as long as what is looked up.
 */
export abstract class Locals {
  readonly locals: Type[] = [];
  /** By the number of a node of what is being lowered: how often it is used; its local, and one more; and what else is known. */
  #uses: Uint32Array;
  #places: Uint32Array;
  #known: Uint8Array;
  readonly #params: number;
  /** Locals that may be handed out once more, by type: in their order, and how many of them are out. */
  readonly #words: Pool = { all: [], out: 0 };
  readonly #others = new Map<Type, Pool>();

  /** @param nodes how many there are likely to be */
  constructor(params: number, nodes: number) {
    this.#params = params;
    this.#uses = new Uint32Array(nodes);
    this.#places = new Uint32Array(nodes);
    this.#known = new Uint8Array(nodes);
  }

  protected local(type: Type): number {
    const pool = type === "i32" ? this.#words : this.#poolOf(type);
    const free = pool.all[pool.out++];
    if (free !== undefined) return free;
    const made = this.#params + this.locals.length;
    this.locals.push(type);
    pool.all.push(made);
    return made;
  }

  #poolOf(type: Type): Pool {
    let pool = this.#others.get(type);
    if (pool === undefined) {
      pool = { all: [], out: 0 };
      this.#others.set(type, pool);
    }
    return pool;
  }

  /** The locals handed out so far stay with those who have them. */
  protected keepLocals(): void {
    this.#words.all.length = 0;
    this.#words.out = 0;
    this.#others.clear();
  }

  /**
   * All the others may be handed out again. V8's first compiler clears each local whenever the function is entered, and looks at each where branches
   * meet.
   */
  protected reuseLocals(): void {
    this.#words.out = 0;
    for (const pool of this.#others.values()) pool.out = 0;
  }

  /** What is lowered next was built by itself: its nodes are numbered from the start again. */
  protected startNodes(): void {
    this.#uses.fill(0);
    this.#places.fill(0);
    this.#known.fill(0);
  }

  /** What was lowered is lowered once more: no value is in its local. */
  protected forgetPlaces(): void {
    this.#places.fill(0);
    for (let id = 0; id < this.#known.length; id++) this.#known[id] = (this.#known[id] as number) & ~asLocal;
  }

  #roomFor(id: number): void {
    const size = Math.max(id + 1, 2 * this.#uses.length);
    const grown = <T extends Uint32Array | Uint8Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.#uses = grown(new Uint32Array(size), this.#uses);
    this.#places = grown(new Uint32Array(size), this.#places);
    this.#known = grown(new Uint8Array(size), this.#known);
  }

  protected use({ id }: Node): void {
    if (id >= this.#uses.length) this.#roomFor(id);
    this.#uses[id] = (this.#uses[id] as number) + 1;
  }

  /** How often a value is used. */
  protected usesOf({ id }: Node): number {
    return this.#uses[id] ?? 0;
  }

  protected know({ id }: Node, what: number): void {
    if (id >= this.#uses.length) this.#roomFor(id);
    this.#known[id] = (this.#known[id] as number) | what;
  }

  /** The local of a value, and one more; 0 where it has none. */
  protected placeOf({ id }: Node): number {
    return this.#places[id] ?? 0;
  }

  protected is({ id }: Node, what: number): boolean {
    return ((this.#known[id] ?? 0) & what) !== 0;
  }

  protected setPlace({ id }: Node, local: number): void {
    if (id >= this.#places.length) this.#roomFor(id);
    this.#places[id] = local + 1;
  }
}
