import type { Builder, Value } from "./builder.ts";
import type { EngineSlots, Slot } from "./slots.ts";

/** The operands of a decoded instruction, as values: constants in a region, fields of the record in the interpreter. */
export class Fields {
  readonly #builder: Builder;

  constructor(builder: Builder) {
    this.#builder = builder;
  }

  /** Operand 0..5: 16 bits unsigned. By custom the offset of a register in the state, or a small number. */
  u16(k: number): Value {
    return this.#builder.field(k);
  }

  /** Operand 6 or 7: 32 bits. By custom an immediate (6) and a displacement (7). */
  i32(k: 6 | 7): Value {
    return this.#builder.field(k);
  }
}

/**
 * All instructions which differ in operands only: one meaning. A front end makes one object a form and keeps it, since the
 * engine keeps what it made of it.
 *
 * A body that ends without `exit` or `jump` goes on with the next instruction in order.
 */
export interface Form {
  readonly name: string;
  /** No instruction behind one runs in order (a jump), or what it does changes how code is decoded. */
  readonly ends: boolean;
  body(b: Builder, operands: Fields): void;
}

/** What the decoder found: the form, the operands, the length. One object is used again and again. */
export class Decoded {
  form: Form | undefined;
  /** Bytes. */
  length = 0;
  readonly operands = new Int32Array(8);
}

/** Why the CPU touches memory. */
export const Access = { read: 0, write: 1, fetch: 2 } as const;
export type Access = (typeof Access)[keyof typeof Access];

/** What the MMU found for an address. One object is used again and again. */
export class Translation {
  physical = 0;
  /** Whether the page may be written without asking again: allowed, and marked dirty already. */
  writable = false;
  /** Whether it outlives `flushTlb(true)`. */
  global = false;
  /** Whether every access to this page is to be seen: data by `FrontEnd.touched`, code by a translation for each instruction. */
  watched = false;
}

/** Guest memory as a front end's helpers see it: virtual addresses, through the TLB. A fault is thrown as the front end's own. */
export interface VirtualMemory {
  /** Little-endian reading of 1, 2 or 4 bytes, unsigned. `privileged`: as the supervisor, whoever runs. */
  read(address: number, width: 1 | 2 | 4, privileged?: boolean): number;
  write(address: number, width: 1 | 2 | 4, value: number, privileged?: boolean): void;
  /** Faults as a write of these bytes would, and does nothing else. */
  probe(address: number, length: number, privileged?: boolean): void;
  /**
   * Copies whole elements of `width` bytes upwards, as if one by one, as far as both places lie on a page of RAM. Gives the bytes that were
   * copied; 0 where the first element has to be read and written by itself.
   */
  copy(to: number, from: number, length: number, width: 1 | 2 | 4): number;
  /** The same, of one element again and again. */
  fill(to: number, length: number, width: 1 | 2 | 4, value: number): number;
}

/** What the engine does for a front end. */
export interface EngineServices {
  readonly memory: VirtualMemory;
  /** Views of the state: slot.index into `words`, slot.offset into `view`. */
  readonly words: Int32Array;
  readonly view: DataView;
  /** Physical memory, little-endian, for page walks. */
  readPhysical(address: number, width: 1 | 2 | 4): number;
  writePhysical(address: number, width: 1 | 2 | 4, value: number): void;
  /** Forgets every translation, or all but the global ones; those of the pages only (virtual address) with `flushPage`. */
  flushTlb(keepGlobal?: boolean): void;
  flushPage(address: number): void;
  /** Forgets the translation for fetches from one page: what may be fetched there has changed, data has not. */
  forgetFetch(address: number): void;
  /**
   * Which data TLB is in force: 0 supervisor, 1 user, 2 user with every access shown to `FrontEnd.aligned`. To be said when the
   * privilege changes.
   */
  selectTlb(which: 0 | 1 | 2): void;
  /** Leave the run loop behind the current instruction. */
  stop(): void;
  /** Ask `attention` and `window` again behind the current instruction. */
  attention(): void;
  /** Instructions begun so far, the current one included. */
  readonly instructions: number;
}

/** A helper: takes up to four i32, gives one. It may throw the front end's fault. */
export type Helper = (a: number, b: number, c: number, d: number) => number;

/** A helper which regions may call, since it does nothing to the flow of control, other than raise a fault, and does not ask for the count of instructions. */
export interface Contained {
  /** The state that it reads or writes, as far as regions may keep it elsewhere; what an argument says the place of need not be named. It may use the pc. */
  readonly words: readonly Slot[];
  /** Such as it may use as well, which instructions seldom do. */
  readonly others?: readonly Slot[];
  /** It may raise one. */
  readonly faults?: boolean;
  /** It changes nothing that it would miss if its instruction were begun again. */
  readonly repeatable?: boolean;
}

/** Where the data TLBs lie, as the `tlb` word names them: what `selectTlb` 0 and 1 put there. */
export interface TlbPlaces {
  readonly supervisor: number;
  readonly user: number;
}

/** What a quick way gives that leaves all to its helper, having changed nothing. */
export const gaveUp = -1;

/** The end of a quick way that gives up. */
export function notDone(b: Builder): Value {
  return b.i32(gaveUp);
}

/**
 * The quick way of a helper, for operands that are common: it does the same as the helper. Gives what the helper would, or -1, having
 * changed nothing, where the helper has to. The helper stays the definition.
 *
 * Its loads and stores are the supervisor's, and it gives up at one that the TLB does not answer: so every store has a probe in front of the first change.
 */
export type QuickWay = (b: Builder, args: readonly Value[], tlbs: TlbPlaces) => Value;

/** Which quick way a call has: that of the helper with this first argument, or of the helper; undefined when it has none. */
export function quickWayOf(front: FrontEnd, helper: string, first: Value | undefined): string | undefined {
  const { quick } = front;
  if (quick === undefined) return undefined;
  const special = first?.op === "const" ? `${helper}/${first.imm}` : "";
  return special in quick ? special : helper in quick ? helper : undefined;
}

/** Instructions that stand for their forms. */
export interface CommonCode {
  /** The mode in which they are decoded. */
  readonly mode: number;
  /** Their bytes in hexadecimal, any operands. */
  readonly instructions: readonly string[];
  /** Others which nearly every guest has: their handlers are made together, since a module costs more than a handler. */
  readonly usual: readonly string[];
  /** Which of `instructions` often follow one another, with blanks between them: each stands for a sequence of their forms. */
  readonly sequences: readonly string[];
}

/** An instruction set, as the engine sees it. */
export interface FrontEnd {
  readonly name: string;
  readonly slots: EngineSlots;
  /** What most code is made of: the interpreter has the handlers of these forms inside its loop. */
  readonly common?: CommonCode;
  /** Where the words of the state lie which are never looked at as parts of something wider: a region may keep them elsewhere while it runs. */
  readonly cells: ReadonlySet<number>;
  /** Where state lies that is wider than a word and may be kept elsewhere as well, and how wide it is. Other accesses to it lie within one such piece. */
  readonly wide?: ReadonlyMap<number, "i64" | "v128">;
  /** Instructions start at multiples of this: 1 or 4. */
  readonly alignment: 1 | 4;
  readonly helpers: Readonly<Record<string, Helper>>;
  /** Of helpers that are called often, by the helper's name; or, for calls whose first argument is constant, by `name/argument`. */
  readonly quick?: Readonly<Record<string, QuickWay>>;
  /** A word that is mostly the same whenever one comes to a place: a region takes it for known there, and leaves where it is not so. */
  readonly steady?: Slot;
  /** The quick ways that regions have inside, which touch no memory, and leave in front of the instruction where those give up. */
  readonly inside?: ReadonlySet<string>;
  /** Those of the helpers which are. */
  readonly contained?: Readonly<Record<string, Contained>>;
  /**
   * Helpers which regions call at their end, with all state in its place, and go on from where these say: each ends its instruction with `Status.next` or
   * `Status.jump`, or faults.
   */
  readonly ending?: ReadonlySet<string>;
  /** Where state lies that holds something within an instruction only: one that has written there can be begun again. */
  readonly scratch?: ReadonlySet<number>;
  /** Whether every page that may be written may be read too. */
  readonly readsWhatItMayWrite?: boolean;
  /** What helpers throw for a fault, after recording it, and `VirtualMemory` on their behalf. One object, no stack. */
  readonly fault: object;
  /** Called once, before anything else. */
  attach(engine: EngineServices): void;
  /**
   * Decodes one instruction of at most 16 bytes. `bytes` holds those that can be fetched, `available` tells how many;
   * asks for more by returning false (the engine then fetches across the page, which may fault). `pc` as in the slot.
   */
  decode(bytes: Uint8Array, available: number, pc: number, mode: number, into: Decoded): boolean;
  /** The MMU. False, with the fault recorded, when the access is refused. `user`: privilege 3 or problem state. */
  translate(address: number, access: Access, user: boolean, into: Translation): boolean;
  /** Whether an access may be made at this address, asked before the MMU is, while data TLB 2 is in force. False, with the fault recorded, when not. */
  aligned?(address: number, width: number): boolean;
  /** Told of an access to a page that is `watched`, before it is made. */
  touched?(address: number, width: number, write: boolean): void;
  /** Delivers the recorded fault: changes pc, mode and stack as the architecture says. */
  deliverFault(): void;
  /** Whether something is to be looked at before the next instruction (an interrupt that may be taken, a single step). */
  readonly attention: boolean;
  /** Looks at it: takes an interrupt, wakes from a halt. */
  service(): void;
  /** Waits for an interrupt: HLT, `wait`. */
  readonly halted: boolean;
  /** How many instructions may run before `service` must be asked again: 1 in the shadow of STI and the like, else Infinity. */
  readonly window: number;
}
