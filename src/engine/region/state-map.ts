import type { FrontEnd } from "../../ir/frontend.ts";
import { stateSize } from "../../ir/slots.ts";
import { oncePer } from "../once-per.ts";

const isCell = 1;
const isScratch = 2;

/** What a front end says of the pieces of its state, by the place: it is asked of each register that an instruction touches. */
export class StateMap {
  /** Of each word: bits. */
  readonly #kinds = new Uint8Array(stateSize >> 2);
  /** Of each eight bytes: where the piece of more than a word begins that has them, or -1. */
  readonly #wide = new Int16Array(stateSize >> 3).fill(-1);
  readonly #types: ReadonlyMap<number, "i64" | "v128">;

  constructor({ cells, scratch, wide }: FrontEnd) {
    for (const at of cells) this.#mark(at, isCell);
    for (const at of scratch ?? []) this.#mark(at, isScratch);
    this.#types = wide ?? new Map();
    for (const [at, type] of this.#types) {
      this.#wide[at >> 3] = at;
      if (type === "v128") this.#wide[(at >> 3) + 1] = at;
    }
  }

  #mark(at: number, kind: number): void {
    this.#kinds[at >> 2] = (this.#kinds[at >> 2] as number) | kind;
  }

  /** Whether the word that has this byte may be kept elsewhere. */
  isCell(at: number): boolean {
    return ((this.#kinds[at >> 2] as number) & isCell) !== 0;
  }

  /** Whether what lies there is of no account between instructions. */
  isScratch(at: number): boolean {
    return (at & 3) === 0 && ((this.#kinds[at >> 2] as number) & isScratch) !== 0;
  }

  /** Where the piece of more than a word begins that has this byte; -1 where there is none. */
  wideAt(at: number): number {
    return this.#wide[at >> 3] ?? -1;
  }

  /** Of a cell. */
  typeOf(at: number): "i32" | "i64" | "v128" {
    return this.#wide[at >> 3] === at ? (this.#types.get(at) as "i64" | "v128") : "i32";
  }
}

/** A front end's. */
export const stateMapOf = oncePer((front: FrontEnd) => new StateMap(front));
