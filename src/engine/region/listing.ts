import type { Form } from "../../ir/frontend.ts";
import type { Block, Node } from "../../ir/node.ts";
import { print, type Tell } from "../../ir/text.ts";
import { openBlock } from "../forms.ts";
import { instructionsOf, linesOf, type WasmInstruction } from "../wasm/text.ts";
import type { Writes } from "./cell-values.ts";
import type { Found, Stretch } from "./instructions.ts";
import type { PlacedBlock, RegionPlan } from "./plan.ts";
import type { RegionLowering } from "./region-lowering.ts";

/** A region that was made once more, to be looked at. */
export interface Listed {
  readonly plan: RegionPlan;
  readonly stretches: readonly Stretch[];
  readonly lowering: RegionLowering;
  /** The function's code. */
  readonly body: Uint8Array;
  /** Of its module. */
  readonly bytes: number;
}

/** What a listing says of places outside the region. */
export interface Surroundings {
  /** Linear address of the first byte of the region's first page. */
  readonly page: number;
  /** So many bytes of code from a place on. */
  bytes(place: number, length: number): Uint8Array;
  /** The name of the piece of state that lies at a place, where there is one. */
  slot(offset: number): string | undefined;
}

const hex = (value: number, digits = 1) => (value >>> 0).toString(16).padStart(digits, "0");

/**
 * A region as lines of text, block by block: the guest's instructions in our decoder's words (the name of the form and its operands), the IR they became, and the
 * WebAssembly that became of it, in its text format.
 */
export function listing(region: Listed, around: Surroundings): string[] {
  const { plan, stretches, lowering, body } = region;
  const count = stretches.reduce((sum, { instructions }) => sum + instructions.length, 0);
  const entries = plan.entries.map((k) => `0x${hex(around.page + (plan.blocks[k]?.offset ?? 0))}`);
  const { starts } = lowering;
  const code = instructionsOf(body, { local: localNames(lowering, around), function: (k) => functions[k] });
  const lines = [
    `region ${plan.index} on page 0x${hex(around.page)}: ${count} instructions, ${region.bytes} bytes of WebAssembly, entered at ${entries.join(" ")}`,
    "",
    "in front of the first block",
    ...indented(wasmBetween(code, 0, starts[1] ?? 0)),
  ];
  for (const [k, block] of plan.blocks.entries()) {
    if (block === undefined) continue;
    const stretch = stretches.find(({ offset }) => offset === block.offset);
    const entered = plan.entries.includes(k) ? ", entered" : "";
    lines.push("", `block ${k}${entered}`);
    for (const one of stretch?.instructions ?? []) lines.push(`  ${instructionLine(one, around)}`);
    lines.push("  IR", ...indented(irOf(block, around)));
    lines.push("  WebAssembly", ...indented(wasmBetween(code, starts[k] ?? 0, starts[k + 1] ?? 0)));
  }
  lines.push("", "behind the last block", ...indented(wasmBetween(code, starts.at(-1) ?? 0, body.length)));
  return lines;
}

/** What a region imports first. */
const functions: readonly string[] = ["$enter", "$chain"];

const indented = (lines: readonly string[]) => lines.map((line) => `    ${line}`);

function localNames(lowering: RegionLowering, around: Surroundings): (index: number) => string | undefined {
  const names = lowering.localNames((offset) => slotName(offset, around));
  return (index) => names.get(index) ?? `$${index}`;
}

function wasmBetween(code: readonly WasmInstruction[], from: number, to: number): string[] {
  return linesOf(code.filter(({ at }) => at >= from && at < to));
}

function slotName(offset: number, { slot }: Surroundings): string {
  return slot(offset) ?? `state.${offset}`;
}

/** Whether a byte belongs to one of the instructions. */
export function covers(stretches: readonly Stretch[], offset: number): boolean {
  return stretches.some(({ instructions }) =>
    instructions.some((one) => one.offset <= offset && offset < one.offset + one.length),
  );
}

/** What a listing says of an instruction. */
type Shown = Pick<Found, "offset" | "length" | "form" | "operands" | "from">;

/** Address, bytes, the form's name and the operands that it uses: registers by name, the rest as numbers. */
export function instructionLine({ offset, length, form, operands, from }: Shown, around: Surroundings): string {
  const bytes = Array.from(around.bytes(offset, length), (byte) => hex(byte, 2)).join(" ");
  const words = [...fieldsOf(form)].map(([k, register]) => {
    const value = operands[from + k] as number;
    return (register ? around.slot(value) : undefined) ?? (k < 6 ? `${value}` : `0x${hex(value)}`);
  });
  return `${hex(around.page + offset, 8)}  ${bytes.padEnd(24)}  ${form.name} ${words.join(", ")}`.trimEnd();
}

/** The operands that a form's body asks for, in order, and whether they say where a register lies. */
function fieldsOf(form: Form): ReadonlyMap<number, boolean> {
  const found = new Map<number, boolean>();
  const visit = (block: Block) => {
    for (const node of block.nodes) {
      if (node.op === "field") found.set(node.imm, found.get(node.imm) ?? false);
      const base = node.op === "get" ? node.args[0] : node.op === "set" ? node.args[1] : undefined;
      if (base?.op === "field") found.set(base.imm, true);
      for (const arm of [node.yes, node.no]) if (arm !== undefined) visit(arm);
    }
  };
  visit(openBlock(form));
  return new Map([...found].sort(([a], [b]) => a - b));
}

/** The IR of a block: words of state by their names, and what is written where control may leave. */
function irOf({ built, instructions }: PlacedBlock, around: Surroundings): string[] {
  const tell: Tell = (node, words, name) => {
    const writes = built.writes.get(node);
    if (writes !== undefined) return told(node, writes, name, around);
    const leaving = built.leaving.get(node);
    if (leaving !== undefined) {
      const at = hex(around.page + (instructions[leaving.index] ?? 0));
      const with_ = assignments(leaving.writes, name, around);
      return `${words}  ; may leave at 0x${at}${with_ === "" ? "" : `, ${with_}`}`;
    }
    return node.op === "get" ? `${words}  ; ${slotName(node.imm, around)}` : words;
  };
  return print(built.block, tell).trimEnd().split("\n");
}

function told(node: Node, writes: Writes, name: (value: Node) => string, around: Surroundings): string {
  const set = assignments(writes, name, around);
  if (node.op === "set") return `set ${set}`;
  return `${node.op} ${name(node.args[0] as Node)}${set === "" ? "" : `  ; ${set}`}`;
}

function assignments({ cells, values }: Writes, name: (value: Node) => string, around: Surroundings): string {
  return cells.map((cell, k) => `${slotName(cell, around)} = ${name(values[k] as Node)}`).join(", ");
}

/** Says what lies at a place in the state that is known. */
function named({ slot }: Surroundings): Tell {
  return (node, words) => {
    const known = (node.op === "get" && node.args.length === 0) || (node.op === "set" && node.args.length === 1);
    const name = known ? slot(node.imm) : undefined;
    return name === undefined ? words : `${words}  ; ${name}`;
  };
}

/** What the interpreter does for an instruction, as IR with its operands left open. */
export function interpreted(one: Shown, around: Surroundings): string[] {
  return [
    "interpreted: no region holds it",
    `  ${instructionLine(one, around)}`,
    "  IR of its form",
    ...indented(print(openBlock(one.form), named(around)).trimEnd().split("\n")),
  ];
}
