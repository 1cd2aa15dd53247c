import { Decoded, Fields, type Form, type FrontEnd } from "../../ir/frontend.ts";
import { type Block, type Node, terminated } from "../../ir/node.ts";
import { NotForRegions, pageStart, RegionBuilder } from "./region-builder.ts";

const pageSize = 4096;
/** Instructions in a region at most: about 40 bytes of WebAssembly each, and V8 optimises up to some tens of kilobytes in a few ms. */
export const largest = 400;
/** Ways into a region at most. */
const mostEntries = 64;

/** A decoded instruction on the region's page. */
export interface Found {
  readonly offset: number;
  readonly length: number;
  readonly form: Form;
  readonly operands: Int32Array;
  /** Places on the page to which it may go, besides falling through. */
  readonly targets: readonly number[];
  readonly falls: boolean;
  /** It goes where a register or memory says. */
  readonly dynamic: boolean;
  /** It ends its stretch: it may jump, or what it does changes how the next one is decoded. */
  readonly last: boolean;
}

/** A run of instructions entered at its first and left at its last. */
export interface Stretch {
  readonly offset: number;
  readonly instructions: readonly Found[];
}

/** What is reached on the page. */
export interface Discovery {
  readonly stretches: readonly Stretch[];
  /** Where it may be entered: the places asked for, and those where calls come back to. */
  readonly entries: readonly number[];
}

/** An instruction that jumps, and whether it keeps the address behind it. */
interface Links {
  readonly jumps: boolean;
  readonly links: boolean;
}

/** The place on the page that a jump goes to, or undefined when it is not known or lies elsewhere. */
export function targetOf(node: Node): number | undefined {
  const target = node.args[0];
  if (target === pageStart) return 0;
  if (target?.op !== "add" || target.args[0] !== pageStart || target.args[1]?.op !== "const") return undefined;
  const offset = target.args[1].imm;
  return offset >= 0 && offset < pageSize ? offset : undefined;
}

/** Whether a jump goes to a known place which is not on the page. */
export function isElsewhere(node: Node): boolean {
  const target = node.args[0];
  return target?.op === "add" && target.args[0] === pageStart && target.args[1]?.op === "const";
}

/** Whether one of the values is stored in memory or in a word of state. */
function keeps(block: Block, links: ReadonlySet<Node>): boolean {
  return block.nodes.some((node) => {
    const kept = node.op === "store" || node.op === "jump" ? node.args.slice(1) : node.op === "set" ? node.args : [];
    return (
      kept.some((arg) => links.has(arg)) || [node.yes, node.no].some((arm) => arm !== undefined && keeps(arm, links))
    );
  });
}

function jumpsIn(block: Block, into: Node[]): Node[] {
  for (const node of block.nodes) {
    if (node.op === "jump") into.push(node);
    if (node.yes !== undefined) jumpsIn(node.yes, into);
    if (node.no !== undefined) jumpsIn(node.no, into);
  }
  return into;
}

/** What a region is made from. */
export interface Source {
  readonly front: FrontEnd;
  /** The page's bytes. */
  readonly bytes: Uint8Array;
  /** The pc at the page's first byte. */
  readonly pc: number;
  readonly mode: number;
  /** Whether an instruction at this place has been come to: what never ran stays out. */
  ran(offset: number): boolean;
  /** What was found on the page before, by offset: `undefined` where nothing for a region stands. */
  readonly known: Map<number, Instruction | undefined>;
}

/** A decoded instruction, and what tells that a call comes back behind it. */
export type Instruction = Found & Links;

/**
 * The code that is reached from `wanted` without leaving the page, cut into stretches. Empty when not even the first of these instructions
 * can be in a region.
 */
export function discover(source: Source, wanted: readonly number[]): Discovery {
  const found = new Map<number, Found>();
  const entries = new Set(wanted);
  const leaders = new Set(wanted);
  const work = [...wanted].reverse();
  for (let offset = work.pop(); offset !== undefined; offset = work.pop()) {
    for (let at: number = offset; !found.has(at) && source.ran(at); ) {
      if (found.size >= largest) break;
      const one = source.known.has(at) ? source.known.get(at) : inspect(source, at);
      source.known.set(at, one);
      if (one === undefined) break;
      found.set(at, one);
      for (const target of one.targets) {
        leaders.add(target);
        work.push(target);
      }
      at += one.length;
      if (one.links && at < pageSize && source.ran(at) && entries.size < mostEntries) {
        entries.add(at);
        leaders.add(at);
        work.push(at);
      }
      if (!one.falls || (one.last && !one.jumps)) break;
      if (one.jumps) leaders.add(at);
    }
  }
  const stretches = [...leaders].filter((leader) => found.has(leader)).map((leader) => stretch(found, leaders, leader));
  return { stretches, entries: [...entries].filter((at) => found.has(at)) };
}

function stretch(found: ReadonlyMap<number, Found>, leaders: ReadonlySet<number>, offset: number): Stretch {
  const instructions: Found[] = [];
  for (let at = offset; ; ) {
    const one = found.get(at);
    if (one === undefined || (at !== offset && leaders.has(at))) break;
    instructions.push(one);
    at += one.length;
    if (one.last) break;
  }
  return { offset, instructions };
}

function inspect({ front, bytes, pc, mode }: Source, at: number): (Found & Links) | undefined {
  const available = Math.min(16, pageSize - at);
  if (available <= 0) return undefined;
  const decoded = new Decoded();
  if (
    !front.decode(bytes.subarray(at, at + available), available, pc + at, mode, decoded) ||
    decoded.form === undefined
  )
    return undefined;
  const builder = new RegionBuilder(front, decoded.operands);
  builder.instruction(at, decoded.length, decoded.operands);
  try {
    decoded.form.body(builder, new Fields(builder));
  } catch (thrown) {
    if (thrown instanceof NotForRegions) return undefined;
    throw thrown;
  }
  const { block } = builder;
  // One that does nothing but leave gains nothing here.
  if (block.nodes[0]?.op === "exit") return undefined;
  const jumps = jumpsIn(block, []);
  const targets = jumps.map(targetOf).filter((target) => target !== undefined);
  return {
    offset: at,
    length: decoded.length,
    form: decoded.form,
    operands: decoded.operands,
    targets,
    falls: !terminated(block),
    dynamic: jumps.some((jump) => targetOf(jump) === undefined && !isElsewhere(jump)),
    links: keeps(block, builder.links),
    last: decoded.ends || jumps.length > 0,
    jumps: jumps.length > 0,
  };
}
