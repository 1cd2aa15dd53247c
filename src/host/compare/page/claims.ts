import type { Comparison } from "../comparison.ts";
import { clockRate, prices } from "../model.ts";
import { escaped, figure } from "./html.ts";
import { anyBoot, boot, fourth, registers, steps, study } from "./select.ts";

/** How well the claim itself is known: read in a source, or inferred from what was recovered of the thread. */
type Certainty = "recovered" | "inferred";

export interface Claim {
  readonly who: "Anthony Liguori" | "Rusty Russell";
  readonly claim: string;
  readonly certainty: Certainty;
  /** HTML. */
  measured(found: Comparison): string;
  readonly repeat: string;
  readonly not: string;
}

const setupOf = (found: Comparison, layout: string) => {
  const blk = anyBoot(found, layout)?.setup.blk;
  return blk === undefined ? "no figure" : figure(registers(blk));
};
const room = (found: Comparison, layout: string) => {
  const find = (
    rooms:
      | readonly { readonly layout: string; readonly lines: number; readonly decisions: number | undefined }[]
      | undefined,
  ) => rooms?.find((each) => each.layout === layout);
  const [driver, device] = [find(found.sizes?.drivers), find(found.sizes?.devices)];
  return driver === undefined || device === undefined ? undefined : { driver, device };
};
const runs = (found: Comparison, machine: string, layout: string) =>
  boot(found, machine, layout) === undefined ? "cannot" : "can";
/** Machines whose registers are in memory alone. */
const memoryOnly = (found: Comparison) =>
  found.machines.filter((machine) =>
    found.failing.some((cell) => cell.machine === machine && cell.layout === "legacy" && cell.ring === "split"),
  );
const limit = (found: Comparison, layout: string) => found.limits.find((each) => each.layout === layout);
const modes = (found: Comparison, group: "in place" | "clean") =>
  steps(found, group)
    .map((each) => each.modes)
    .join(", ");

/** What was said in the thread, as far as it could be recovered, each with what there is to see of it here. */
export const claims: readonly Claim[] = [
  {
    who: "Anthony Liguori",
    claim: "The registers can be extended in place: twelve more bytes behind the header we have.",
    certainty: "recovered",
    measured(found) {
      const [overlay, legacy] = [room(found, "overlay"), room(found, "legacy")];
      const sizes =
        overlay === undefined || legacy === undefined
          ? ""
          : ` Its driver has ${figure(overlay.driver.lines)} lines against legacy’s ${figure(legacy.driver.lines)}, its device ${figure(overlay.device.lines)} against ${figure(legacy.device.lines)}.`;
      return `It can: a kernel drives it on every machine here, by ports where there are ports and by memory where there is memory. Twelve bytes were not enough for what was asked; ring size and alignment took four more.${sizes} The proposal left 23 questions open, which <code>docs/overlay.md</code> answers one by one.`;
    },
    repeat: "barzero matrix | grep overlay",
    not: "That this is the overlay which he would have built. It is ours, from a C struct and five sentences.",
  },
  {
    who: "Anthony Liguori",
    claim: "A feature that latches takes the overlay away, so a new driver is rid of it.",
    certainty: "recovered",
    measured(found) {
      const whole = study(found, "in place", fourth);
      const [bar0, bar1] = [whole?.views[0], whole?.views[1]];
      return `Once latched, BAR0 shows one map, MSI-X or not. But there are ${bar0?.maps.length ?? "?"} maps until then and after, where legacy has ${study(found, "in place", "legacy")?.views[0]?.maps.length ?? "?"}: the latch adds an arrangement, and takes away none which firmware or an older driver still meets. Through BAR1 there is ${bar1?.maps.length ?? "?"}, and there the latch has nothing to do.`;
    },
    repeat: `barzero compare --json | jq '.studies[] | select(.name == "${fourth}") | .views[] | {name, modes, maps: (.maps | length)}'`,
    not: "How often a real driver would meet the unlatched maps.",
  },
  {
    who: "Anthony Liguori",
    claim: "A mirror in memory is never overlaid, and a guest may use memory alone.",
    certainty: "recovered",
    measured: (found) => {
      const machines = memoryOnly(found);
      const list = machines.map(
        (machine) =>
          `${escaped(machine)}: legacy ${runs(found, machine, "legacy")} run, the overlay by BAR1 ${runs(found, machine, "overlay-bar1")}, modern ${runs(found, machine, "modern")}`,
      );
      return `True here. ${list.length > 0 ? `${list.join("; ")}.` : "No machine without ports was measured."} BAR1 shows one map in every state, and the driver for it is the one for BAR0 with another pointer.`;
    },
    repeat: "barzero matrix ppce500-noio pc-memory",
    not: "What a second doorbell costs a host which wires doorbells to something faster: it has to wire two.",
  },
  {
    who: "Anthony Liguori",
    claim: "A latch which is set by reading registers is a trap.",
    certainty: "inferred",
    measured(found) {
      const latched = study(found, "whole", "modern-latched");
      const [plain] = study(found, "whole", "transitional")?.views ?? [];
      return `With the latch BAR0 has ${latched?.views[0]?.maps.length ?? "?"} maps instead of ${plain?.maps.length ?? "?"}. The additional one is all ones: the running legacy driver’s device is gone, after one read through BAR4 by anybody. A window in configuration space is enough, once somebody has pointed it at a register.`;
    },
    repeat: "barzero boot pc --layout modern-latched --trace virtio",
    not: "Whether tools in the field would do it. Sizing, moving and switching a BAR do not.",
  },
  {
    who: "Anthony Liguori",
    claim: "Legacy will not go away, so a new layout is an addition and no replacement.",
    certainty: "inferred",
    measured: (found) =>
      `Not to be measured in a machine. What it costs to keep both can be: a transitional device has ${study(found, "whole", "transitional")?.modes ?? "?"} modes together, and each of its drivers meets those of its own half. Set-up takes ${setupOf(found, "transitional-as-legacy")} or ${setupOf(found, "transitional-as-modern")} accesses, as if the other half were not there.`,
    repeat: `barzero compare --json | jq '.studies[] | select(.layout == "transitional")'`,
    not: "The price of keeping two drivers alive for a decade. History sided with him on the date, and with Rusty Russell on the code.",
  },
  {
    who: "Rusty Russell",
    claim: "Extended in place, the ifs nest: each extension doubles what every accessor has to ask.",
    certainty: "recovered",
    measured: (found) =>
      `In place: ${modes(found, "in place")} modes. In a clean layout: ${steps(found, "clean")
        .slice(0, 4)
        .map((each) => each.modes)
        .join(
          ", ",
        )}. Ring size and alignment do double them. Features beyond 31 do not: the selects are there as soon as the configuration is out of the way. Counting his list by formula, 2⁴ sets of features, two BARs and MSI-X on or off, gives 64; the search finds ${study(found, "in place", fourth)?.modes ?? "?"}, because a latched device does not ask about MSI-X and BAR1 never does. But what doubles is the asking, not the place: with what it later made optional the clean layout goes ${modes(found, "clean")}.`,
    repeat: `barzero compare --json | jq '.studies[] | {group, name, modes}'`,
    not: "That a driver’s code has as many branches. Ours decides once, at the start, and its accessors ask nothing; the states are still there to be met.",
  },
  {
    who: "Rusty Russell",
    claim: "Two drivers without conditions are simpler than one with them.",
    certainty: "recovered",
    measured(found) {
      const all = (["legacy", "overlay", "modern"] as const).map((layout) => ({ layout, size: room(found, layout) }));
      const sizes = all.flatMap(({ layout, size }) =>
        size === undefined
          ? []
          : [`${layout} ${figure(size.driver.lines)} lines and ${size.driver.decisions ?? "?"} branches`],
      );
      return `As a driver sees it: ${study(found, "in place", "legacy")?.modes ?? "?"} modes for legacy, ${study(found, "clean", fourth)?.modes ?? "?"} for modern, against ${study(found, "whole", "overlay by BAR0 alone")?.modes ?? "?"} by BAR0 and ${study(found, "whole", "overlay by BAR1 alone")?.modes ?? "?"} by BAR1. As code: ${sizes.join(", ") || "no sources here"}. One overlay driver is smaller than two clean ones; it still needs a legacy driver beside it for older devices.`;
    },
    repeat: "npm start -- compare --json | jq '.sizes'",
    not: "Simplicity. Lines and branches of one author’s code are context.",
  },
  {
    who: "Rusty Russell",
    claim: "The guest has to be able to choose the size of a ring.",
    certainty: "recovered",
    measured: (found) =>
      `Legacy: ${limit(found, "legacy")?.ringSize ? "it can" : "it cannot"}. The overlay with a register of its own and a feature bit for it: ${limit(found, "overlay")?.ringSize ? "it can" : "it cannot"}. Modern: ${limit(found, "modern")?.ringSize ? "it can" : "it cannot"}, with nothing to ask for. So a modern disk here offers 1024 entries and a legacy one 256: what firmware cannot shrink it must be able to take.`,
    repeat: `barzero compare --json | jq '.limits[] | {layout, ringSize}'`,
    not: "What larger rings are worth to a workload.",
  },
  {
    who: "Rusty Russell",
    claim: "Firmware wants small rings, and 4096 bytes of alignment do not let it.",
    certainty: "recovered",
    measured: (found) => {
      const bytes = (layout: string) => limit(found, layout)?.bytes[0]?.split ?? 0;
      return `Eight entries: ${figure(bytes("legacy"))} bytes over two pages in legacy, ${figure(bytes("overlay"))} in the overlay with its alignment register, ${figure(bytes("modern"))} in modern.`;
    },
    repeat: `barzero compare --json | jq '.limits[] | {layout, alignment, bytes}'`,
    not: "Which firmware was short of memory. OpenBIOS was named; it later wrote a modern driver.",
  },
  {
    who: "Rusty Russell",
    claim: "PowerPC and others want all registers in memory.",
    certainty: "recovered",
    measured: (found) =>
      `${
        memoryOnly(found)
          .map((machine) => `On ${escaped(machine)} a legacy driver finds nothing to drive`)
          .join("; ") || "No such machine was measured"
      }. Both proposals answer it, the overlay by its mirror and modern by naming any BAR. Where the bridge has a window for ports, legacy runs on PowerPC too.`,
    repeat: "barzero matrix ppce500 ppce500-noio",
    not: "That ports through a window are slow on real hardware.",
  },
  {
    who: "Rusty Russell",
    claim: "A network card needs more than 32 features.",
    certainty: "recovered",
    measured: (found) =>
      `${(["legacy", "overlay", "modern"] as const).map((layout) => `${layout} ${limit(found, layout)?.features ?? "?"}`).join(", ")} bits. Both extensions do it in the same way, a select and a window; the overlay’s are out of a BAR0 driver’s reach until it has latched.`,
    repeat: `barzero compare --json | jq '.limits[] | {layout, features}'`,
    not: "Which features were worth having.",
  },
  {
    who: "Rusty Russell",
    claim: "Guests on x86 want BAR0, because I/O space is faster.",
    certainty: "recovered",
    measured: () =>
      `A model with 2013’s prices: a doorbell by port costs ${figure(prices.memory.eventfd - prices.ports.eventfd)} cycles less than one in memory, by eventfd; ${figure((100 * (prices.memory.eventfd - prices.ports.eventfd) * 10_000) / clockRate)} % of a 3 GHz processor at 10,000 requests a second. It is one register of the layout, the doorbell, and 1.0 lets that one be anywhere.`,
    repeat: "barzero compare --json | jq '.model'",
    not: "Anything about today: the prices are history and other people’s.",
  },
  {
    who: "Rusty Russell",
    claim: "His sketch of a feature test, with its “minus 32” for BAR0 without MSI-X.",
    certainty: "inferred",
    measured(found) {
      const maps = study(found, "in place", fourth)?.views[0]?.maps ?? [];
      const unlatched = maps.find((bytes) => bytes[20] === "config 0");
      return `Read as bytes it points outside of the BAR; read as bits, four bytes lower, it gives offset 20. What answers there in that state is <code>${escaped(unlatched?.[20] ?? "?")}</code>: the write which was to select a word goes to the device’s configuration. So the sketch shows the hazard it warns of, whichever way it was meant.`;
    },
    repeat: `barzero compare --json | jq '.studies[] | select(.name == "${fourth}") | .views[0].maps[] | .[20:28]'`,
    not: "What he meant. His registers may slide down where Anthony Liguori’s are covered.",
  },
];

/** The page's last section. */
export function claimSection(found: Comparison): string {
  const all = claims.map(
    ({
      who,
      claim,
      certainty,
      measured,
      repeat,
      not,
    }) => `<article class="claim"><div class="who">${who}${certainty === "inferred" ? '<span class="mark">wording inferred</span>' : ""}</div>
<h3>${claim}</h3>
<dl><dt>Measured</dt><dd>${measured(found)}</dd><dt>Repeat</dt><dd><code>${escaped(repeat)}</code></dd><dt>What it does not show</dt><dd>${not}</dd></dl></article>`,
  );
  return `<h2 id="claims">The claims, one by one</h2>
<p>Of the thread one message could be recovered: Rusty Russell’s answer, which quotes Anthony Liguori’s proposal. Its subject and date (October 2012, most likely) come from memory
and are not confirmed; the offsets of the struct, the count of 64 and the meaning of “minus 32” are computed from what is there. Claims are in our words. Where even those had to be
inferred, they are marked.</p>
${all.join("\n")}`;
}
