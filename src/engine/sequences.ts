import { record } from "./layout.ts";

/**
 * Superinstructions: common forms whose handlers stand one behind the other in the interpreter's loop. Where code is cold no processor foresees where a dispatch goes, and half of the interpreter's
 * time went into waiting for that; a sequence has one dispatch for all of its instructions.
 *
 * The record with which a sequence begins names the sequence's handler in place of its own. The others keep theirs: jumps may lead to them.
 */
export class Sequences {
  readonly #words: Int32Array;
  /** The handler of the first sequence; those of the forms in them lie below. */
  readonly #first: number;
  /** Of each sequence the handlers of its forms. */
  #handlers: readonly (readonly number[])[] = [];
  #longest = 1;
  /** A trie of those: by node and handler, the node where that leads, or 0. Node 0 is its root. */
  #next: Uint16Array;
  /** Of each node how many sequences there are up to the one that ends there, or 0. */
  #ends = new Uint16Array(1);
  /** How many records were let begin one. */
  begun = 0;

  constructor(words: Int32Array, first: number) {
    this.#words = words;
    this.#first = first;
    this.#next = new Uint16Array(first);
  }

  /** These sequences are in the loop from now on, in this order. */
  know(handlers: readonly (readonly number[])[]): void {
    const first = this.#first;
    const most = handlers.reduce((sum, { length }) => sum + length, 1);
    const next = new Uint16Array(most * first);
    const ends = new Uint16Array(most);
    let nodes = 1;
    for (const [k, parts] of handlers.entries()) {
      let node = 0;
      for (const part of parts) {
        const at = node * first + part;
        if (next[at] === 0) next[at] = nodes++;
        node = next[at] as number;
      }
      ends[node] = k + 1;
    }
    this.#handlers = handlers;
    this.#longest = Math.max(1, ...handlers.map(({ length }) => length));
    this.#next = next;
    this.#ends = ends;
  }

  /** Lets a record begin the longest sequence that it and the records behind it are. */
  begin(at: number): void {
    let sequence = 0;
    for (let place = at, node = 0; ; place += record.size) {
      const handler = this.#handler(place);
      node = handler < this.#first ? (this.#next[node * this.#first + handler] as number) : 0;
      if (node === 0) break;
      sequence = (this.#ends[node] as number) || sequence;
    }
    if (sequence === 0) return;
    this.#name(at, this.#first + sequence - 1);
    this.begun++;
  }

  /** The form's own handler, of what a record names. */
  own(handler: number): number {
    return this.#handlers[handler - this.#first]?.[0] ?? handler;
  }

  /** No sequence goes on over a record any more: what it names from now on is to be done there. */
  part(at: number): void {
    for (let k = 1; k < this.#longest; k++) {
      const before = at - k * record.size;
      const parts = this.#handlers[this.#handler(before) - this.#first];
      if (parts !== undefined && parts.length > k) this.#name(before, parts[0] as number);
    }
  }

  #handler(at: number): number {
    return this.#words[(at + record.handler) >> 2] as number;
  }

  #name(at: number, handler: number): void {
    this.#words[(at + record.handler) >> 2] = handler;
  }
}
