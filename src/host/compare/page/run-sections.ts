import { accessKinds } from "../../../virtio/transport-counts.ts";
import type { Comparison } from "../comparison.ts";
import { type Way, ways } from "../measure-row.ts";
import { clockRate, priced, prices } from "../model.ts";
import { workOf } from "../text.ts";
import { lines } from "./charts.ts";
import { type BarRow, bars, escaped, figure, legend, repeat, table } from "./html.ts";
import { alike, anyBoot, boots, colours, nameOf, names, registers } from "./select.ts";

/** What comes of running machines: set-up, requests, and the model which prices them. */

export function setupSection(found: Comparison): string {
  const groups = alike(boots(found, "msix"), ({ setup }) => setup.blk ?? { ports: 0, memory: 0, config: 0, table: 0 });
  const kinds = { ports: "ports", memory: "memory", config: "config", table: "msix" } as const;
  const rows = groups.map(({ layout, machines, value }) => ({
    label: nameOf(layout),
    note: machines.join(", "),
    parts: accessKinds.map((kind) => ({ value: value[kind], kind: kinds[kind] })),
    total: `${registers(value)} <span class="no">+ ${value.config + value.table}</span>`,
  }));
  const others = ["console", "rng", "net"] as const;
  const devices = alike(boots(found, "msix"), ({ setup }) =>
    ["blk", ...others].map((each) => registers(setup[each] ?? { ports: 0, memory: 0, config: 0, table: 0 })),
  );
  return `<h2 id="setup">Setting a device up</h2>
<p>Accesses to a disk from the write that resets it to the one that sets DRIVER_OK, with a message for the queue. The first number is what went
to the layout’s own registers; what follows the plus, configuration space and the MSI-X table, is much the same in every layout.</p>
${bars(rows, "Accesses to set a disk up")}
${legend([
  ["ports", "registers in ports"],
  ["memory", "registers in memory"],
  ["config", "configuration space"],
  ["msix", "MSI-X table"],
])}
<p>“Ports” are PCI I/O cycles: a PowerPC makes them by loads and stores to a window of its bridge. The overlay’s extra accesses are its feature selects,
the latch, and registers for ring size and alignment; like a legacy driver it reads the configuration byte by byte and twice, where the modern one has a
generation counter.</p>
${table(
  ["Register accesses", "disk", "console", "entropy", "network"],
  devices.map(({ layout, machines, value }) => [
    `${nameOf(layout)}<small>${machines.join(", ")}</small>`,
    ...value.map(figure),
  ]),
)}
${repeat(
  [
    `barzero compare --json | jq '.boots[] | {machine, layout, irq, setup}'`,
    "barzero matrix",
    `barzero boot pc --layout overlay --append "compare layout=overlay-bar0 irq=msix" --stats`,
  ],
  "The last one shows the same counts by another way: <code>setup_accesses</code> is the driver’s own count, <code>blk0.setup-ports</code> and its kin are the device’s. They must agree, or the row is reported as not measured.",
)}`;
}

const wayNames: Readonly<Record<Way, string>> = {
  alone: "one at a time",
  stream: "eight in flight",
  batch: "eight announced together",
};

export function requestSection(found: Comparison): string {
  const shown = ["legacy", "overlay-bar0", "overlay-bar1", "modern"];
  const machines = found.machines.filter((machine) => boots(found, "msix").some(({ row }) => row.machine === machine));
  const perMachine = machines.map((machine) => {
    const rows = boots(found, "msix")
      .filter(({ row }) => row.machine === machine && shown.includes(row.layout.name))
      .map((boot) => {
        const work = workOf(boot, "alone", true);
        const each = (work?.instructions ?? 0) / (work?.requests ?? 1);
        return {
          label: nameOf(boot.row.layout.name),
          parts: [{ value: each, kind: colours[boot.row.layout.name] ?? "modern" }],
          total: figure(Math.round(each)),
        };
      });
    return { machine, rows };
  });
  const most = Math.max(...perMachine.flatMap(({ rows }) => rows.map(({ parts }) => parts[0]?.value ?? 0)), 1);
  const charts = leaders(perMachine).map(({ machine, rows, like }) => {
    const more =
      like.length === 0 ? "" : `<small>${escaped(like.join(", "))}: the same, within one instruction</small>`;
    return `<h3>${escaped(machine)}${more}</h3>${bars(rows, `Guest instructions a request on ${machine}`, most)}`;
  });
  const each = (machine: string, layout: string) => {
    const work = boots(found, "msix").find(({ row }) => row.machine === machine && row.layout.name === layout);
    const alone = work && workOf(work, "alone", true);
    return alone === undefined ? undefined : alone.instructions / alone.requests;
  };
  const dearer = machines.flatMap((machine) => {
    const [legacy, modern] = [each(machine, "legacy") ?? each(machine, "overlay-bar1"), each(machine, "modern")];
    return legacy === undefined || modern === undefined ? [] : [`${figure(Math.round(modern - legacy))} on ${machine}`];
  });
  const elsewhere = found.boots
    .flatMap(({ work }) => work)
    .reduce((sum, { accesses }) => sum + accesses.config + accesses.table, 0);
  return `<h2 id="request">A request</h2>
<p>The kernel reads ${figure(256)} times 4 KiB from a disk, one read at a time, each answered by a message. Whatever the layout, a request is one
access to a register: the doorbell. Its address differs, its number does not. With the pin instead of messages there is one more, the read of the ISR.
It is in ports or in memory as the set-up was; configuration space and the MSI-X table see ${figure(elsewhere)} accesses meanwhile.</p>
${table(
  ["Per request, one at a time", "register accesses", "doorbells", "interrupts", "exits"],
  (["msix", "intx"] as const).flatMap((irq) =>
    alike(boots(found, irq), (boot) => {
      const work = workOf(boot, "alone", true);
      const n = work?.requests ?? 1;
      return [
        registers(work?.accesses ?? { ports: 0, memory: 0, config: 0, table: 0 }),
        work?.doorbells ?? 0,
        (work?.messages ?? 0) + (work?.pins ?? 0),
        work?.exits ?? 0,
      ].map((sum) => sum / n);
    })
      .reduce<{ values: readonly number[]; who: string[] }[]>((rows, { value, layout, machines: on }) => {
        const same = rows.find(({ values }) => values.join() === value.join());
        const who = `${layout} on ${on.join(", ")}`;
        if (same === undefined) rows.push({ values: value, who: [who] });
        else same.who.push(who);
        return rows;
      }, [])
      .map(({ values, who }) => [
        `${irq === "msix" ? "MSI-X" : "INTx"}<small>${groupsOf(found, who)}</small>`,
        ...values.map(figure),
      ]),
  ),
)}
<p>An exit is an access that some chip answers, or a halt: what would take a processor out of its guest under a hypervisor. Beside the doorbell these are the
timer which the kernel arms before it sleeps, the end of interrupt, and the sleep itself.</p>
<h3>Guest instructions a request</h3>
<p>All that the processor does from one request to the next: driver, ring, interrupt, waking. The modern layout takes ${dearer.join(", ") || "about as many"} more.
Where the guest is little-endian no byte is swapped; what a big-endian one pays beyond that is the price of rings which are little-endian for everyone. A legacy ring is in the
guest’s own order, and so is the overlay’s.</p>
${charts.join("")}
${repeat([`barzero compare --json | jq '.boots[] | {machine, layout, irq, work}'`, `barzero boot ppce500 --layout modern --append "compare layout=modern irq=msix"`])}
<h3>With and without event index</h3>
${eventIndex(found)}`;
}

type Chart = { readonly machine: string; readonly rows: readonly BarRow[] };

/** The charts of machines which no earlier one's bars stand for too, and whom each stands for. */
function leaders(charts: readonly Chart[]): readonly (Chart & { readonly like: readonly string[] })[] {
  const kept: (Chart & { readonly like: string[] })[] = [];
  for (const chart of charts) {
    const value = (rows: readonly BarRow[], label: string) => rows.find((row) => row.label === label)?.parts[0]?.value;
    const same = kept.find(({ rows }) =>
      chart.rows.every((row) => Math.abs((value(rows, row.label) ?? Number.NaN) - (row.parts[0]?.value ?? 0)) <= 1),
    );
    if (same === undefined) kept.push({ ...chart, like: [] });
    else same.like.push(chart.machine);
  }
  return kept;
}

/** Who has a row: everybody is said in a word. */
function groupsOf(found: Comparison, who: readonly string[]): string {
  const machines = new Map<string, Set<string>>();
  for (const each of who) {
    const [layout = "", list = ""] = each.split(" on ");
    for (const machine of list.split(", ")) machines.set(machine, (machines.get(machine) ?? new Set()).add(layout));
  }
  const parts = [...machines].map(([machine, layouts]) => {
    const possible = new Set(
      boots(found, "msix")
        .filter(({ row }) => row.machine === machine)
        .map(({ row }) => row.layout.name),
    );
    return layouts.size === possible.size
      ? `${machine}: every layout`
      : `${machine}: ${[...layouts].map((name) => names[name] ?? name).join(", ")}`;
  });
  return parts.every((part) => part.endsWith("every layout"))
    ? `every layout, on ${[...machines.keys()].join(", ")}`
    : parts.join("; ");
}

function eventIndex(found: Comparison): string {
  const all = boots(found, "msix");
  const range = (way: Way, on: boolean, of: "doorbells" | "messages") => {
    const values = all.flatMap((boot) => {
      const work = workOf(boot, way, on);
      return work === undefined ? [] : [work[of] / work.requests];
    });
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return { most, text: least === most ? figure(most) : `${figure(least)} to ${figure(most)}` };
  };
  const rows = ways.flatMap((way) =>
    [true, false].map((on) => {
      const { most, text } = range(way, on, "messages");
      return {
        label: wayNames[way],
        note: on ? "with event index" : "without",
        parts: [{ value: most, kind: on ? "modern" : "config" }],
        total: text,
      };
    }),
  );
  return `<p>Messages a request, of ${all.length} boots. Event index lets a driver say after which request it wants to be told; whoever waits for each gains nothing
by it. It belongs to the ring, so it is the same in every layout.</p>
${bars(rows, "Messages a request with and without event index", 1)}
<p>Doorbells a request: ${ways.map((way) => `${range(way, true, "doorbells").text} ${wayNames[way]}`).join(", ")}, with event index as without: this device empties the ring at each
doorbell, and so asks for the next one.</p>
${repeat([`barzero compare --json | jq '.boots[].work[] | {way, eventIndex, requests, doorbells, messages, pins}'`])}`;
}

export function modelSection(found: Comparison): string {
  const shown = ["legacy", "overlay-bar0", "overlay-bar1", "modern"].flatMap((layout) => {
    const boot = anyBoot(found, layout);
    const cost = boot && priced(boot, "alone", true);
    const kind = boot !== undefined && (boot.setup.blk?.ports ?? 0) > 0 ? "ports" : "memory";
    return cost === undefined ? [] : [{ layout, kind, cost }];
  });
  const setups = shown.map(({ cost }) => cost.setup);
  const load = (cycles: number, rate: number) => `${figure((100 * cycles * rate) / clockRate)} %`;
  const rates = [100, 1_000, 10_000, 100_000];
  const gap = { user: prices.memory.user - prices.ports.user, eventfd: prices.memory.eventfd - prices.ports.eventfd };
  const percent = (cycles: number, rate: number) => (100 * cycles * rate) / clockRate;
  const points = (cycles: number) =>
    Array.from({ length: 13 }, (_, i) => 2 + i / 4).map((power) => ({
      x: power,
      y: percent(cycles, 10 ** power),
      ...(power === 5 && { label: `${figure(percent(cycles, 1e5))} %` }),
    }));
  return `<h2 id="model">“I/O space is faster”: a model</h2>
<p>This is the one section whose prices we did not measure. In 2013 an access which left a KVM guest for user space cost ${figure(prices.ports.user)} cycles by a port and ${figure(prices.memory.user)}
by memory; a doorbell which the kernel caught by an eventfd ${figure(prices.ports.eventfd)} and ${figure(prices.memory.eventfd)} (pci-testdev, QEMU commit 22773d60661). The counts they are applied to are
those of this page: what would our driver’s set-up and its requests have cost then?</p>
${table(
  ["Layout", "set-up, cycles", "request", "by eventfd", "1,000/s", "10,000/s", "100,000/s"],
  shown.map(({ layout, kind, cost }) => [
    `${nameOf(layout)}<small>${kind}</small>`,
    figure(cost.setup),
    figure(cost.user),
    figure(cost.eventfd),
    ...rates.slice(1).map((rate) => load(cost.eventfd, rate)),
  ]),
  1,
  "The last three: share of a 3 GHz processor spent on doorbells by eventfd",
)}
${lines(
  [
    { name: "", kind: "l-overlay", points: points(gap.user) },
    { name: "", kind: "l-legacy", points: points(gap.eventfd), under: true },
    {
      name: "",
      kind: "l-none",
      points: [
        { x: 2, y: 0 },
        { x: 5, y: 0 },
      ],
    },
  ],
  {
    title: "What a doorbell in memory costs more than one in a port, by rate of requests",
    x: rates.map((rate) => ({ at: Math.log10(rate), label: `${rate.toLocaleString("en-US")}/s` })),
    y: [0, 4, 8, 12].map((at) => ({ at, label: `${at} %` })),
  },
  "Share of a 3 GHz processor which doorbells in memory cost more than doorbells in ports, at 2013’s prices and one doorbell a request.",
)}
${legend([
  ["overlay", "through user space"],
  ["legacy", "by eventfd"],
  ["config", "once both cost the same (dotted)"],
])}
<p>So it mattered for one register, the doorbell, and for small requests at high rates: ${figure(percent(gap.eventfd, 10_000))} % of a processor at 10,000 requests a second, ${figure(percent(gap.eventfd, 100_000))} % at 100,000.
Eight requests to a doorbell divide that by eight. Between the cheapest and the dearest set-up lie ${figure((Math.max(...setups) - Math.min(...setups)) / (clockRate / 1000))} ms, once. When both cost the same, as with KVM’s
fast path for memory since 2014, only the count of accesses is left: one a request in every layout, and in a set-up what the section above shows.</p>
<p>A modern device may also put its doorbell alone in a port: the layout’s capabilities name a BAR for each structure.</p>
${repeat([`barzero compare --json | jq '.model, (.boots[] | {layout, setup: .setup.blk, work})'`], "Cycles are accesses of each kind times the prices.")}`;
}
