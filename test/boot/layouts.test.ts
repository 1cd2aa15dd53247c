import { describe, expect, test } from "vitest";
import { ppce500 } from "../../machines/ppce500.ts";
import { boot } from "../../src/host/index.ts";

/** Boots, and gives the console when the guest has left with status 0. */
async function passed(options: NonNullable<Parameters<typeof boot>[0]>): Promise<string> {
  await using vm = await boot(options);
  expect(await vm.exit).toBe(0);
  return vm.console.text;
}

const machines = ["pc", "ppce500"] as const;

describe.each(machines)("the self-test on %s", (machine) => {
  test.each(["overlay-bar0", "overlay-bar1"])("passes on overlay devices driven through %s", async (driver) => {
    const text = await passed({ machine, layout: "overlay", append: `selftest layout=${driver}` });
    const lines = text.split(/\r?\n/);
    expect(lines.filter((line) => line.startsWith("not ok"))).toEqual([]);
    // Each of what Rusty Russell lists is tried, not left out.
    const tried = lines.filter((line) => /^ok \d+ - (overlay|rings):/.test(line));
    expect(tried).toHaveLength(8);
    expect(tried.filter((line) => line.includes("SKIP"))).toEqual([]);
  });

  test("tries rings of 1024 and of 220 bytes, and one above 16 TiB, on modern devices", async () => {
    const text = await passed({ machine, append: "selftest" });
    const tried = text.split(/\r?\n/).filter((line) => /rings:|16 TiB/.test(line));
    expect(tried.filter((line) => !line.includes("SKIP")).map((line) => line.replace(/ok \d+ - /, ""))).toEqual([
      "modern: a ring above 16 TiB is not taken for the one below",
      "rings: 1024 entries, which the guest chose, hold a thousand requests at once",
      "rings: 8 entries take 220 bytes and their alignment",
    ]);
  });

  test.each(["modern-latched", "overlay-legacy", "transitional"] as const)("passes on %s devices", async (layout) => {
    expect(await passed({ machine, layout, append: "selftest" })).not.toMatch(/^not ok/m);
  });

  test("passes on overlay devices which a legacy driver drives, MSI-X moving their configuration", async () => {
    const text = await passed({ machine, layout: "overlay-legacy", append: "selftest layout=legacy" });
    const tried = text.split(/\r?\n/).filter((line) => / - (legacy|virtio): .*MSI-X/.test(line));
    expect(tried).toHaveLength(2);
    for (const line of tried) expect(line).not.toMatch(/^not ok|SKIP/);
  });

  test.each([8, 1024])("gives a driver the ring of %d which its command line asks for", async (entries) => {
    for (const layout of ["modern", "overlay"] as const) {
      await using vm = await boot({ machine, layout, append: `ring=${entries}` });
      await vm.console.expect(`queue 0: ${entries} entries`);
      await vm.console.expect("barzero> ");
    }
  });
});

describe("a machine whose bridge has no window to ports", () => {
  test("cannot drive a legacy disk, and its kernel says that there is no window", async () => {
    await using vm = await boot({ machine: "ppce500-noio", layout: "legacy", append: "matrix layout=legacy" });
    expect(await vm.exit).toBe(1);
    expect(vm.console.text).toMatch(/legacy: there is no window to its ports/);
    expect(vm.console.text).toMatch(/cell blk layout=none/);
  });

  test.each([
    ["overlay", "overlay-bar1"],
    ["modern", "modern"],
  ] as const)("reads its disk through the memory registers of %s devices", async (layout, driver) => {
    const text = await passed({ machine: "ppce500-noio", layout, append: "matrix" });
    expect(text).toMatch(new RegExp(`cell blk layout=${driver} .* ok`));
  });
});

describe("virtio registers in one space only", () => {
  test.each([
    ["pc-ports", "overlay", "overlay-bar0"],
    ["pc-ports", "modern", "modern"],
    ["pc-ports", "transitional", "legacy"],
    ["pc-ports", "transitional", "modern"],
    ["pc-memory", "overlay", "overlay-bar1"],
    ["pc-memory", "transitional", "modern"],
  ] as const)("on %s leave %s devices to %s drivers", async (machine, layout, driver) => {
    const text = await passed({ machine, layout, append: `matrix layout=${driver}` });
    expect(text).toMatch(new RegExp(`cell blk layout=${driver} .* ok`));
  });

  test("leave nothing of a legacy device on pc-memory", async () => {
    await using vm = await boot({ machine: "pc-memory", layout: "legacy" });
    await vm.console.expect("no layout of its registers is in reach");
  });

  test.each(["pc-ports", "pc-memory"])(
    "are where the modern driver says that it found them, on %s",
    async (machine) => {
      await using vm = await boot({ machine, layout: "modern" });
      await vm.console.expect("barzero> ");
      const kinds = [...vm.console.text.matchAll(/^ +(?:common|notify|isr|config) +BAR4\+\w+, (\w+) /gm)].map(
        ([, kind]) => kind,
      );
      expect(kinds.length).toBeGreaterThanOrEqual(4);
      expect(new Set(kinds)).toEqual(new Set([machine === "pc-ports" ? "ports" : "memory"]));
    },
  );

  test.each([
    ["pc-ports", "pc-ports"],
    ["a PowerPC, to which ports are a window in memory", { ...ppce500, virtioSpace: "ports" as const }],
  ])("in ports are all that the modern checks want, on %s", async (_, machine) => {
    const text = await passed({ machine, layout: "modern", append: "selftest" });
    const tried = text.split(/\r?\n/).filter((line) => / - (modern|rings):/.test(line));
    expect(tried.length).toBeGreaterThanOrEqual(11);
    for (const line of tried) expect(line).toMatch(/^ok \d+ - [^#]*$/);
  });
});
