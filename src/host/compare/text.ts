import { accessKinds } from "../../virtio/transport-counts.ts";
import { type Comparison, ringSizes } from "./comparison.ts";
import type { Measured, Work } from "./measure-row.ts";
import { clockRate, priced, prices } from "./model.ts";

/** The comparison for a terminal. */
export function text(found: Comparison): string {
  const parts = [
    setups(found),
    requests(found),
    states(found),
    limits(found),
    failing(found),
    sizes(found),
    model(found),
  ];
  const troubles = found.troubles.map((line) => `not measured: ${line}`);
  return [...parts, ...(troubles.length > 0 ? [troubles.join("\n")] : [])].join("\n\n");
}

/** Columns as wide as what is in them; the first ones to the left, figures to the right. */
function table(head: readonly string[], rows: readonly (readonly (string | number)[])[], left: number): string {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i < left ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  return cells.map(line).join("\n");
}

const measured = ({ boots }: Comparison): readonly Measured[] => boots.filter(({ work }) => work.length > 0);

export function workOf({ work }: Measured, way: Work["way"], eventIndex: boolean): Work | undefined {
  return work.find((each) => each.way === way && each.eventIndex === eventIndex);
}

function setups(found: Comparison): string {
  const rows = measured(found)
    .filter(({ row }) => row.irq === "msix" && row.ring === "split")
    .map(({ row, setup }) => [row.machine, row.layout.name, ...accessKinds.map((kind) => setup.blk?.[kind] ?? 0)]);
  return [
    "Accesses to a disk from the write which resets it to the one which sets DRIVER_OK: to its registers in ports and in memory, to its",
    "configuration space and to its MSI-X table (rows of --ring packed and of --irq intx are in --json):",
    "",
    table(["machine", "layout", "ports", "memory", "config", "MSI-X"], rows, 2),
  ].join("\n");
}

function requests(found: Comparison): string {
  const rows = measured(found)
    .filter(({ row }) => row.ring === "split")
    .map((boot) => {
      const one = workOf(boot, "alone", true);
      const on = workOf(boot, "batch", true);
      const off = workOf(boot, "batch", false);
      const each = (work: Work | undefined, sum: number) => ratio(sum, work?.requests ?? 1);
      return [
        boot.row.machine,
        boot.row.layout.name,
        boot.row.irq,
        ...accessKinds.map((kind) => each(one, one?.accesses[kind] ?? 0)),
        each(one, one?.instructions ?? 0),
        each(one, one?.exits ?? 0),
        each(on, on?.doorbells ?? 0),
        each(on, (on?.messages ?? 0) + (on?.pins ?? 0)),
        each(off, off?.doorbells ?? 0),
        each(off, (off?.messages ?? 0) + (off?.pins ?? 0)),
      ];
    });
  return [
    "A read of 4 KiB, of 256: accesses by kind, guest instructions and exits (accesses which any chip answers, and halts) one at a time; then",
    "doorbells and interrupts a request where eight are announced together, with event index and without:",
    "",
    table(
      [
        "machine",
        "layout",
        "interrupts",
        "ports",
        "memory",
        "config",
        "MSI-X",
        "instructions",
        "exits",
        "bells+",
        "irqs+",
        "bells-",
        "irqs-",
      ],
      rows,
      3,
    ),
  ].join("\n");
}

function states({ studies }: Comparison): string {
  const rows = studies.flatMap(({ name, group, states, transitions, modes, views }) =>
    views.map((view, i) => [
      i === 0 ? (group === "whole" ? name : `${group}: ${name}`) : "",
      view.name,
      ...(i === 0 ? [states, transitions, modes] : ["", "", ""]),
      view.maps.length,
      view.modes,
      view.meanings,
      view.modes * view.accesses,
    ]),
  );
  return [
    "What a driver can meet, by breadth-first search over each device model's own fields: states, accesses made, modes; and through each BAR",
    "distinct register maps, modes, meanings of all accesses, and pairs of mode and access:",
    "",
    table(["driver", "BAR", "states", "steps", "modes", "maps", "modes", "meanings", "pairs"], rows, 2),
  ].join("\n");
}

function limits({ limits }: Comparison): string {
  const yes = (is: boolean) => (is ? "yes" : "no");
  const rows = [
    ["feature bits", ...limits.map(({ features }) => features)],
    ["rings begin below", ...limits.map(({ highestRing }) => `2^${highestRing + 1}`)],
    ["driver chooses ring size", ...limits.map(({ ringSize }) => yes(ringSize))],
    ["used ring aligned to", ...limits.map(({ alignment }) => alignment)],
    ["parts of a ring apart", ...limits.map(({ apart }) => yes(apart))],
    ["packed rings", ...limits.map(({ packed }) => yes(packed))],
    ["device may refuse features", ...limits.map(({ agrees }) => yes(agrees))],
    ["configuration has a generation", ...limits.map(({ generation }) => yes(generation))],
    ["byte order does not follow the guest", ...limits.map(({ fixedOrder }) => yes(fixedOrder))],
    ...ringSizes.map((size, i) => [`bytes of a ring of ${size}`, ...limits.map(({ bytes }) => bytes[i]?.split ?? 0)]),
    ...ringSizes.map((size, i) => [
      `bytes of a packed ring of ${size}`,
      ...limits.map(({ bytes }) => bytes[i]?.packed ?? "-"),
    ]),
  ];
  return [
    "What a layout can say, found by trying it on the device:",
    "",
    table(["", ...limits.map(({ layout }) => layout)], rows, 1),
  ].join("\n");
}

function failing({ failing }: Comparison): string {
  const rows = failing.map(({ machine, layout, ring, said }) => [machine, layout, ring, said ?? "works"]);
  return [
    "Cells of the matrix which cannot be, booted all the same:",
    "",
    table(["machine", "layout", "rings", "the guest"], rows, 4),
  ].join("\n");
}

function sizes({ sizes }: Comparison): string {
  if (sizes === undefined) return "Size of the rooms: not measured, the sources are not in an installed package.";
  const rows = sizes.drivers.map(({ layout, lines, decisions }, i) => {
    const device = sizes.devices[i];
    return [layout, lines, decisions ?? "-", device?.lines ?? 0, device?.decisions ?? "-"];
  });
  return [
    `Size of the rooms, as context and no proof: lines of code; branches in C (${sizes.driverTool}), conditional jumps in TypeScript (${sizes.deviceTool}).`,
    "The two are not of one kind:",
    "",
    table(["layout", "driver lines", "branches", "device lines", "jumps"], rows, 1),
  ].join("\n");
}

function model(found: Comparison): string {
  const rows = measured(found)
    .filter(({ row }) => row.irq === "msix" && row.ring === "split" && row.machine === found.machines[0])
    .map((boot) => {
      const cost = priced(boot, "alone", true);
      const load = (cycles: number) => `${ratio(100 * cycles * 10_000, clockRate)} %`;
      return [
        boot.row.layout.name,
        cost?.setup ?? 0,
        cost?.user ?? 0,
        cost?.eventfd ?? 0,
        load(cost?.user ?? 0),
        load(cost?.eventfd ?? 0),
        cost?.accesses ?? 0,
      ];
    });
  const { ports, memory } = prices;
  return [
    `A model: what KVM's exits cost in 2013 (port ${ports.user} cycles, memory ${memory.user}; by an eventfd ${ports.eventfd} and ${memory.eventfd}), applied to these counts on`,
    `${found.machines[0]}: cycles of a set-up, of a request, and their share of a 3 GHz processor at 10,000 requests a second; where both cost the same`,
    "only the count of accesses is left:",
    "",
    table(["layout", "set-up", "request", "by eventfd", "load", "by eventfd", "accesses"], rows, 1),
  ].join("\n");
}

/** With as many decimals as it takes, two at most. */
export function ratio(sum: number, parts: number): string {
  return String(Math.round((100 * sum) / parts) / 100);
}
