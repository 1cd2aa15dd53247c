import { performance } from "node:perf_hooks";
import { CharacterFifo, sinkTo } from "../../backend/character.ts";
import { Loopback } from "../../backend/loopback.ts";
import { MemoryBlock } from "../../backend/memory-block.ts";
import { CapturedNetwork } from "../../backend/pcap.ts";
import type { Machine } from "../../board/machine.ts";
import type { MachineSpec } from "../../board/spec.ts";
import { createMachine } from "../../index.ts";
import { demoDisk } from "../demo-disk.ts";
import { oneLine } from "../failure.ts";
import { readImage } from "../images.ts";
import { findMachine } from "../machines.ts";
import type { RowResult } from "./cells.ts";
import type { Row } from "./plan.ts";

/** Enough for the kernel, and little to clear. */
const memory = 64 * 2 ** 20;

/** Instructions a slice, and what a boot may take: a hundred times what it needs. */
const slice = 1_000_000;
const longestGuest = 60e9;
const longestHost = 60_000;

/** What is kept of either console: a guest may print for ever. */
const longestText = 65_536;

/** Boots the row's machine with the demo kernel, which tries its devices one after the other. Never rejects. */
export async function runRow(row: Row): Promise<RowResult> {
  if (row.skip !== undefined) return { row, status: undefined, text: "", consoleText: "", wireText: "", counts: {} };
  const serial = new Gathered();
  const spoken = new Gathered();
  const carried = new Gathered();
  let machine: Machine | undefined;
  let trouble: string | undefined;
  try {
    const spec = await findMachine(row.machine);
    machine = createMachine(withDevices(spec), {
      firmware: readImage(`firmware/images/${spec.firmware.image}`),
      kernel: readImage(`guest/images/${spec.kernel}`),
      memory,
      append: `matrix layout=${row.layout.driver} ring=${row.ring} irq=${row.irq} ${(row.with ?? []).join(" ")}`,
      drives: [{ backend: new MemoryBlock(demoDisk(), "matrix") }],
      networks: [{ backend: new CapturedNetwork(new Loopback(), { put: (bytes) => carried.add(bytes), epoch: 0 }) }],
      layout: row.layout.shown,
      irq: row.irq,
      ring: row.ring,
      virtioConsole: { output: sinkTo((bytes) => spoken.add(bytes)), input: new CharacterFifo() },
      onConsole: (byte) => serial.add([byte]),
    });
    trouble = await run(machine);
  } catch (error) {
    trouble = oneLine((error as Error).message);
  }
  return {
    row,
    status: machine?.status,
    ...(trouble !== undefined && { trouble }),
    text: serial.text,
    consoleText: spoken.text,
    wireText: carried.text,
    counts: machine?.stats() ?? {},
  };
}

function withDevices(spec: MachineSpec): MachineSpec {
  return { ...spec, virtio: [{ kind: "console" }, { kind: "rng" }] };
}

/** Runs until the guest leaves. Gives what kept it from that. */
async function run(machine: Machine): Promise<string | undefined> {
  const end = performance.now() + longestHost;
  for (;;) {
    const result = machine.run(slice);
    if (result.reason === "exit") return undefined;
    if (result.reason === "idle") return "the guest waits for nothing that can happen";
    if (machine.clock.now > longestGuest) return `the guest still ran after ${longestGuest / 1e9} s of its time`;
    if (performance.now() > end) return `the guest still ran after ${longestHost / 1000} s`;
    // The host's own events happen between slices.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The beginning of what is printed. */
class Gathered {
  readonly #bytes: number[] = [];

  add(bytes: Iterable<number>): void {
    for (const byte of bytes) if (this.#bytes.length < longestText) this.#bytes.push(byte);
  }

  get text(): string {
    return new TextDecoder().decode(Uint8Array.from(this.#bytes));
  }
}
