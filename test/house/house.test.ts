import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { tableText } from "./import-table.ts";
import { type Rule, rules, type Source } from "./rules.ts";

const top = fileURLToPath(new URL("../../", import.meta.url));

function sources(): readonly Source[] {
  return ["src", "machines", "guest"].flatMap((folder) =>
    readdirSync(top + folder, { recursive: true, encoding: "utf8" })
      .filter((name) => (folder === "guest" ? /\.[ch]$/ : /\.ts$/).test(name))
      .map((name) => ({ path: `${folder}/${name}`, text: readFileSync(`${top}${folder}/${name}`, "utf8") })),
  );
}

/** For each rule, what would break it, so that it is known to be able to say no. */
const breaches: Readonly<Record<keyof typeof rules, readonly (readonly [path: string, text: string])[]>> = {
  keepsToTheTable: [
    ["src/devices/new.ts", 'import type { PciBus } from "../pci/bus.ts";'],
    ["src/bus/new.ts", 'import {\n  type Clock,\n} from "../time/clock.ts";'],
    ["src/virtio/layout/modern/new.ts", 'export { Machine } from "../../../board/machine.ts";'],
    ["src/board/new.ts", 'const files = await import("../host/files.ts");'],
    ["src/index.ts", 'export { readElf } from "./loader/elf.ts";'],
    ["src/host/new.ts", 'import { elf } from "../../test/support/elf.ts";'],
    ["src/cellar/new.ts", ""],
  ],
  machinesTakeOnlyTheType: [
    ["machines/new.ts", 'import { MachineSpec } from "../src/board/spec.ts";'],
    ["machines/new.ts", 'import type { Machine } from "../src/board/machine.ts";'],
    ["machines/new.ts", 'import { pc } from "./pc.ts";'],
  ],
  onlyTheHostTouchesNode: [
    ["src/devices/new.ts", 'import { readFileSync } from "node:fs";'],
    ["src/board/new.ts", "setTimeout(run, 1);"],
    ["src/time/new.ts", "const t = process.hrtime();"],
  ],
  packagesStayInTheirRooms: [
    ["src/devices/new.ts", 'import * as z from "zod";'],
    ["src/board/new.ts", 'import { Command } from "commander";'],
  ],
  importsEndInTs: [["src/bus/new.ts", 'import { Ram } from "./ram";']],
  exportsHaveNames: [["src/bus/new.ts", "const a = 1;\nexport default a;"]],
  onlyRamIndexesGuestMemory: [
    ["src/devices/new.ts", "this.#guest.bytes[0] = 1;"],
    ["src/board/new.ts", "new DataView(guest.memory.buffer);"],
  ],
  layoutsAreRoomsApart: [["src/virtio/layout/modern/new.ts", 'import { a } from "../legacy/a.ts";']],
  whatLayoutsShareKnowsNone: [
    ["src/virtio/core.ts", 'import { region } from "./layout/modern/registers.ts";'],
    ["src/virtio/queue/new.ts", 'if (options.layout === "legacy") size = 256;'],
    ["src/virtio/layout/overlay/new.ts", 'const wide = shown !== "overlay-legacy";'],
  ],
  driversAskForNoLayout: [
    ["guest/drivers/virtio_blk.c", '#include "virtio_pci_legacy.h"'],
    ["guest/drivers/virtio_pci_overlay.c", "if (device->transport == &virtio_pci_legacy)\n\treturn;"],
    ["guest/kernel/matrix.c", 'if (strcmp(device->transport->layout, "modern") == 0)'],
  ],
  nothingIsPutOff: [["src/bus/new.ts", `// ${"TO"}DO later`]],
};

describe("the house", () => {
  const all = sources();

  it.each(Object.entries(rules))("has no breach of %s", (_, rule: Rule) => {
    expect(all.flatMap(rule)).toEqual([]);
  });

  it.each(Object.keys(rules))("would notice a breach of %s", (name) => {
    for (const [path, text] of breaches[name] ?? [["", ""]])
      expect((rules[name] as Rule)({ path, text }), `${path}: ${text}`).not.toEqual([]);
  });

  it("lets the transitional layout be made of the two others", () => {
    const text = 'import { a } from "../legacy/a.ts";';
    expect((rules.layoutsAreRoomsApart as Rule)({ path: "src/virtio/layout/transitional/a.ts", text })).toEqual([]);
  });

  it("is looked at whole", () => {
    expect(all.length).toBeGreaterThan(50);
  });

  it.skipIf(!existsSync(`${top}ARCHITECTURE.md`))("shows its import table in ARCHITECTURE.md", () => {
    const shown = readFileSync(`${top}ARCHITECTURE.md`, "utf8").replaceAll(/^ {4}/gm, "");
    expect(shown).toContain(tableText());
  });
});
