import { pageSize } from "../../bus/guest-memory.ts";
import { Decoded, Fields, type Form, type FrontEnd } from "../../ir/frontend.ts";
import { armsOf, type Block, type Node, terminated } from "../../ir/node.ts";
import { NotForRegions } from "./cell-builder.ts";
import { keeps, leadsOf, type Relative } from "./leads.ts";
import { builderFor, pageStart } from "./region-builder.ts";

/** How bytes are instructions. */
export interface Decoding {
  readonly front: FrontEnd;
  /** The pc at the first byte of the region's first page. */
  readonly pc: number;
  readonly mode: number;
}

/**
 * A decoded instruction. Places are counted in bytes from the start of the region's first page, the one with the place that became hot; what lies on other
 * pages is as far from there as it is now, by virtual addresses, and a region looks whether that still holds when it goes from page to page.
 */
export interface Found {
  readonly offset: number;
  readonly length: number;
  readonly form: Form;
  /** Its eight operands stand in here, from this place on. */
  readonly operands: Int32Array;
  readonly from: number;
  /** Known places to which it may go, besides falling through. */
  readonly targets: readonly number[];
  readonly falls: boolean;
  /** It goes where a register or memory says. */
  readonly dynamic: boolean;
}

/** A run of instructions entered at its first and left at its last. */
export interface Stretch {
  readonly offset: number;
  readonly instructions: readonly Found[];
}

/** A decoded instruction, and what tells where something else begins. */
export interface Instruction extends Found {
  /** It ends its stretch: it may jump, or what it does changes how the next one is decoded. */
  readonly last: boolean;
  readonly jumps: boolean;
  /** It keeps the address behind it: a call comes back there. */
  readonly links: boolean;
}

/** An instruction which is none for a region: its length. The interpreter does it, and comes back behind it. */
export type Alien = number;

/** How many pages a place lies behind the region's first one. */
export function pageOf(place: number): number {
  return place >> 12;
}

/** Where on its page it lies. */
export function offsetOf(place: number): number {
  return place & (pageSize - 1);
}

/** The place that a jump goes to, or undefined when it is not known. */
export function targetOf(node: Node): number | undefined {
  const target = node.args[0];
  if (target === pageStart) return 0;
  if (target?.op !== "add" || target.args[0] !== pageStart || target.args[1]?.op !== "const") return undefined;
  return target.args[1].imm;
}

/** Whether the region calls a helper at the end of a block. */
function endsIn({ nodes }: Block): boolean {
  const last = nodes.at(-1);
  return last?.op === "exit" && last.helper !== "";
}

function jumpsIn(block: Block, into: Node[]): Node[] {
  for (const node of block.nodes) {
    if (node.op === "jump") into.push(node);
    for (const arm of armsOf(node)) jumpsIn(arm, into);
  }
  return into;
}

const nowhere: readonly number[] = [];

const decoded = new Decoded();
const window = new Uint8Array(16);

/** Decodes the instruction at an offset of a page, into `decoded`. */
function decode({ front, pc, mode }: Decoding, bytes: Uint8Array, number: number, at: number): Form | undefined {
  const available = Math.min(16, pageSize - at);
  for (let k = 0; k < available; k++) window[k] = bytes[at + k] as number;
  if (available <= 0 || !front.decode(window, available, (pc + number * pageSize + at) | 0, mode, decoded))
    return undefined;
  return decoded.form;
}

/** Instructions one behind the other on a page, of which only the last one may lead elsewhere. Throws `RangeError` where there are none, or none for a region. */
export function instructionsFrom(source: Decoding, bytes: Uint8Array, place: number, count: number): Found[] {
  const number = pageOf(place);
  const operands = new Int32Array(8 * count);
  const instructions: Found[] = [];
  for (let k = 0, at = place; k < count; k++) {
    const form = decode(source, bytes, number, offsetOf(at));
    if (form === undefined || pageOf(at) !== number) throw new RangeError(`no instruction at ${at}`);
    const { length } = decoded;
    const from = 8 * k;
    for (let j = 0; j < 8; j++) operands[from + j] = decoded.operands[j] as number;
    instructions.push(
      k === count - 1
        ? leading(source.front, { offset: at, length, form, operands, from })
        : { offset: at, length, form, operands, from, targets: nowhere, falls: true, dynamic: false },
    );
    at += length;
  }
  return instructions;
}

/** With where it leads. */
function leading(front: FrontEnd, one: Plain): Found {
  const leads = leadsOf(one.form);
  if (leads !== undefined) {
    const { places, falls, dynamic } = leads;
    return { ...one, targets: placesIn(places, one), falls, dynamic };
  }
  const found = lookInto(front, one);
  if (typeof found === "number") throw new RangeError(`no instruction for a region at ${one.offset}`);
  return found;
}

/** The places to which an instruction jumps whose form says that it does. */
export function placesIn(places: readonly Relative[], { offset, length, operands, from }: Plain): number[] {
  return places.map(({ behind, field }) => (offset + (behind ? length : 0) + (operands[from + field] as number)) | 0);
}

/** An instruction by itself. */
export type Plain = Pick<Found, "offset" | "length" | "form" | "operands" | "from">;

/** Where an instruction leads, from its meaning. */
export function lookInto(front: FrontEnd, one: Plain): Instruction | Alien {
  const { offset, length, form, operands, from } = one;
  const { mode: modeSlot, fetchBase } = front.slots;
  const builder = builderFor(front);
  builder.begin(0);
  builder.instruction(offset, length, operands, from);
  try {
    form.body(builder, new Fields(builder));
  } catch (thrown) {
    if (thrown instanceof NotForRegions) return length;
    throw thrown;
  }
  const { block } = builder;
  const ends = endsIn(block);
  // One that does nothing but leave gains nothing here.
  if (block.nodes[0]?.op === "exit" && !ends) return length;
  const all = jumpsIn(block, []);
  const targets = all.map(targetOf).filter((target) => target !== undefined);
  return {
    ...one,
    targets,
    falls: !terminated(block),
    dynamic: all.some((jump) => targetOf(jump) === undefined),
    // Behind a helper that ends it the region is come back to as well.
    links: keeps(block, (value) => builder.links.has(value)) || ends,
    // What changes how the next one is decoded, in a region, writes so itself: helpers that do so are none for it.
    last:
      ends || all.length > 0 || (form.ends && [modeSlot, fetchBase].some(({ offset }) => builder.written.has(offset))),
    jumps: all.length > 0,
  };
}
