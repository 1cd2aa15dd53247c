import { type GuestMemory, pageShift, pageSize } from "../bus/guest-memory.ts";
import type { AddressSpace } from "../bus/space.ts";
import type { Width } from "../bus/target.ts";
import {
  Access,
  Decoded,
  type EngineServices,
  type Form,
  type FrontEnd,
  Translation,
  type VirtualMemory,
} from "../ir/frontend.ts";
import { CodeCache, type CodePage } from "./code-cache.ts";
import { readCounters } from "./counters.ts";
import { FetchTlb } from "./fetch-tlb.ts";
import { Handlers, mostForms } from "./forms.ts";
import { type EngineLayout, layOut, operandOffset, record, tlbSize } from "./layout.ts";
import { isLinked } from "./links.ts";
import { acrossHandler, endHandler, firstForm, type Loop, Reason } from "./loop.ts";
import { type LoopParts, makeLoop } from "./make-loop.ts";
import type { Background } from "./region/background.ts";
import { listPlace } from "./region/list-place.ts";
import { Regions } from "./region/regions.ts";
import { Stops } from "./stops.ts";
import { SoftTlb } from "./virtual-memory.ts";

export interface EngineOptions {
  /** Bytes for decoded code; 16 MiB when left out. */
  readonly arenaSize?: number;
  /** `jit`: hot code is translated to WebAssembly. `interp`: all code is interpreted. Left out: `jit`. */
  readonly executor?: "jit" | "interp";
  /** Jumps to a place before it is translated, 1..65535. */
  readonly threshold?: number;
  /** Instructions for which a page's code is new, and takes twice as many jumps to be translated; 30 million when left out. */
  readonly newFor?: number;
  /** Instructions before the interpreter's loop is made anew with sequences of them in it; 20 million when left out. */
  readonly sequencesAfter?: number;
  /** Another thread which makes regions while the guest runs on; left out, they are made where it runs. */
  readonly background?: Background;
  /** Milliseconds, for the figures of `stats`. */
  readonly now?: () => number;
}

/** Bytes of guest memory which the engine takes for itself. */
export function engineMemory(options: EngineOptions = {}): number {
  return (options.arenaSize ?? defaultArena) + 3 * tlbSize + 320 * 1024;
}

const defaultArena = 128 * 1024 * 1024;

/** Instructions decoded at a time. */
const longestRun = 64;

/** A short run, as of a test, is over before a loop with sequences would have paid: making one takes some ten milliseconds. */
const defaultSequencesAfter = 20_000_000;

/** A region costs as much, all threads together, as interpreting some ten thousands of instructions; a stretch between two jumps has about six, and what has become hot mostly stays so. */
const defaultThreshold = 3000;

/** Some hundredths of a second: a program's first turns, in which its ways are found. */
const defaultNewFor = 30_000_000;

/**
 * Runs guest code: decodes it with a front end and executes it with the interpreter.
 *
 * `run` is the only loop. Everything that may move the machine between two instructions (an interrupt line, an alarm, a device that calls `stop`) takes
 * the budget away, so that the loop in WebAssembly watches one word.
 */
export class Engine implements EngineServices {
  readonly words: Int32Array;
  readonly view: DataView;
  /** What a debugger wants the machine to stop at. */
  readonly stops: Stops;
  readonly #guest: GuestMemory;
  readonly #space: AddressSpace;
  readonly #front: FrontEnd;
  readonly #layout: EngineLayout;
  readonly #tlb: SoftTlb;
  readonly #fetchTlb: FetchTlb;
  readonly #handlers: Handlers;
  readonly #cache: CodeCache;
  #loop: Loop;
  #sequencesAfter: number;
  readonly #regions: Regions;
  /** What a fresh record's heat is: 0 when nothing is translated. */
  readonly #heat: number;
  readonly #decoded = new Decoded();
  readonly #translation = new Translation();
  readonly #bytes = new Uint8Array(32);
  /** Instructions before the slice which runs now. */
  #before = 0;
  #slice = 0;
  /** What `stop` took out of the budget. */
  #held = 0;
  #stopped = false;
  #running = false;
  /** How often the loop came back, by `Reason`. */
  readonly #returns = new Float64Array(Object.keys(Reason).length + 1);
  #faults = 0;
  #loneInstructions = 0;
  /** Of the count of instructions: those of another machine, whose state this one was given. */
  #elsewhere = 0;

  constructor(guest: GuestMemory, space: AddressSpace, front: FrontEnd, options: EngineOptions = {}) {
    this.#guest = guest;
    this.#space = space;
    this.#front = front;
    this.words = new Int32Array(guest.memory.buffer);
    this.view = new DataView(guest.memory.buffer);
    this.#layout = layOut(guest, options.arenaSize ?? defaultArena);
    this.stops = new Stops(
      front,
      () => this.stop(),
      () => this.flushTlb(),
    );
    this.#fetchTlb = new FetchTlb(this.words, this.#layout);
    this.#tlb = new SoftTlb(guest, space, this.stops, this.#layout);
    const [supervisor, user] = this.#layout.tlb;
    this.#handlers = new Handlers(guest, front, this.#tlb.slow, firstForm, { supervisor, user });
    this.#cache = new CodeCache(guest, this.#layout, front.alignment, () => this.instructions);
    this.#loop = makeLoop(this.#loopParts, front.slots, []);
    this.#sequencesAfter = options.sequencesAfter ?? defaultSequencesAfter;
    this.#heat = options.executor === "interp" ? 0 : (options.threshold ?? defaultThreshold);
    this.warmth = 1;
    this.#regions = new Regions({
      guest,
      front,
      cache: this.#cache,
      table: this.#handlers.table,
      helpers: this.#handlers.helpers,
      first: mostForms,
      sequences: this.#handlers.sequences,
      formOf: (handler) => this.#handlers.form(handler),
      emptyTlb: this.#layout.emptyTlb,
      fetchTlb: this.#layout.fetchTlb,
      threshold: this.#heat,
      newFor: options.newFor ?? defaultNewFor,
      counters: this.#layout.counters,
      slowAccesses: () => this.#tlb.slowAccesses,
      chain: this.#loop.chain,
      background: options.background,
      now: options.now ?? (() => 0),
    });
    guest.onCodeWrite = (offset, length) => this.#wroteCode(offset, length);
    space.onChange(() => this.flushTlb());
    front.attach(this);
  }

  get memory(): VirtualMemory {
    return this.#tlb;
  }

  get instructions(): number {
    return this.#before + this.#slice - (this.words[this.#front.slots.budget.index] as number) - this.#held;
  }

  /**
   * As how many jumps one counts from now on in the choice of what is translated: 1 at first, 0 for none at all. What the guest does, and when it does it, stays the same.
   */
  set warmth(jumps: number) {
    this.words[this.#layout.warmth >> 2] = jumps;
  }

  get warmth(): number {
    return this.words[this.#layout.warmth >> 2] as number;
  }

  /** Goes on counting from `count`: for a restored machine, between two runs. */
  resume(count: number): void {
    this.#elsewhere += count - this.instructions;
    this.#before = count;
  }

  /**
   * Figures for `--stats`, by name: the same for the same run. What each of them counts stands in README.md; those of `counters.ts` there.
   */
  get stats(): Readonly<Record<string, number>> {
    const counts = readCounters(this.#guest, this.#layout.counters);
    return {
      "instruction-forms": this.#handlers.count,
      "handler-modules": this.#handlers.modules,
      "tlb-misses": this.#tlb.misses,
      "tlb-flushes": this.#tlb.flushes,
      "slow-accesses": this.#tlb.slowAccesses,
      "fetch-misses": this.#returns[Reason.fetch] as number,
      "code-invalidations": this.#cache.invalidations,
      "code-empties": this.#cache.empties,
      faults: this.#faults,
      "lone-instructions": this.#loneInstructions,
      "decoded-runs": this.#returns[Reason.decode] as number,
      sequences: this.#handlers.sequences.begun,
      "loop-instructions": this.instructions - this.#elsewhere - counts["region-instructions"],
      ...counts,
      regions: this.#regions.made,
      "regions-alive": this.#regions.alive,
      "regions-joined": this.#regions.joined,
      "regions-forgotten": this.#regions.forgotten,
      "region-bytes": this.#regions.bytes,
    };
  }

  /** Milliseconds of the host's which went into making regions. */
  get regionTime(): number {
    return this.#regions.time;
  }

  /**
   * What became of the instruction at a linear address, which lies at this physical one: a listing of each region that holds it, or, where none does, of what the interpreter
   * does for it. Empty where no code was decoded. Nothing of the machine is changed by it.
   *
   * @param slot the name of the piece of state that lies at a byte of the state.
   */
  list(linear: number, physical: number, slot: (offset: number) => string | undefined): readonly string[][] {
    const page = this.#pageOf(physical);
    const parts = { guest: this.#guest, cache: this.#cache, regions: this.#regions, front: this.#front };
    return page === undefined ? [] : listPlace(parts, page, linear >>> 0, slot);
  }

  /** Begins at most `limit` instructions; fewer when the CPU halts or `stop` is called. An instruction that faults counts. */
  run(limit: number): void {
    const front = this.#front;
    const budget = front.slots.budget.index;
    this.#stopped = false;
    this.#running = true;
    let left = limit;
    while (left > 0 && !this.#stopped) {
      if (!this.stops.quiet && front.attention) front.service();
      if (front.halted || this.#stopped) break;
      if (this.#regions.waiting) this.#regions.settle();
      if (this.#before >= this.#sequencesAfter) this.#sequence();
      const slice = Math.min(left, front.window, 0x7fff_ffff);
      this.#slice = slice;
      this.#held = 0;
      this.words[budget] = slice;
      this.#execute();
      const done = slice - (this.words[budget] as number) - this.#held;
      this.#before += done;
      this.#slice = 0;
      this.#held = 0;
      this.words[budget] = 0;
      left -= done;
    }
    this.#running = false;
  }

  stop(): void {
    this.#stopped = true;
    this.attention();
  }

  /** Something has changed that `service` wants to see: leave the WebAssembly loop behind the current instruction. */
  attention(): void {
    if (!this.#running) return;
    const budget = this.#front.slots.budget.index;
    this.#held += this.words[budget] as number;
    this.words[budget] = 0;
  }

  readPhysical(address: number, width: Width): number {
    return this.#tlb.readPhysical(address, width);
  }

  writePhysical(address: number, width: Width, value: number): void {
    this.#tlb.writePhysical(address, width, value);
  }

  /** Forgets all decoded and translated code, as if none had run. Between two runs only. */
  forgetCode(): void {
    this.#empty();
  }

  flushTlb(keepGlobal = false): void {
    this.#tlb.flush(keepGlobal);
    this.#forgetFetches(keepGlobal);
  }

  flushPage(address: number): void {
    this.#tlb.flushPage(address);
    this.forgetFetch(address);
    // What runs now may lie on that page: it is looked up again behind this instruction.
    if (((address ^ this.#linear) & -pageSize) === 0) this.attention();
  }

  forgetFetch(address: number): void {
    this.#fetchTlb.forget(address);
  }

  selectTlb(which: 0 | 1 | 2): void {
    this.#tlb.select(which);
  }

  get #loopParts(): LoopParts {
    return { guest: this.#guest, front: this.#front, layout: this.#layout, handlers: this.#handlers };
  }

  /** Goes on with a loop that has sequences. What was decoded before begins them too. */
  #sequence(): void {
    this.#sequencesAfter = Number.POSITIVE_INFINITY;
    const { common } = this.#front;
    if (common === undefined) return;
    this.#loop = makeLoop(this.#loopParts, common, this.#handlers.sequenced());
    this.#cache.eachRecord((at) => this.#handlers.sequences.begin(at));
  }

  /** Runs until the budget is used up or taken away, or the CPU leaves. */
  #execute(): void {
    const front = this.#front;
    for (let delivered = 0; ; ) {
      const reason = this.#loop.run(delivered);
      delivered = reason === Reason.fault ? 1 : 0;
      this.#returns[reason] = (this.#returns[reason] as number) + 1;
      if (reason === Reason.fault) this.#deliver();
      // Said once of a place, so also where nothing is left.
      else if (reason === Reason.hot) this.#translate();
      // With nothing left the next instruction is not begun, so it is not fetched either: a fetch that faults counts as one.
      else if (this.words[front.slots.budget.index] === 0) return;
      else if (reason === Reason.fetch) this.#fetch();
      else if (reason === Reason.decode) this.#decodeRun();
      else if (reason === Reason.across) this.#across();
      else if (reason === Reason.sample) this.#sample();
      else return;
      if (front.halted || this.words[front.slots.budget.index] === 0) return;
    }
  }

  #deliver(): void {
    this.#faults++;
    this.words[this.#front.slots.trap.index] = 0;
    this.#front.deliverFault();
  }

  #forgetFetches(keepGlobal = false): void {
    this.#fetchTlb.flush(keepGlobal);
    if (this.#running) this.attention();
  }

  get #pc(): number {
    return this.words[this.#front.slots.pc.index] as number;
  }

  get #linear(): number {
    return ((this.words[this.#front.slots.fetchBase.index] as number) + this.#pc) >>> 0;
  }

  /** Where the entry of an address's page lies in the fetch TLB, as an index of `words`. */
  get #mode(): number {
    return this.words[this.#front.slots.mode.index] as number;
  }

  get #user(): boolean {
    return this.words[this.#front.slots.tlb.index] !== this.#layout.tlb[0];
  }

  /** Enters the page under the pc into the fetch TLB; code on a watched page, or not in memory, is run an instruction at a time. */
  #fetch(): void {
    const linear = this.#linear;
    if (!this.stops.translate(linear, Access.fetch, this.#user, this.#translation)) {
      this.#fetchFault();
      return;
    }
    const { watched } = this.#translation;
    if (this.#enterPage(linear) === undefined && (!watched || !this.stops.breaks(linear, this.instructions)))
      this.#lone();
  }

  /** Enters the page of what was translated last into the fetch TLB, unless it is watched, or no memory. */
  #enterPage(linear: number): CodePage | undefined {
    const { physical, watched } = this.#translation;
    const page = watched ? undefined : this.#pageOf(physical);
    if (page === undefined) return undefined;
    const mode = this.words[this.#front.slots.mode.index] as number;
    const code = this.#cache.find(page, mode) ?? this.#newPage(page, mode);
    this.#fetchTlb.enter(linear, mode, code.table, this.#translation.global);
    return code;
  }

  /** The number in the guest memory of the page on which a physical address lies; undefined where that is no memory. */
  #pageOf(physical: number): number | undefined {
    const host = this.#space.host(physical - (physical & (pageSize - 1)), pageSize, false);
    return host < 0 ? undefined : host >>> pageShift;
  }

  #newPage(page: number, mode: number): CodePage {
    if (!this.#cache.fits(longestRun * record.size)) this.#empty();
    return this.#cache.create(page, mode);
  }

  #mark(code: CodePage): void {
    if (this.#cache.mark(code)) this.#tlb.watch(code.page);
  }

  #empty(): void {
    this.#cache.empty();
    this.#regions.empty();
    this.#forgetFetches();
  }

  /** An instruction that could not be fetched counts as one that was begun. */
  #fetchFault(): void {
    const budget = this.#front.slots.budget.index;
    const left = this.words[budget] as number;
    if (left > 0) this.words[budget] = left - 1;
    this.#deliver();
  }

  /** Decodes from the pc to the next jump, the end of the page, or what is decoded already. */
  #decodeRun(): void {
    const linear = this.#linear;
    const mode = this.words[this.#front.slots.mode.index] as number;
    const code = this.#cache.byTable(this.#fetchTlb.table(linear, this.#mode));
    if (code === undefined || !this.#cache.fits((longestRun + 1) * record.size)) {
      this.#empty();
      return;
    }
    this.#mark(code);
    const decoded = this.#decoded;
    const { bytes } = this.#guest;
    const host = code.page * pageSize;
    let offset = linear & (pageSize - 1);
    let pc = this.#pc;
    const start = this.#cache.take((longestRun + 1) * record.size);
    let at = start;
    for (let count = 0; count < longestRun && offset < pageSize && this.#cache.entry(code, offset) === 0; count++) {
      const available = Math.min(16, pageSize - offset);
      // Byte by byte: a view of them would be an object for each instruction.
      for (let k = 0; k < available; k++) this.#bytes[k] = bytes[host + offset + k] as number;
      if (!this.#front.decode(this.#bytes, available, pc, mode, decoded)) break;
      const { ends } = this.#write(at, decoded);
      this.#cache.enter(code, offset, at);
      at += record.size;
      offset += decoded.length;
      pc += decoded.length;
      if (ends) break;
    }
    if (at === start) {
      this.#cache.giveBack(start);
      this.#across();
      return;
    }
    this.#end(at);
    for (let place = start; place < at; place += record.size) this.#handlers.sequences.begin(place);
    this.#cache.giveBack(at + record.size);
    this.#handlers.compile(mode);
  }

  /** The instruction under the pc lies on two pages, each with a mapping of its own: its record holds as long as the second is the same page. */
  #across(): void {
    const linear = this.#linear;
    const mode = this.words[this.#front.slots.mode.index] as number;
    const behind = ((linear & -pageSize) + pageSize) >>> 0;
    if (
      !this.#cache.fits(4 * record.size + 4 * pageSize) ||
      !this.stops.translate(behind, Access.fetch, this.#user, this.#translation)
    ) {
      this.#lone();
      return;
    }
    const second = this.#enterPage(behind);
    const first = this.#cache.byTable(this.#fetchTlb.table(linear, this.#mode));
    const offset = linear & (pageSize - 1);
    const rest = pageSize - offset;
    if (second === undefined || first === undefined || rest >= 16) {
      this.#lone();
      return;
    }
    this.#mark(first);
    this.#mark(second);
    const { bytes } = this.#guest;
    const here = first.page * pageSize + offset;
    this.#bytes.set(bytes.subarray(here, here + rest));
    this.#bytes.set(bytes.subarray(second.page * pageSize, second.page * pageSize + 16 - rest), rest);
    const decoded = this.#decoded;
    if (!this.#front.decode(this.#bytes, 16, this.#pc, mode, decoded)) {
      this.#lone();
      return;
    }
    // Where two address spaces share the first page and not the second, one record serves them in turn.
    const known = this.#cache.entry(first, offset);
    const at = known !== 0 ? known : this.#cache.take(2 * record.size);
    this.#handlers.called(this.#write(at, decoded));
    this.view.setUint16(at + record.original, this.words[at >> 2] as number, true);
    this.view.setUint16(at + record.heat, 0, true);
    this.words[at >> 2] = acrossHandler;
    this.#end(at + record.size);
    this.words[(at + record.second) >> 2] = second.table;
    second.before.add(first);
    this.#cache.enter(first, offset, at);
    this.#handlers.compile(mode);
  }

  /** The pc has become hot. */
  #translate(): void {
    // In front of an instruction which it leaves to the interpreter, a region has that one's handler called.
    this.#handlers.callable(this.#mode);
    const linear = this.#linear;
    const code = this.#cache.byTable(this.#fetchTlb.table(linear, this.#mode));
    if (code === undefined || !this.#regions.room) this.#empty();
    else {
      const offset = linear & (pageSize - 1);
      const heat = this.#regions.make(code, offset, this.#pc, this.#heat);
      const at = this.#cache.entry(code, offset);
      if (at !== 0) this.view.setUint16(at + record.heat, heat, true);
    }
  }

  /** A region has ended, and another one stands at the pc. */
  #sample(): void {
    const at = this.#layout.sample >> 2;
    if (this.#regions.room && this.warmth > 0)
      this.#regions.arrived(this.words[at + 1] as number, this.words[at + 2] as number, this.#pc);
  }

  /** Writes the record behind a run of records. */
  #end(at: number): void {
    this.words[at >> 2] = endHandler;
    this.words[(at + record.length) >> 2] = 0;
    this.words[(at + record.link) >> 2] = 0;
  }

  /** Writes a record, and gives the form which it is of. */
  #write(at: number, decoded: Decoded): Form {
    const { form, operands } = decoded;
    if (form === undefined) throw new Error(`${this.#front.name}: the decoder named no form`);
    this.view.setInt32(at + record.handler, this.#handlers.index(form), true);
    this.view.setUint16(at + record.length, decoded.length, true);
    this.view.setUint16(at + record.heat, this.#heat, true);
    for (let k = 0; k < 6; k++) this.view.setUint16(at + operandOffset(k), operands[k] as number, true);
    for (let k = 6; k < 8; k++) this.view.setInt32(at + operandOffset(k), operands[k] as number, true);
    if (isLinked(form)) this.words[(at + record.link) >> 2] = 0;
    return form;
  }

  /** Runs the instruction under the pc without keeping it: it lies on two pages, or not in memory. */
  #lone(): void {
    const linear = this.#linear;
    const mode = this.words[this.#front.slots.mode.index] as number;
    let available = 0;
    const decoded = this.#decoded;
    const rest = pageSize - (linear & (pageSize - 1));
    while (available < 16) {
      const end = available < rest ? Math.min(16, rest) : 16;
      let refused = false;
      while (!refused && available < end) {
        if (this.#fetchByte((linear + available) >>> 0, available)) available++;
        else refused = true;
      }
      if (this.#front.decode(this.#bytes, available, this.#pc, mode, decoded)) break;
      if (refused) {
        // Only now is it known that the instruction needs that byte; the fault was recorded by the attempt.
        this.#fetchFault();
        return;
      }
      if (available === 16) throw new Error(`${this.#front.name}: an instruction of more than 16 bytes`);
    }
    this.#loneInstructions++;
    this.#handlers.called(this.#write(this.#layout.lone, decoded));
    this.#handlers.compile(mode);
    const reason = this.#loop.one(this.#layout.lone);
    if (reason === Reason.fault) this.#deliver();
    else if (reason === Reason.leave) this.attention();
  }

  #fetchByte(linear: number, k: number): boolean {
    if (!this.#front.translate(linear, Access.fetch, this.#user, this.#translation)) return false;
    this.#bytes[k] = this.#space.read(this.#translation.physical, 1);
    return true;
  }

  #wroteCode(offset: number, length: number): void {
    if (this.#cache.wrote(offset, length)) this.attention();
  }
}
