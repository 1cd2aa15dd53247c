import { type Comparison, ringSizes } from "../comparison.ts";
import { lines, strip, stripAxis } from "./charts.ts";
import { bars, escaped, figure, legend, repeat, table } from "./html.ts";
import { fourth, nameOf, steps, study } from "./select.ts";

/** What comes of driving the device models through their states, and of trying what they can say. */

export function mapSection(found: Comparison): string {
  const legacy = study(found, "in place", "legacy")?.views[0]?.maps ?? [];
  const overlay = study(found, "in place", fourth)?.views ?? [];
  const modern = study(found, "clean", fourth)?.views[0]?.maps ?? [];
  const when = (bytes: readonly string[]) => {
    if (bytes.some((name) => name === "host_feature_select")) return "latched, MSI-X on or off";
    return bytes.some((name) => name.includes("vector")) ? "MSI-X on" : "MSI-X off";
  };
  const order = ["MSI-X off", "MSI-X on"];
  const sorted = (maps: readonly (readonly string[])[]) =>
    [...maps].sort((a, b) => ((order.indexOf(when(a)) + 3) % 3) - ((order.indexOf(when(b)) + 3) % 3));
  const [bar0, bar1] = [overlay[0]?.maps ?? [], overlay[1]?.maps ?? []];
  const common = modern[0]?.slice(0, 60) ?? [];
  return `<h2 id="maps">One place, several registers</h2>
<p>The first bytes of each layout’s registers, in every arrangement which a search through the device’s states found. This is the argument in one
picture: what lies at offset 20 or 24 depends on what was said before.</p>
<div class="strip">
${sorted(legacy)
  .map((bytes) => strip("Legacy, BAR0", when(bytes), bytes))
  .join("")}
${sorted(bar0)
  .map((bytes) =>
    strip(
      "Overlay, BAR0",
      when(bytes) === "latched, MSI-X on or off" ? when(bytes) : `not latched, ${when(bytes)}`,
      bytes,
    ),
  )
  .join("")}
${bar1.map((bytes) => strip("Overlay, BAR1", "always", bytes)).join("")}
${stripAxis(44, [0, 8, 20, 24, 36, 40])}
${common.length > 0 ? strip("Modern, common structure", "always; 60 bytes", common) : ""}
${stripAxis(60, [0, 8, 22, 32, 56])}
</div>
${legend([
  ["fixed", "registers which stay"],
  ["msix", "interrupt vectors"],
  ["new", "feature selects, high page number"],
  ["choice", "ring size and alignment"],
  ["config", "the device’s configuration"],
  ["none", "nothing"],
])}
${repeat([`barzero compare --json | jq -c '.studies[] | select(.name == "${fourth}") | .views[] | {name, maps}'`], "Hover over a run, or read the JSON, for the registers’ names. Each byte was read from the device; the name is what its own trace said.")}`;
}

export function stateSection(found: Comparison): string {
  const inPlace = steps(found, "in place");
  const clean = steps(found, "clean");
  const top = Math.max(8, ...inPlace.map(({ modes }) => modes), ...clean.map(({ modes }) => modes));
  const label = (modes: number) => ({ label: String(modes) });
  const four = clean.findIndex(({ name }) => name === fourth);
  const names = ["start", "config\napart", "features\n> 31", "ring\nsize", "ring\nalignment"];
  const chart = lines(
    [
      {
        name: "in place",
        kind: "l-overlay",
        points: inPlace.slice(1).map(({ modes }, i) => ({ x: i, y: modes, ...label(modes) })),
      },
      {
        name: "clean layout",
        kind: "l-modern",
        points: clean.slice(0, four + 1).map(({ modes }, i) => ({ x: i + 1, y: modes, ...label(modes) })),
        under: true,
      },
    ],
    {
      title: "Modes after each of four extensions, in place and in a clean layout",
      x: names.map((name, at) => ({ at, label: name })),
      y: [0, top / 3, (2 * top) / 3, top].map((at) => ({ at, label: String(Math.round(at)) })),
    },
    "Modes which a driver can meet after each extension of Rusty Russell’s closing list, each with those before it. The clean layout begins with configuration apart; there, sizes, places and further features are part of the layout, not something to ask for.",
  );
  const groups = [
    ["In place, each step with those before it", inPlace],
    ["In a clean layout, the same", clean],
    ["As they are, by one driver or two", steps(found, "whole")],
  ] as const;
  const rows = groups.flatMap(([heading, all]) => [
    [heading],
    ...all.flatMap(({ name, states, transitions, modes, views }) =>
      views.map((view, i) => [
        i > 0 ? "" : escaped(nameOf(name)),
        view.name,
        ...[view.maps.length, view.modes].map(figure),
        ...(i > 0 ? ["", "", ""] : [modes, states, transitions].map(figure)),
        ...[view.meanings, view.modes * view.accesses].map(figure),
      ]),
    ),
  ]);
  const whole = (name: string) => study(found, "whole", name);
  const later = clean.slice(four + 1).map(({ modes }) => modes);
  return `<h2 id="states">What a driver can meet</h2>
<p>No formula here. Each device model was driven from its reset by what its drivers write, breadth first, until no write led to a state which had not been
seen. A state is the model’s own list of named fields. In every state every register of every BAR was read and written, and the device’s own trace says what each access
meant. Two states in which all accesses mean the same are one <em>mode</em>.</p>
${chart}
<p>In place, each thing that can be switched on multiplies: ${inPlace.map(({ modes }) => modes).join(", ")}. In a clean layout the same four add nothing: ${clean
    .slice(0, four + 1)
    .map(({ modes }) => modes)
    .join(", ")}. It is not cleanness alone that does it. What
came to the clean layout later behind feature bits, queue reset and notification data, multiplies there too: ${later.join(", ")}. What costs states is
whatever a driver may or may not have agreed to.</p>
<p>A driver which goes through BAR1 alone never sees an overlay and meets ${whole("overlay by BAR1 alone")?.modes ?? "?"} modes; one which has BAR0 alone ${whole("overlay by BAR0 alone")?.modes ?? "?"}. A transitional
device is legacy and modern side by side, and each of its drivers meets the modes of its own half and no others.</p>
${table(["Device and driver", "through", "maps", "modes", "both", "states", "steps", "meanings", "mode × access"], rows, 2)}
<p>Selectors (of a queue, of a word of features) are states and no modes: a driver writes one right before it uses it, in all layouts. Protocol beside the
registers (which status bits in which order) is left out as well. “Both” are the modes of all a device’s BARs at once; “steps” the accesses which the search made. “Meanings” counts each access with each thing it can mean; “mode × access” is all pairs.</p>
${repeat([`barzero compare --json | jq '.studies[] | {group, name, states, transitions, modes}'`], "The steps are in <code>src/debug/explore/drivers.ts</code>, the search in <code>explore.ts</code> beside it; it knows no layout.")}`;
}

export function ringSection(found: Comparison): string {
  const at = (layout: string) => found.limits.find((each) => each.layout === layout);
  const groups = ringSizes.map((entries, i) => {
    const one = (label: string, kind: string, bytes: number | undefined) =>
      bytes === undefined ? [] : [{ label, parts: [{ value: bytes, kind }], total: `${figure(bytes)} B` }];
    const rows = [
      ...one("Legacy", "legacy", at("legacy")?.bytes[i]?.split),
      ...one("Overlay, closest", "overlay", at("overlay")?.bytes[i]?.split),
      ...one("Modern, split", "modern", at("modern")?.bytes[i]?.split),
      ...one("Modern, packed", "modern", at("modern")?.bytes[i]?.packed),
    ];
    return `<h3>${figure(entries)} entries</h3>${bars(rows, `Bytes of a ring of ${entries}`)}`;
  });
  const [legacy, modern] = [at("legacy")?.bytes[0]?.split ?? 0, at("modern")?.bytes[0]?.split ?? 1];
  return `<h2 id="rings">Memory for a ring</h2>
<p>From the first byte to the last, packed as closely as each layout lets a driver, as the device was told and accepted it. Each group of bars has its own scale. A legacy ring of eight
spans ${figure(legacy)} bytes and so ${Math.ceil(legacy / 4096)} whole pages, ${figure(Math.ceil(legacy / 4096) * 4096)} bytes; the modern one ${figure(modern)}, ${figure(Math.round((Math.ceil(legacy / 4096) * 4096) / modern))} times less.</p>
${groups.join("")}
${repeat([`barzero compare --json | jq '.limits[] | {layout, alignment, bytes}'`])}`;
}

export function limitSection(found: Comparison): string {
  const yes = (is: boolean) => (is ? '<span class="yes">yes</span>' : '<span class="no">no</span>');
  const { limits } = found;
  const rows = [
    ["Feature bits a driver can accept", ...limits.map(({ features }) => figure(features))],
    ["Rings begin below", ...limits.map(({ highestRing }) => `2<sup>${highestRing + 1}</sup>`)],
    ["Used ring on a multiple of", ...limits.map(({ alignment }) => figure(alignment))],
    ["Driver chooses the ring’s size", ...limits.map(({ ringSize }) => yes(ringSize))],
    ["Parts of a ring lie apart", ...limits.map(({ apart }) => yes(apart))],
    ["Packed rings", ...limits.map(({ packed }) => yes(packed))],
    ["Device may refuse a set of features", ...limits.map(({ agrees }) => yes(agrees))],
    ["Changed configuration is told by a counter", ...limits.map(({ generation }) => yes(generation))],
    ["Byte order fixed, whoever the guest", ...limits.map(({ fixedOrder }) => yes(fixedOrder))],
  ];
  return `<h2 id="limits">What a layout cannot say</h2>
<p>Each line was tried on the device by a driver: it wrote the register, or the wish, and looked whether the device has it.</p>
${table(["", "Legacy", "Overlay", "Modern"], rows)}
${repeat([`barzero compare --json | jq '.limits'`])}
<h3>And where it cannot be driven</h3>
${cells(found)}`;
}

function cells(found: Comparison): string {
  const layouts = [
    ...new Set(
      found.boots
        .concat([])
        .map(({ row }) => row.layout.name)
        .concat(found.failing.map(({ layout }) => layout)),
    ),
  ];
  const cell = (machine: string, layout: string) => {
    const works = found.boots.some(
      ({ row, work }) =>
        row.machine === machine && row.layout.name === layout && row.ring === "split" && work.length > 0,
    );
    return works ? '<span class="yes">✓</span>' : '<span class="no" title="cannot be driven">✗</span>';
  };
  const reasons = found.failing.map(({ machine, layout, ring, because, said }) => [
    escaped(machine),
    `${nameOf(layout)}<small>${ring} rings</small>`,
    `${escaped(said ?? "it works")}<small>${escaped(because)}</small>`,
  ]);
  return `<p>Machine against layout, split rings. Where the matrix says that a cell is impossible we booted it all the same; below is what the guest said.</p>
${table(
  ["", ...found.machines.map(escaped)],
  layouts.map((layout) => [nameOf(layout), ...found.machines.map((machine) => cell(machine, layout))]),
)}
${table(["Machine", "Layout", "What came of it, and why"], reasons, 3)}
${repeat(["barzero matrix --tap | grep SKIP", `barzero compare --json | jq '.failing'`])}`;
}

export function sizeSection({ sizes }: Comparison): string {
  if (sizes === undefined)
    return `<h2 id="sizes">Size of the code</h2><p>Not measured: an installed package has no sources. Run <code>npm start -- compare</code> in the repository.</p>`;
  const rows = sizes.drivers.map(({ layout, lines, decisions }, i) => {
    const device = sizes.devices[i];
    return [
      nameOf(layout),
      figure(lines),
      decisions === undefined ? "–" : figure(decisions),
      figure(device?.lines ?? 0),
      device?.decisions === undefined ? "–" : figure(device.decisions),
    ];
  });
  return `<h2 id="sizes">Size of the code, as context</h2>
<p>What serves one layout and nothing else, on the driver’s side in C and on the device’s in TypeScript. Decisions of the drivers are branches as the compiler’s coverage
instrumentation counts them (${escaped(sizes.driverTool)}), those of the devices are conditional jumps in the bytecode of ${escaped(sizes.deviceTool)}: each column compares with itself
alone. It proves nothing: another hand writes another driver.</p>
${table(["Layout", "driver, lines", "branches", "device, lines", "jumps"], rows)}
<p>The overlay’s driver is one file for both of its BARs. Its device offers ring size and alignment behind features; the modern one has queue reset, notification data, four
structures and a window in configuration space, which the others lack.</p>
${repeat(
  [
    "gcc -m32 -O0 -ffreestanding -fprofile-arcs -ftest-coverage -Iguest/include -Iguest/arch/x86 -Iguest/arch/x86/include -c guest/drivers/virtio_pci_legacy.c -o legacy.o && gcov -b -t legacy.o | grep -c ^branch",
    `npm start -- compare --json | jq '.sizes'`,
  ],
  "The first one also counts the branches of inline functions in headers, which the table leaves out.",
)}`;
}
