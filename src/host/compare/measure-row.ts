import { CharacterFifo, sinkTo } from "../../backend/character.ts";
import { Loopback } from "../../backend/loopback.ts";
import { MemoryBlock } from "../../backend/memory-block.ts";
import type { Machine } from "../../board/machine.ts";
import { Debugger } from "../../debug/debugger.ts";
import { Symbols } from "../../debug/symbols.ts";
import { createMachine } from "../../index.ts";
import { type AccessCounts, accessKinds } from "../../virtio/transport-counts.ts";
import { demoDisk } from "../demo-disk.ts";
import { oneLine } from "../failure.ts";
import { readImage } from "../images.ts";
import { findMachine } from "../machines.ts";
import { devices, type Row } from "../matrix/plan.ts";

/** Ways of the kernel's own work, in its order (guest/kernel/compare.c): one request at a time, eight in flight, eight announced together. */
export const ways = ["alone", "stream", "batch"] as const;
export type Way = (typeof ways)[number];

/** What a stretch of work took, as the emulator counted it. Of the requests the number, of all else the sum. */
export interface Work {
  readonly way: Way;
  readonly eventIndex: boolean;
  readonly requests: number;
  readonly instructions: number;
  /** Accesses which a chip answered, and halts: each would take the processor out of its guest. */
  readonly exits: number;
  readonly halts: number;
  /** Of the disk's function. */
  readonly accesses: AccessCounts;
  readonly doorbells: number;
  readonly messages: number;
  readonly pins: number;
}

/** What one boot gave. Plain data: it crosses from thread to thread. */
export interface Measured {
  readonly row: Row;
  /** What the guest said of how it drives the devices, or why there are no figures. */
  readonly trouble?: string;
  readonly setup: Readonly<Record<string, AccessCounts>>;
  readonly work: readonly Work[];
}

const memory = 64 * 2 ** 20;
const slice = 1_000_000;
/** Virtual nanoseconds: a hundred times what the work takes. */
const longestGuest = 60e9;
/** The word in the kernel at whose stores counts are taken. */
const mark = "compare_marks";

/** Boots the row's machine with the demo kernel, which does its work on the first disk, and takes counts at the kernel's marks. Never rejects. */
export async function measureRow(row: Row): Promise<Measured> {
  try {
    return await measure(row);
  } catch (error) {
    return { row, trouble: oneLine((error as Error).message), setup: {}, work: [] };
  }
}

async function measure(row: Row): Promise<Measured> {
  const spec = await findMachine(row.machine);
  const kernel = readImage(`guest/images/${spec.kernel}`);
  let text = "";
  const machine = createMachine(
    { ...spec, virtio: [{ kind: "console" }, { kind: "rng" }] },
    {
      firmware: readImage(`firmware/images/${spec.firmware.image}`),
      kernel,
      memory,
      append: `compare layout=${row.layout.driver} ring=${row.ring} irq=${row.irq}`,
      drives: [{ backend: new MemoryBlock(demoDisk(), "compare") }],
      networks: [{ backend: new Loopback() }],
      layout: row.layout.shown,
      irq: row.irq,
      ring: row.ring,
      virtioConsole: { output: sinkTo(() => {}), input: new CharacterFifo() },
      onConsole: (byte) => {
        if (text.length < 65_536) text += String.fromCharCode(byte);
      },
    },
  );
  const marks = runToMarks(machine, new Symbols(kernel));
  const setup = Object.fromEntries(devices.map((device) => [device, setupOf(marks.stats[0] ?? {}, `${device}0`)]));
  const said = claims(text);
  const trouble = marks.trouble ?? refusal(row, text, setup) ?? (machine.status === 0 ? undefined : lastWords(text));
  if (trouble !== undefined) return { row, trouble, setup, work: [] };
  const work = said.map((claim, i) => between(claim, marks.stats[2 * i + 1] ?? {}, marks.stats[2 * i + 2] ?? {}));
  const odd = said.length !== 2 * ways.length || marks.stats.length !== 1 + 2 * said.length;
  const different = odd
    ? `the kernel's ${said.length} lines and ${marks.stats.length} marks do not fit`
    : disagreement(said, work);
  return { row, setup, work, ...(different !== undefined && { trouble: different }) };
}

type Stats = Readonly<Record<string, number>>;

/** Runs until the guest leaves. Gives the counts at each mark. */
function runToMarks(
  machine: Machine,
  symbols: Symbols,
): { readonly stats: readonly Stats[]; readonly trouble?: string } {
  const stats: Stats[] = [];
  const address = symbols.address(mark);
  if (address === undefined) return { stats, trouble: `the kernel has no symbol ${mark}` };
  const held = new Debugger(machine, symbols);
  held.addWatchpoint(mark, { address, length: 4, on: "write" });
  for (;;) {
    const { reason } = held.run(slice);
    if (reason === "exit") return { stats };
    if (held.stopped) {
      // Whoever clears the kernel's memory stores a 0 there.
      if (held.memory.read(address, 4).some((byte) => byte !== 0)) stats.push(machine.stats());
      held.resume();
    } else if (reason === "idle") return { stats, trouble: "the guest waits for nothing that can happen" };
    if (machine.clock.now > longestGuest)
      return { stats, trouble: `the guest still ran after ${longestGuest / 1e9} s of its time` };
  }
}

/** The guest's own account of a stretch of work. */
interface Claim {
  readonly way: Way;
  readonly eventIndex: boolean;
  readonly requests: number;
  readonly accesses: number;
  readonly doorbells: number;
  readonly interrupts: number;
  readonly messages: number;
  readonly errors: number;
}

const line =
  /^compare event-index=(on|off) (alone|stream|batch) requests=(\d+) accesses=(\d+) doorbells=(\d+) interrupts=(\d+) messages=(\d+) errors=(\d+)\r?$/gm;

function claims(text: string): readonly Claim[] {
  return [...text.matchAll(line)].map(([, on, way, ...figures]) => {
    const [requests = 0, accesses = 0, doorbells = 0, interrupts = 0, messages = 0, errors = 0] = figures.map(Number);
    return { way: way as Way, eventIndex: on === "on", requests, accesses, doorbells, interrupts, messages, errors };
  });
}

/** How the guest drives its devices, where that is not what was asked for: another layout, other rings, not at all; or counts its set-up otherwise than we do. */
function refusal(row: Row, text: string, setup: Measured["setup"]): string | undefined {
  const found = [...text.matchAll(/^found (\w+) layout=([\w-]+) ring=(\w+) irq=([\w-]+) setup_accesses=(\d+)/gm)];
  for (const [, device = "", layout, ring, irq, accesses] of found) {
    if (layout === "none")
      return `${device}: ${/virtio: \S+ (.*in reach|legacy: .*)\r?$/m.exec(text)?.[1] ?? "no layout is in reach"}`;
    if (layout !== row.layout.driver) return `${device}: driven as ${layout}`;
    if (ring !== row.ring) return `${device}: its rings are ${ring}`;
    if (irq !== row.irq) return `${device}: its interrupts come by ${irq}`;
    const { ports = 0, memory = 0 } = setup[device] ?? {};
    if (Number(accesses) !== ports + memory)
      return `${device}: the guest counts ${accesses} accesses of set-up and the emulator ${ports + memory}`;
  }
  return found.length === 0 ? lastWords(text) : undefined;
}

function lastWords(text: string): string {
  return `the guest's last words: ${text.trimEnd().split(/\r?\n/).at(-1)?.trim().slice(0, 200) ?? ""}`;
}

function between(claim: Claim, from: Stats, to: Stats): Work {
  const of = (name: string) => (to[name] ?? 0) - (from[name] ?? 0);
  const counts = Object.fromEntries(accessKinds.map((kind) => [kind, of(`blk0.${kind}`)])) as unknown as AccessCounts;
  return {
    way: claim.way,
    eventIndex: claim.eventIndex,
    requests: claim.requests,
    instructions: of("instructions"),
    exits: of("chip-accesses") + of("halts"),
    halts: of("halts"),
    accesses: counts,
    doorbells: of("blk0.doorbells"),
    messages: of("blk0.messages"),
    pins: of("blk0.pins"),
  };
}

/** What guest and emulator do not count alike, the first that is, or undefined. */
function disagreement(said: readonly Claim[], work: readonly Work[]): string | undefined {
  for (const [i, seen] of work.entries()) {
    const claim = said[i] as Claim;
    const pairs = [
      ["accesses", claim.accesses, seen.accesses.ports + seen.accesses.memory],
      ["doorbells", claim.doorbells, seen.doorbells],
      ["interrupts", claim.interrupts, seen.messages + seen.pins],
      ["messages", claim.messages, seen.messages],
      ["errors", claim.errors, 0],
    ] as const;
    for (const [what, guest, emulator] of pairs)
      if (guest !== emulator) return `${claim.way}: the guest counts ${guest} ${what} and the emulator ${emulator}`;
  }
  return undefined;
}

function setupOf(stats: Stats, device: string): AccessCounts {
  return Object.fromEntries(
    accessKinds.map((kind) => [kind, stats[`${device}.setup-${kind}`] ?? 0]),
  ) as unknown as AccessCounts;
}
