import { pageShift } from "../bus/guest-memory.ts";
import { Access, type FrontEnd, type Translation } from "../ir/frontend.ts";

/** What of a front end the software TLB and the fetch path ask. */
export type Mmu = Pick<FrontEnd, "slots" | "fault" | "translate" | "aligned" | "touched">;

/** Linear addresses whose access is to stop the machine. */
export interface WatchedRange {
  readonly address: number;
  readonly length: number;
  readonly on: "read" | "write" | "access";
}

/** Why the engine stopped for a debugger: in front of an instruction, or behind the one which made an access. */
export type Hit =
  | { readonly kind: "breakpoint"; readonly address: number }
  | { readonly kind: "watchpoint"; readonly address: number; readonly range: WatchedRange };

/**
 * A debugger's breakpoints and watchpoints, between the front end's MMU and all who translate by it.
 *
 * A page with one of them is `watched`, as pages are for the guest's own debug registers: it stays out of both TLBs, so its code is run an
 * instruction at a time and its data is accessed on the slow path, and the rest of the guest runs as fast as ever. Guest memory is not
 * touched. Addresses are linear.
 */
export class Stops implements Mmu {
  /** While set nothing is serviced between instructions: a debugger steps, and its user wants the next instruction, not an interrupt. */
  quiet = false;
  /** Told of a hit; the machine is being stopped already. */
  onHit: ((hit: Hit) => void) | undefined;
  readonly #front: FrontEnd;
  readonly #stop: () => void;
  readonly #changed: () => void;
  #breakpoints = new Set<number>();
  #ranges: readonly WatchedRange[] = [];
  readonly #codePages = new Set<number>();
  readonly #dataPages = new Set<number>();
  /** The one instruction which runs although there is a breakpoint on it: where, and at which count. */
  #passedPc = -1;
  #passedAt = -1;

  /** @param changed forgets every translation. */
  constructor(front: FrontEnd, stop: () => void, changed: () => void) {
    this.#front = front;
    this.#stop = stop;
    this.#changed = changed;
  }

  /** Replaces all of them. */
  set(breakpoints: Iterable<number>, ranges: Iterable<WatchedRange>): void {
    this.#breakpoints = new Set(breakpoints);
    this.#ranges = [...ranges];
    this.#codePages.clear();
    this.#dataPages.clear();
    for (const address of this.#breakpoints) this.#codePages.add(address >>> pageShift);
    for (const { address, length } of this.#ranges)
      for (let page = address >>> pageShift; page <= (address + length - 1) >>> pageShift; page++)
        this.#dataPages.add(page);
    this.#changed();
  }

  /** Lets the instruction at this address run if it is the one to be begun at this count. */
  pass(linear: number, count: number): void {
    this.#passedPc = linear;
    this.#passedAt = count;
  }

  /** Whether there is a breakpoint in front of this instruction; the machine then stops. */
  breaks(linear: number, count: number): boolean {
    if (!this.#breakpoints.has(linear)) return false;
    if (linear === this.#passedPc && count === this.#passedAt) return false;
    this.#stop();
    this.onHit?.({ kind: "breakpoint", address: linear });
    return true;
  }

  // --- the front end's MMU, with more pages watched

  get slots(): FrontEnd["slots"] {
    return this.#front.slots;
  }

  get fault(): object {
    return this.#front.fault;
  }

  translate(address: number, access: Access, user: boolean, into: Translation): boolean {
    into.watched = false;
    if (!this.#front.translate(address, access, user, into)) return false;
    const pages = access === Access.fetch ? this.#codePages : this.#dataPages;
    if (pages.size > 0 && pages.has(address >>> pageShift)) into.watched = true;
    return true;
  }

  aligned(address: number, width: number): boolean {
    return this.#front.aligned?.(address, width) ?? true;
  }

  touched(address: number, width: number, write: boolean): void {
    this.#front.touched?.(address, width, write);
    for (const range of this.#ranges) {
      if (range.on !== "access" && (range.on === "write") !== write) continue;
      if (address + width <= range.address || address >= range.address + range.length) continue;
      this.#stop();
      this.onHit?.({ kind: "watchpoint", address: Math.max(address, range.address), range });
      return;
    }
  }
}
