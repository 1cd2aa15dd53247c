import { describe, expect, it } from "vitest";
import { pc, pcMemory, pcPorts } from "../../machines/pc.ts";
import { ppce500, ppce500Noio } from "../../machines/ppce500.ts";
import type { MachineSpec } from "../../src/board/spec.ts";
import { type Cell, judge, type RowResult } from "../../src/host/matrix/cells.ts";
import { layouts, planRows, type Row, ringName, shardOf } from "../../src/host/matrix/plan.ts";
import { json, tableRow, tapLine } from "../../src/host/matrix/report.ts";

const lines = [
  "cell blk layout=legacy ring=split irq=msix messages=4 interrupts=4 setup_accesses=32 ok",
  "cell console layout=legacy ring=split irq=msix messages=1 interrupts=1 setup_accesses=22 ok",
  "cell rng layout=legacy ring=split irq=msix messages=2 interrupts=2 setup_accesses=16 ok",
  "cell net layout=legacy ring=split irq=msix messages=8 interrupts=8 setup_accesses=77 ok",
];

const counts = {
  "messages-dropped": 0,
  "blk0.messages": 4,
  "blk0.pins": 0,
  "blk0.setup-accesses": 32,
  "console0.messages": 1,
  "console0.pins": 0,
  "console0.setup-accesses": 22,
  "rng0.messages": 2,
  "rng0.pins": 0,
  "rng0.setup-accesses": 16,
  "net0.messages": 8,
  "net0.pins": 0,
  "net0.setup-accesses": 77,
};

const good: RowResult = {
  row: {
    machine: "pc",
    layout: layouts.find(({ name }) => name === "transitional-as-legacy") as (typeof layouts)[number],
    ring: "split",
    irq: "msix",
  },
  status: 0,
  text: `barzero kernel on pc\r\n${lines.join("\r\n")}\r\n`,
  consoleText: "barzero console cell\r\n",
  wireText: "E barzero net cell",
  counts,
};

/** What is said of the disk's cell when the result is like the good one but for this. */
const blkWhy = (change: Partial<RowResult>) => judge({ ...good, ...change })[0]?.why;
const told = (text: string) => blkWhy({ text });

describe("the plan of the matrix", () => {
  const wanted = (...specs: readonly MachineSpec[]) => specs.map((spec) => ({ machine: spec.name, spec }));
  const skips = (spec: MachineSpec) =>
    planRows(wanted(spec))
      .filter(({ skip, ring, irq }) => skip !== undefined && ring === "split" && irq === "msix")
      .map(({ layout }) => layout.name);

  it("has 48 rows a machine: eight ways to drive a layout by two formats of ring and three interrupt modes", () => {
    const rows = planRows(wanted(pc, ppce500));
    expect(rows).toHaveLength(96);
    const names = rows.map(({ machine, layout, ring, irq }) => `${machine} ${layout.name} ${ring} ${irq}`);
    expect(new Set(names).size).toBe(96);
  });

  it("has packed rings for drivers of the modern layout alone", () => {
    const packed = planRows(wanted(pc)).filter(({ ring }) => ring === "packed");
    const possible = packed.filter(({ skip }) => skip === undefined).map(({ layout }) => layout.name);
    expect([...new Set(possible)]).toEqual(["modern", "modern-latched", "transitional-as-modern"]);
    expect(packed.find(({ layout }) => layout.name === "legacy")?.skip).toMatch(/bit 34/);
  });

  it("leaves out what a machine cannot drive, and nothing else", () => {
    const inPorts = ["legacy", "overlay-bar0", "overlay-as-legacy", "transitional-as-legacy"];
    expect([skips(pc), skips(ppce500)]).toEqual([[], []]);
    expect([skips(pcMemory), skips(ppce500Noio)]).toEqual([inPorts, inPorts]);
    expect(skips(pcPorts)).toEqual(["overlay-bar1"]);
  });

  it("has rings in order and with notification data, where they are asked for, in the modern layout alone", () => {
    const rows = planRows(wanted(pc), ["notification-data", "in-order"]);
    expect(rows).toHaveLength(48);
    expect(ringName(rows[0] as Row)).toBe("split+in-order+notification-data");
    const possible = rows.filter(({ skip }) => skip === undefined).map(({ layout, ring }) => `${layout.name} ${ring}`);
    expect([...new Set(possible)]).toEqual(
      ["modern", "modern-latched", "transitional-as-modern"].flatMap((name) => [`${name} split`, `${name} packed`]),
    );
    expect(rows.find(({ layout }) => layout.name === "legacy")?.skip).toMatch(/bits 35 and 38/);
    expect(planRows(wanted(pc)).some((row) => row.with !== undefined)).toBe(false);
  });

  it("is divided into parts which together are the whole", () => {
    const rows = planRows(wanted(pc));
    const parts = [1, 2, 3, 4, 5].map((part) => shardOf(rows, part, 5));
    expect(parts.map((part) => part.length)).toEqual([10, 10, 10, 9, 9]);
    expect(new Set(parts.flat())).toEqual(new Set(rows));
  });
});

describe("a row of the matrix", () => {
  it("is four cells, with the emulator's figures", () => {
    const cells = judge(good);
    expect(cells.map((cell) => cell.ok)).toEqual([true, true, true, true]);
    expect(cells[1]).toEqual({
      machine: "pc",
      layout: "transitional-as-legacy",
      ring: "split",
      irq: "msix",
      device: "console",
      ok: true,
      messages: 1,
      interrupts: 1,
      setupAccesses: 22,
    });
  });

  it("takes asserting the pin for an interrupt which is no message", () => {
    const intx = { ...good.row, irq: "intx" as const };
    const text = good.text.replaceAll("msix messages=4", "intx messages=0");
    const [blk] = judge({ ...good, row: intx, text, counts: { ...counts, "blk0.messages": 0, "blk0.pins": 4 } });
    expect(blk).toMatchObject({ ok: true, messages: 0, interrupts: 4 });
  });

  it("is not ok when the guest says so, or says nothing, or says it twice", () => {
    expect(told(good.text.replace("32 ok", "32 FAIL other data came back"))).toBe("other data came back");
    expect(told("barzero kernel on pc\r\npanic: no memory\r\n")).toMatch(/nothing of it.*panic: no memory/);
    expect(told(`${good.text}${lines[0]}\n`)).toMatch(/twice/);
  });

  it("is not ok when another layout, format of ring or interrupt mode was driven than asked for", () => {
    expect(told(good.text.replace("blk layout=legacy", "blk layout=modern"))).toBe("driven as modern");
    expect(told(good.text.replace("ring=split", "ring=packed"))).toBe("rings are packed");
    expect(told(good.text.replace("ring=split", "ring=split+in-order"))).toBe("rings are split+in-order");
    expect(blkWhy({ row: { ...good.row, with: ["in-order"] } })).toBe("rings are split");
    expect(told(good.text.replace("split irq=msix", "split irq=intx"))).toBe("interrupts by intx");
  });

  it.each(["messages", "interrupts", "setup_accesses"])("is not ok when guest and emulator count other %s", (what) => {
    expect(told(good.text.replace(new RegExp(`${what}=\\d+`), `${what}=99`))).toMatch(/counts 99/);
  });

  it("is not ok when messages were dropped, the guest failed, or the boot had trouble", () => {
    expect(blkWhy({ counts: { ...counts, "messages-dropped": 2 } })).toMatch(/2 messages .* dropped/);
    expect(blkWhy({ status: 1 })).toMatch(/status 1/);
    expect(blkWhy({ trouble: "the guest still ran after 60 s" })).toMatch(/still ran/);
  });

  it("wants the console's line to have come out of the console", () => {
    expect(judge({ ...good, consoleText: "" }).map((cell) => cell.ok)).toEqual([true, false, true, true]);
  });

  it("wants the network card's datagram to have been on the wire", () => {
    expect(judge({ ...good, wireText: "" }).map((cell) => cell.ok)).toEqual([true, true, true, false]);
  });

  it("is four cells which say why where the machine cannot do it", () => {
    const cells = judge({ ...good, text: "", row: { ...good.row, skip: "there is no way" } });
    expect(cells.map(({ ok, skipped }) => [ok, skipped])).toEqual(new Array(4).fill([true, "there is no way"]));
    expect(tapLine(cells[2] as Cell, 3)).toBe("ok 3 - pc transitional-as-legacy split msix rng # SKIP there is no way");
    expect(tableRow(cells)).toMatch(/^pc +transitional-as-legacy +split +msix +-- +there is no way$/);
    expect(JSON.parse(json(cells))).toMatchObject({ passed: 0, skipped: 4, failed: 0 });
  });

  it("is a line of TAP a cell, which names all five things", () => {
    const [blk] = judge(good);
    const [bad] = judge({ ...good, status: 3 });
    if (blk === undefined || bad === undefined) throw new Error("no cell");
    expect(tapLine(blk, 7)).toBe(
      "ok 7 - pc transitional-as-legacy split msix blk messages=4 interrupts=4 setup-accesses=32",
    );
    expect(tapLine(bad, 7)).toMatch(
      /^not ok 7 - pc transitional-as-legacy split msix blk .* # the guest left with status 3$/,
    );
    expect(tableRow(judge(good))).toMatch(
      /^pc +transitional-as-legacy +split +msix +ok +4\/4\/32 +ok +1\/1\/22 +ok +2\/2\/16 +ok +8\/8\/77$/,
    );
  });
});
