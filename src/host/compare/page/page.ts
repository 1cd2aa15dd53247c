import type { Comparison } from "../comparison.ts";
import { workOf } from "../text.ts";
import { claimSection } from "./claims.ts";
import { escaped, figure } from "./html.ts";
import { modelSection, requestSection, setupSection } from "./run-sections.ts";
import { anyBoot, boots, fourth, registers, steps, study } from "./select.ts";
import { limitSection, mapSection, ringSection, sizeSection, stateSection } from "./state-sections.ts";
import { style } from "./style.ts";

const sections = [
  ["maps", "Register maps"],
  ["states", "States"],
  ["setup", "Set-up"],
  ["request", "A request"],
  ["rings", "Rings"],
  ["limits", "Limits"],
  ["sizes", "Code"],
  ["model", "Ports and memory"],
  ["claims", "The claims"],
] as const;

/** The comparison as one page which needs nothing else: no script, no other file, no network. */
export function page(found: Comparison): string {
  const troubles =
    found.troubles.length === 0
      ? ""
      : `<h2>Not measured</h2><ul>${found.troubles.map((line) => `<li>${escaped(line)}</li>`).join("")}</ul>`;
  const body = [
    mapSection(found),
    stateSection(found),
    setupSection(found),
    requestSection(found),
    ringSection(found),
    limitSection(found),
    sizeSection(found),
    modelSection(found),
    troubles,
    claimSection(found),
  ].join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>BAR0, measured</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>BAR0, measured</h1>
<p class="lede">In 2012 Anthony Liguori wanted to extend the registers of a virtio PCI device in place. Rusty Russell wanted to lay them out anew, with a second driver beside the old
one, and that became virtio 1.0. Nobody built the other, so nobody could compare them. Here all of them run, on an x86 PC and on a big-endian PowerPC, under the same kernel.</p>
<nav><ol>${sections.map(([id, name]) => `<li><a href="#${id}">${name}</a></li>`).join("")}</ol></nav>
${tiles(found)}
</header>
<main>
${body}
</main>
<footer><p>Made by <code>barzero compare --html FILE</code> of ${found.boots.length + found.failing.length} boots and ${found.studies.length} searches, on ${escaped(found.machines.join(", "))}. Time is virtual and everything random has a seed:
a second run gives the same page.</p></footer>
</body>
</html>
`;
}

function tiles(found: Comparison): string {
  const clean = steps(found, "clean");
  const bytes = (layout: string) => found.limits.find((each) => each.layout === layout)?.bytes[0]?.split ?? 0;
  const setup = (layout: string) => {
    const blk = anyBoot(found, layout)?.setup.blk;
    return blk === undefined ? "–" : figure(registers(blk));
  };
  const all: readonly (readonly [string, string])[] = [
    [
      `${study(found, "in place", fourth)?.modes ?? "–"}<i>to</i>${clean.find(({ name }) => name === fourth)?.modes ?? "–"}`,
      "modes a driver can meet after four extensions: in place, and in a clean layout",
    ],
    [
      `${setup("legacy")}<i>/</i>${setup("overlay-bar1")}<i>/</i>${setup("modern")}`,
      "register accesses to set a disk up: legacy, overlay, modern",
    ],
    [perRequest(found), "register access a request with messages, in every layout: the doorbell"],
    [
      `${figure(bytes("legacy"))}<i>to</i>${figure(bytes("modern"))}`,
      "bytes which a ring of eight spans: legacy, modern",
    ],
  ];
  return `<div class="tiles">${all.map(([value, words]) => `<div><b>${value}</b><span>${words}</span></div>`).join("")}</div>`;
}

/** Register accesses a request, one at a time with a message for each: the least and the most of all boots. */
function perRequest(found: Comparison): string {
  const all = boots(found, "msix").flatMap((boot) => {
    const work = workOf(boot, "alone", true);
    return work === undefined ? [] : [registers(work.accesses) / work.requests];
  });
  const [least, most] = [Math.min(...all), Math.max(...all)];
  if (all.length === 0) return "–";
  return least === most ? figure(most) : `${figure(least)}<i>to</i>${figure(most)}`;
}
