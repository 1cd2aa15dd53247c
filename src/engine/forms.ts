import type { GuestMemory } from "../bus/guest-memory.ts";
import { Builder } from "../ir/builder.ts";
import { Decoded, Fields, type Form, type FrontEnd, type Helper, type TlbPlaces } from "../ir/frontend.ts";
import { type Block, Status } from "../ir/node.ts";
import { HandlerLowering, handlerParams, importsOf, standsAlone } from "./lower.ts";
import { moduleOf } from "./modules.ts";
import { oncePer } from "./once-per.ts";
import { withQuickWays } from "./routines.ts";
import { Sequences } from "./sequences.ts";
import { Bytes } from "./wasm/bytes.ts";
import { ModuleBuilder } from "./wasm/module.ts";

/** What handlers call for an access which the TLB does not answer. */
export interface SlowAccess {
  /** The value; `writing` for the first half of a read-modify-write. Sets the trap slot on a fault. */
  read(address: number, width: number, writing: number): number;
  /** Not 0 on a fault. */
  write(address: number, width: number, value: number): number;
  probe(address: number, width: number): number;
  /** A helper threw the fault: sets the trap slot. */
  trap(): void;
}

/** Handlers which fit into the table: both front ends have some thousands of forms, most never met. */
export const mostForms = 16384;
/** The rest is for regions. */
export const tableSize = 65536;

/**
 * The handlers: one WebAssembly function a form, made when the decoder first meets it.
 *
 * All forms that a run of instructions brings for the first time are compiled in one module, since a module costs more than a function.
 */
export class Handlers {
  readonly table: WebAssembly.Table;
  readonly #guest: GuestMemory;
  readonly #front: FrontEnd;
  /** The front end's helpers, each of which sets the trap slot when it throws the fault. */
  readonly helpers: WebAssembly.ModuleImports;
  /** What modules with handlers import. */
  readonly imports: WebAssembly.Imports;
  readonly #indices = new Map<Form, number>();
  /** By their indices. */
  readonly #forms: (Form | undefined)[] = [];
  #wanted: Form[] = [];
  #next: number;
  /** The first forms, whose handlers are inside the interpreter's loop. */
  readonly inlined: readonly Form[];
  /** Those of them which are nowhere else: all, until somebody wants to call them. */
  readonly #uncalled: Set<Form>;
  /** Instructions whose forms are wanted as soon as one is in their mode. */
  #usual: readonly string[];
  modules = 0;
  /** Those of `CommonCode`, which nobody knows of before `sequenced` is asked. */
  readonly sequences: Sequences;

  constructor(guest: GuestMemory, front: FrontEnd, slow: SlowAccess, first: number, tlbs: TlbPlaces) {
    this.table = new WebAssembly.Table({ element: "anyfunc", initial: tableSize, maximum: tableSize });
    this.#guest = guest;
    this.#front = front;
    this.#next = first;
    const plain = Object.entries(front.helpers).map(
      ([name, helper]) => [name, guarded(helper, front.fault, slow.trap)] as const,
    );
    const { common: named } = front;
    this.#usual = named?.usual ?? [];
    this.inlined = formsOf(front, named?.instructions ?? []).filter(mayBeInlined);
    this.#uncalled = new Set(this.inlined);
    for (const form of this.inlined) this.#number(form);
    this.sequences = new Sequences(new Int32Array(guest.memory.buffer), this.#next);
    this.#next += named?.sequences.length ?? 0;
    this.helpers = withQuickWays(guest, front, Object.fromEntries(plain), tlbs);
    this.imports = {
      run: { memory: guest.memory, table: this.table, read: slow.read, write: slow.write, probe: slow.probe },
      help: this.helpers,
    };
  }

  /** How many forms have a handler. */
  get count(): number {
    return this.#indices.size;
  }

  /** The forms of the sequences, whose handlers are in the loop behind the first forms' from now on. */
  sequenced(): readonly (readonly Form[])[] {
    const front = this.#front;
    const sequences = (front.common?.sequences ?? []).map((text) =>
      text.split(" ").flatMap((instruction) => formsOf(front, [instruction])),
    );
    this.sequences.know(sequences.map((forms) => forms.map((form) => this.index(form))));
    return sequences;
  }

  /** The table index of a form's handler, which is there after the next `compile`. */
  index(form: Form): number {
    let index = this.#indices.get(form);
    if (index === undefined) {
      if (this.#next >= mostForms) throw new Error(`more than ${mostForms} instruction forms`);
      index = this.#number(form);
      this.#wanted.push(form);
    }
    return index;
  }

  #number(form: Form): number {
    this.#indices.set(form, this.#next);
    this.#forms[this.#next] = form;
    return this.#next++;
  }

  /** The form of a handler; undefined for what is no form's: a sequence, a region, the end of a run. */
  form(handler: number): Form | undefined {
    return this.#forms[handler];
  }

  /** Wants the handler of a form which the loop has to call, also where that is one of the first: it is there after the next `compile`. */
  called(form: Form): void {
    if (this.#uncalled.delete(form)) this.#wanted.push(form);
  }

  /** Makes the handlers of all the first forms: regions call them. */
  callable(mode: number): void {
    for (const form of this.#uncalled) this.#wanted.push(form);
    this.#uncalled.clear();
    this.compile(mode);
  }

  /** @param mode in which the forms were found that are wanted. */
  compile(mode: number): void {
    if (this.#wanted.length === 0) return;
    if (this.#usual.length > 0 && mode === this.#front.common?.mode) {
      for (const form of formsOf(this.#front, this.#usual)) this.index(form);
      this.#usual = [];
    }
    const forms = this.#wanted;
    this.#wanted = [];
    const pages = this.#guest.wasmPages;
    const [first] = forms as [Form, ...Form[]];
    const module = moduleOf(first, [this.#front.slots, pages, ...forms], () => emitHandlers(this.#front, pages, forms));
    const instance = new WebAssembly.Instance(module, this.imports);
    for (const [i, form] of forms.entries())
      this.table.set(this.#indices.get(form) as number, instance.exports[`${i}`]);
    this.modules++;
  }
}

/** A module with the handlers of forms, by their numbers in the list. */
function emitHandlers(front: FrontEnd, pages: number, forms: readonly Form[]): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory("run", "memory", pages);
  const blocks = forms.map(openBlock);
  for (const block of blocks) importsOf(block, module, front);
  for (const [i, block] of blocks.entries()) {
    const out = new Bytes();
    const lowering = new HandlerLowering(out, module, front);
    lowering.handler(block);
    module.export(`${i}`, module.function(handlerParams, ["i32"], lowering.locals, out));
  }
  return module.bytes();
}

/** Whether the handler of a form can be inside the loop. */
const mayBeInlined = oncePer((form: Form) => standsAlone(openBlock(form)));

/** The forms which instructions stand for, written as `CommonCode` has them. */
function formsOf(front: FrontEnd, instructions: readonly string[]): readonly Form[] {
  const mode = front.common?.mode ?? 0;
  const decoded = new Decoded();
  const forms = new Set<Form>();
  const bytes = new Uint8Array(16);
  for (const text of instructions) {
    for (let k = 0; k < text.length; k += 2) bytes[k / 2] = Number.parseInt(text.slice(k, k + 2), 16);
    if (front.decode(bytes, text.length / 2, 0, mode, decoded) && decoded.form !== undefined) forms.add(decoded.form);
  }
  return [...forms];
}

/** The body of a form with its operands left open. */
export function openBlock(form: Form): Block {
  const builder = new Builder("open");
  form.body(builder, new Fields(builder));
  return builder.block;
}

/** A helper that throws the guest's fault ends its instruction with `Status.fault`; code that only called it looks at the trap slot. */
function guarded(helper: Helper, fault: object, trap: () => void): Helper {
  return (a, b, c, d) => {
    try {
      return helper(a, b, c, d);
    } catch (thrown) {
      if (thrown !== fault) throw thrown;
      trap();
      return Status.fault;
    }
  };
}
