import type { FrontEnd } from "../../ir/frontend.ts";
import { type Decoding, instructionsFrom, pageOf, type Stretch } from "./instructions.ts";
import { type RegionJob, type RegionSurroundings, translateRegion } from "./translate.ts";

/*
 * Regions made on another thread, while the guest runs on in the interpreter. What there is to do goes there as plain data, with the bytes of the pages as they are now: the
 * front end there decodes them once more. A module comes back, which is let in between two slices if nobody has written on those pages.
 *
 * When a region is let in depends on the host's time; what the guest does, and how many instructions that takes, does not.
 */

export interface SentPage {
  /** How many pages it lies behind the first. */
  readonly number: number;
  /** Where its table of records lies. */
  readonly table: number;
  readonly bytes: Uint8Array;
}

/** A region to be made, as it goes to another thread. */
export interface SentJob extends Omit<RegionJob, "stretches" | "tables"> {
  readonly id: number;
  readonly around: RegionSurroundings;
  /** The pc at the first byte of the first page. */
  readonly pc: number;
  readonly pages: readonly SentPage[];
  /** Where each stretch begins, and how many instructions it has, in turn. */
  readonly stretches: Int32Array;
}

export interface MadeModule {
  readonly id: number;
  readonly module: WebAssembly.Module;
  /** Of the module. */
  readonly bytes: number;
}

/** Another thread. */
export interface Background {
  /** What is to become of the next region: it takes it `now`, it has enough to do and takes it `later`, or it is not for it, and the region is made `here`. */
  next(): "now" | "later" | "here";
  post(job: SentJob): void;
  /** What is done, each once. Throws what the thread died of. */
  take(): MadeModule | undefined;
}

/** The stretches again, from the bytes of their pages. Throws `RangeError` where there is no page, or no instruction for a region. */
export function unflatten(
  decoding: Decoding,
  flat: Int32Array,
  bytesOf: (page: number) => Uint8Array | undefined,
): Stretch[] {
  const stretches: Stretch[] = [];
  for (let k = 0; k < flat.length; k += 2) {
    const offset = flat[k] as number;
    const bytes = bytesOf(pageOf(offset));
    if (bytes === undefined) throw new RangeError(`no page for ${offset}`);
    const instructions = instructionsFrom(decoding, bytes, offset, flat[k + 1] as number);
    stretches.push({ offset, instructions });
  }
  return stretches;
}

/**
 * What the other thread does. `optimized` asks V8 to optimise the region there, before it is called where the guest runs. `compile` is how its host compiles a module whose function is to
 * be called on another thread.
 */
export function makeModule(
  front: FrontEnd,
  sent: SentJob,
  optimized = true,
  compile: (bytes: Uint8Array<ArrayBuffer>) => WebAssembly.Module = (bytes) => new WebAssembly.Module(bytes),
): MadeModule {
  const { id, around, pages, entries } = sent;
  const tables = new Map(pages.map(({ number, table }) => [number, table]));
  const bytesOf = new Map(pages.map(({ number, bytes }) => [number, bytes]));
  const stretches = unflatten({ front, pc: sent.pc, mode: sent.mode }, sent.stretches, (page) => bytesOf.get(page));
  const job: RegionJob = { ...sent, stretches, entries, tables };
  const emitted = translateRegion(front, around, job).module.bytes(optimized);
  return { id, module: compile(emitted), bytes: emitted.length };
}
