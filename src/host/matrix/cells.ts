import type { IrqMode } from "../../board/options.ts";
import { type DeviceKind, devices, type Row, ringName } from "./plan.ts";

/** What one boot gave: the guest's words, and what the emulator saw meanwhile. Plain data: it crosses from thread to thread. */
export interface RowResult {
  readonly row: Row;
  /** The exit status, undefined where the guest did not leave. */
  readonly status: number | undefined;
  /** What went wrong beside the cells: a time-out, an error. */
  readonly trouble?: string;
  /** The serial console. */
  readonly text: string;
  /** What came out of the virtio console. */
  readonly consoleText: string;
  /** What the network card has sent, as text. */
  readonly wireText: string;
  /** The machine's counts by name. */
  readonly counts: Readonly<Record<string, number>>;
}

/** One device of one row. */
export interface Cell {
  readonly machine: string;
  readonly layout: string;
  /** Its format, and what it has besides. */
  readonly ring: string;
  readonly irq: IrqMode;
  readonly device: DeviceKind;
  readonly ok: boolean;
  /** Why it was not tried: the machine cannot do it. It counts as ok. */
  readonly skipped?: string;
  /** Why it is not. */
  readonly why?: string;
  /** As the emulator counted them. */
  readonly messages: number;
  readonly interrupts: number;
  readonly setupAccesses: number;
}

/** The guest's line about a device. */
interface Claim {
  readonly layout: string;
  readonly ring: string;
  readonly irq: string;
  readonly messages: number;
  readonly interrupts: number;
  readonly setupAccesses: number;
  readonly verdict: string;
}

const line =
  /^cell (\w+) layout=([\w-]+) ring=([\w+-]+) irq=([\w-]+) messages=(\d+) interrupts=(\d+) setup_accesses=(\d+) (ok|FAIL.*?) *\r?$/gm;

/** What the guest's console cell says through the virtio console. */
const greeting = "barzero console cell";
/** What its network cell sends to itself. */
const datagram = "barzero net cell";

function claims(text: string): ReadonlyMap<string, readonly Claim[]> {
  const found = new Map<string, Claim[]>();
  for (const [
    ,
    device = "",
    layout = "",
    ring = "",
    irq = "",
    messages,
    interrupts,
    setup,
    verdict = "",
  ] of text.matchAll(line)) {
    const claim = {
      layout,
      ring,
      irq,
      messages: Number(messages),
      interrupts: Number(interrupts),
      setupAccesses: Number(setup),
      verdict,
    };
    found.set(device, [...(found.get(device) ?? []), claim]);
  }
  return found;
}

/** The cells of a row. A cell is ok when the guest says so and the emulator has seen the same. */
export function judge(result: RowResult): readonly Cell[] {
  const { row, counts } = result;
  if (row.skip !== undefined) return devices.map((device) => skipped(row, device, row.skip as string));
  const said = claims(result.text);
  return devices.map((device) => {
    const of = (name: string) => counts[`${device}0.${name}`] ?? 0;
    const messages = of("messages");
    const seen = { messages, interrupts: messages + of("pins"), setupAccesses: of("setup-accesses") };
    const why = objection(result, device, seen, said.get(device) ?? []);
    return {
      machine: row.machine,
      layout: row.layout.name,
      ring: ringName(row),
      irq: row.irq,
      device,
      ok: why === undefined,
      ...(why !== undefined && { why }),
      ...seen,
    };
  });
}

function skipped(row: Row, device: DeviceKind, why: string): Cell {
  const { machine, layout, irq } = row;
  return {
    machine,
    layout: layout.name,
    ring: ringName(row),
    irq,
    device,
    ok: true,
    skipped: why,
    messages: 0,
    interrupts: 0,
    setupAccesses: 0,
  };
}

type Seen = Pick<Cell, "messages" | "interrupts" | "setupAccesses">;

/** What is wrong with a cell, the first that is, or undefined. */
function objection(result: RowResult, device: DeviceKind, seen: Seen, said: readonly Claim[]): string | undefined {
  const { row, counts } = result;
  const [claim] = said;
  if (claim === undefined) return result.trouble ?? `the guest said nothing of it${lastWords(result.text)}`;
  if (said.length > 1) return "the guest found it twice";
  if (claim.verdict !== "ok") return claim.verdict.replace(/^FAIL */, "") || "the guest says so";
  if (claim.layout !== row.layout.driver) return `driven as ${claim.layout}`;
  if (claim.ring !== ringName(row)) return `rings are ${claim.ring}`;
  if (claim.irq !== row.irq) return `interrupts by ${claim.irq}`;
  for (const what of ["messages", "interrupts", "setupAccesses"] as const)
    if (claim[what] !== seen[what]) return `the guest counts ${claim[what]} ${what} and the emulator ${seen[what]}`;
  if (seen.interrupts === 0) return "no interrupt";
  if (row.irq === "intx" ? seen.messages !== 0 : seen.messages !== seen.interrupts)
    return `${seen.messages} of ${seen.interrupts} interrupts came as messages`;
  if (device === "console" && !result.consoleText.includes(greeting)) return "its line did not come out";
  if (device === "net" && !result.wireText.includes(datagram)) return "its datagram was not on the wire";
  if ((counts["messages-dropped"] ?? 0) !== 0) return `${counts["messages-dropped"]} messages of the row were dropped`;
  if (result.trouble !== undefined) return result.trouble;
  return result.status === 0 ? undefined : `the guest left with status ${result.status}`;
}

function lastWords(text: string): string {
  const last = text.trimEnd().split(/\r?\n/).at(-1)?.trim() ?? "";
  return last === "" ? "" : `; its last words: ${last.slice(0, 200)}`;
}
