import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../support/command.ts";

/** As far as the tests look at it. */
interface Found {
  readonly troubles: readonly string[];
  readonly boots: readonly { readonly machine: string; readonly layout: string; readonly ring: string }[];
  readonly failing: readonly {
    readonly machine: string;
    readonly layout: string;
    readonly ring: string;
    readonly said: string;
  }[];
  readonly studies: readonly {
    readonly group: string;
    readonly name: string;
    readonly modes: number;
    readonly views: readonly {
      readonly name: string;
      readonly maps: readonly (readonly string[])[];
      readonly modes: number;
    }[];
  }[];
  readonly limits: readonly {
    readonly layout: string;
    readonly features: number;
    readonly highestRing: number;
    readonly alignment: number;
    readonly bytes: readonly { readonly entries: number; readonly split: number; readonly packed?: number }[];
  }[];
  readonly sizes: { readonly drivers: readonly { readonly lines: number; readonly decisions?: number }[] };
}

const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((file) => existsSync(file));

describe("barzero compare", () => {
  const folder = mkdtempSync(join(tmpdir(), "barzero-compare-"));
  const file = join(folder, "page.html");
  let status: number | null;
  let stderr: string;
  let found: Found;
  let page: string;

  beforeAll(async () => {
    const ran = await run("compare", "ppce500", "ppce500-noio", "--json", "--html", file);
    status = ran.status;
    stderr = ran.stderr;
    found = JSON.parse(ran.stdout) as Found;
    page = readFileSync(file, "utf8");
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  const study = (group: string, name: string) => {
    const one = found.studies.find((each) => each.group === group && each.name === name);
    if (one === undefined) throw new Error(`no study ${name}`);
    return one;
  };
  const limits = (layout: string) => found.limits.find((each) => each.layout === layout);

  it("measures everything, says nothing on standard error and ends with 0", () => {
    expect(found.troubles).toEqual([]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(new Set(found.boots.map(({ machine }) => machine))).toEqual(new Set(["ppce500", "ppce500-noio"]));
  });

  it("boots what the matrix calls impossible, and tells what the guest did instead", () => {
    const said = found.failing.map(({ machine, layout, ring, said }) => `${machine} ${layout} ${ring}: ${said}`);
    expect(said).toContain("ppce500-noio legacy split: blk: legacy: there is no window to its ports");
    expect(said).toContain("ppce500-noio overlay-bar0 split: blk: driven as overlay-bar1");
    expect(said).toContain("ppce500 legacy packed: blk: its rings are split");
  });

  it("finds legacy's two register maps, with the configuration at 20 or 24 (virtio 1.2 section 4.1.4.10)", () => {
    const [view] = study("in place", "legacy").views;
    expect(view?.maps.map((bytes) => bytes.indexOf("config 0")).sort()).toEqual([20, 24]);
  });

  it("finds the overlay's three maps in BAR0 and one in BAR1, and one in each structure of the modern layout", () => {
    const [bar0, bar1] = study("in place", "and ring alignment").views;
    expect(bar0?.maps.map((bytes) => bytes.indexOf("config 0")).sort()).toEqual([-1, 20, 24]);
    expect([bar1?.maps.length, bar1?.maps[0]?.includes("config 0")]).toEqual([1, false]);
    expect(study("clean", "and ring alignment").views.map(({ maps }) => maps.length)).toEqual([1]);
  });

  it("finds that what a driver may or may not have agreed to doubles the modes, and that the same in a clean layout adds none", () => {
    const modes = (group: string) => found.studies.filter((each) => each.group === group).map((each) => each.modes);
    const [, , , words = 0, size = 0, align = 0] = modes("in place");
    // Each of ring size and ring alignment is accepted or not, and nothing else depends on it.
    expect([size, align]).toEqual([2 * words, 4 * words]);
    expect(new Set(modes("clean").slice(0, 4)).size).toBe(1);
    // Queue reset and notification data are features again.
    const [apart = 0, , , , reset = 0, data = 0] = modes("clean");
    expect([reset > apart, data > reset]).toEqual([true, true]);
  });

  it("finds that a driver of one half of a transitional device meets that half's modes alone", () => {
    const [bar0, bar4] = study("whole", "transitional").views;
    expect(bar0?.modes).toBe(study("in place", "legacy").modes);
    expect(bar4?.modes).toBe(study("clean", "a clean layout, configuration apart").modes);
  });

  it("finds that Rusty Russell's latch adds a map of all ones to BAR0", () => {
    const maps = study("whole", "modern-latched").views[0]?.maps ?? [];
    expect(maps).toHaveLength(3);
    expect(maps.filter((bytes) => bytes.every((name) => name === "all ones"))).toHaveLength(1);
  });

  it("finds each layout's limits as the specification has them (virtio 1.2 sections 2.2, 2.7, 2.8, 4.1.5.1.3.1)", () => {
    expect(["legacy", "overlay", "modern"].map((layout) => limits(layout)?.features)).toEqual([32, 128, 128]);
    // A page number of 32 bits; 64 bits of address.
    expect(["legacy", "overlay", "modern"].map((layout) => limits(layout)?.highestRing)).toEqual([43, 63, 63]);
    expect(["legacy", "overlay", "modern"].map((layout) => limits(layout)?.alignment)).toEqual([4096, 4, 4]);
    for (const { entries, split, packed } of limits("modern")?.bytes ?? []) {
      expect(split).toBe(16 * entries + (6 + 2 * entries) + (6 + 8 * entries));
      expect(packed).toBe(16 * entries + 4 + 4);
    }
    for (const { entries, split } of limits("legacy")?.bytes ?? [])
      expect(split).toBe(Math.ceil((16 * entries + 2 * (3 + entries)) / 4096) * 4096 + 6 + 8 * entries);
  });

  it("counts lines and decisions of the rooms", () => {
    for (const { lines, decisions } of found.sizes.drivers)
      expect([lines > 100, decisions === undefined || decisions > 20]).toEqual([true, true]);
  });

  it("makes a page which needs nothing else, and tells how to repeat each section's figures", () => {
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(|\bsrc=|https?:/);
    expect(page).not.toMatch(/undefined|NaN|\[object|Infinity/);
    for (const section of page.split("<h2 ").slice(1)) expect(section).toMatch(/<code>(barzero|npm start|gcc)/);
    expect(page.match(/<article class="claim">/g)?.length).toBe(page.match(/What it does not show/g)?.length);
  });

  for (const width of [390, 1280])
    for (const colorScheme of ["light", "dark"] as const)
      it(`fits a window of ${width} pixels in ${colorScheme} colours`, async (context) => {
        if (chromium === undefined) return context.skip("there is no chromium here: apt-get install chromium");
        const playwright = await import("playwright-core");
        const browser = await playwright.chromium.launch({
          executablePath: chromium,
          args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        });
        try {
          const tab = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
          const asked: string[] = [];
          tab.on("request", (request) => asked.push(request.url()));
          await tab.goto(`file://${file}`);
          const shot = await tab.screenshot({ fullPage: true, path: join(folder, `${width}-${colorScheme}.png`) });
          const seen = await tab.evaluate(() => {
            const root = document.documentElement;
            const [, red = "0"] = /(\d+)/.exec(getComputedStyle(document.body).backgroundColor) ?? [];
            // Only a table may be wider than the page, in a box of its own which scrolls.
            const wide = [...document.querySelectorAll("body *")].filter(
              (element) =>
                element.closest(".table, svg") === null && element.getBoundingClientRect().right > root.clientWidth + 1,
            );
            return {
              scroll: root.scrollWidth,
              client: root.clientWidth,
              wide: wide.map((each) => each.outerHTML.slice(0, 80)),
              red: Number(red),
            };
          });
          expect(seen.scroll).toBeLessThanOrEqual(seen.client);
          expect(seen.wide).toEqual([]);
          expect(seen.red > 128).toBe(colorScheme === "light");
          expect(shot.length).toBeGreaterThan(50_000);
          expect(asked).toEqual([`file://${file}`]);
        } finally {
          await browser.close();
        }
      });

  it("says what it cannot write before it works for a minute", async () => {
    const { status, stderr } = await run("compare", "--html", join(folder, "nowhere", "page.html"));
    expect(stderr).toMatch(/^barzero: cannot write the page, .*: there is no such file; check the path\n$/);
    expect(status).toBe(1);
  });
});
