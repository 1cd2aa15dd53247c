import type { GuestMemory } from "../bus/guest-memory.ts";
import type { Form, FrontEnd } from "../ir/frontend.ts";
import { type Handlers, mostForms, tableSize } from "./forms.ts";
import type { EngineLayout } from "./layout.ts";
import { acrossHandler, emitLoop, type Loop } from "./loop.ts";
import { moduleOf } from "./modules.ts";

/** What a loop is bound to. */
export interface LoopParts {
  readonly guest: GuestMemory;
  readonly front: FrontEnd;
  readonly layout: EngineLayout;
  readonly handlers: Handlers;
}

/**
 * The interpreter's loop, with these sequences in it, behind the first forms.
 *
 * @param key the object which its module belongs to: see `moduleOf`.
 */
export function makeLoop(
  { guest, front, layout, handlers }: LoopParts,
  key: object,
  sequences: readonly (readonly Form[])[],
): Loop {
  const { inlined, imports, table } = handlers;
  const of = [front.slots, guest.wasmPages, ...Object.values(layout).flat(), ...inlined, ...sequences.flat()];
  const module = moduleOf(key, of, () =>
    emitLoop(front, layout, guest.wasmPages, tableSize, mostForms, inlined, sequences),
  );
  const { exports } = new WebAssembly.Instance(module, imports);
  table.set(acrossHandler, exports.across);
  return exports as unknown as Loop;
}
