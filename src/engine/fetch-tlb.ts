import { pageSize } from "../bus/guest-memory.ts";
import { Entered } from "./entered.ts";
import { type EngineLayout, fetchEntry, fetchTlb } from "./layout.ts";

/** The fetch TLB: which pages, under which mode, have a table of records. WebAssembly code looks into it by itself; what enters and forgets is here. */
export class FetchTlb {
  readonly #words: Int32Array;
  readonly #start: number;
  readonly #global = new Uint8Array(fetchTlb.entries);
  /** For pages that are not global. */
  readonly #passing = new Entered();

  constructor(words: Int32Array, layout: EngineLayout) {
    this.#words = words;
    this.#start = layout.fetchTlb >> 2;
    this.flush(false);
  }

  enter(linear: number, mode: number, table: number, global: boolean): void {
    const entry = this.#entry(linear);
    this.#words[entry] = (linear & -pageSize) | mode;
    this.#words[entry + 1] = table;
    this.#global[(entry - this.#start) >> 1] = global ? 1 : 0;
    if (!global) this.#passing.add(entry);
  }

  /** The table of a page, 0 where the page is not here. */
  table(linear: number, mode: number): number {
    const entry = this.#entry(linear);
    return this.#words[entry] === ((linear & -pageSize) | mode) ? (this.#words[entry + 1] as number) : 0;
  }

  forget(linear: number): void {
    this.#words[this.#entry(linear)] = -1;
  }

  /** Forgets all pages, or all but the global ones. */
  flush(keepGlobal: boolean): void {
    const passing = this.#passing.take();
    if (!keepGlobal) this.#words.fill(-1, this.#start, this.#start + (fetchTlb.size >> 2));
    else if (passing === undefined) for (let k = 0; k < fetchTlb.entries; k++) this.#forgetPassing(this.#start + 2 * k);
    else for (const entry of passing) this.#forgetPassing(entry);
  }

  #forgetPassing(entry: number): void {
    if (this.#global[(entry - this.#start) >> 1] === 0) this.#words[entry] = -1;
  }

  #entry(linear: number): number {
    return this.#start + (fetchEntry(linear) >> 2);
  }
}
