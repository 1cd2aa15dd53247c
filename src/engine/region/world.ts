import type { GuestMemory } from "../../bus/guest-memory.ts";
import type { Form, FrontEnd } from "../../ir/frontend.ts";
import type { CodeCache } from "../code-cache.ts";
import type { Sequences } from "../sequences.ts";
import type { Background } from "./background.ts";

/** What regions are bound to. */
export interface RegionWorld {
  readonly guest: GuestMemory;
  readonly front: FrontEnd;
  readonly cache: CodeCache;
  readonly table: WebAssembly.Table;
  /** Helpers as WebAssembly may call them. */
  readonly helpers: WebAssembly.ModuleImports;
  /** The first index of the table that is for regions. */
  readonly first: number;
  /** Records may name these in place of their own handlers. */
  readonly sequences: Sequences;
  /** The form of a handler, if it is one's. */
  readonly formOf: (handler: number) => Form | undefined;
  /** Where the TLB lies that stays empty. */
  readonly emptyTlb: number;
  readonly fetchTlb: number;
  /** Jumps to a place before it is translated. */
  readonly threshold: number;
  /** Instructions for which a page's code is new. */
  readonly newFor: number;
  /** Where WebAssembly code counts. */
  readonly counters: number;
  /** How many accesses of the interpreter the data TLB did not answer so far. */
  readonly slowAccesses: () => number;
  readonly chain: WebAssembly.ExportValue;
  /** Another thread which makes regions, where there is one. */
  readonly background: Background | undefined;
  /** Milliseconds, by the host's clock where it gives one. */
  readonly now: () => number;
}
