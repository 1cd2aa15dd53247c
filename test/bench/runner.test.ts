import { describe, expect, test } from "vitest";
import { groups, guestList } from "../../bench/groups.ts";
import { historyRow } from "../../bench/history.ts";
import { Marks, type Result } from "../../bench/marks.ts";
import { measure, type Run } from "../../bench/measure.ts";
import { Comparison, geometricMean, groupTable, median, testTable } from "../../bench/table.ts";

const result = (name: string, main: number, checksum = "1"): Result => ({
  ...{ name, main, cpu: 2 * main, host: 3 * main, guest: 0, checksum },
});
const run = (emulator: string, ...results: readonly Result[]): Run => ({
  ...{ emulator, results, peak: 100, failure: undefined },
});

describe("the marks on a guest's console", () => {
  test("time a test from its begin to its end, and the boot from the start", () => {
    const marks = new Marks();
    let at = 0;
    const now = () => ({ host: ++at * 100, main: at * 10, cpu: at * 20 });
    for (const piece of ["SeaBIOS\r\n@@UP 1.5 ", "0.2\r\n@@B fi", "b\r\n@@E fib us=7 chk=0", "0ff\r\n@@DONE\r\n"])
      marks.take(piece, now);
    expect(marks.results).toEqual([
      { name: "boot", host: 100, main: 10, cpu: 20, guest: 1_500_000, checksum: "" },
      { name: "fib", host: 100, main: 10, cpu: 20, guest: 7, checksum: "00ff" },
    ]);
    expect(marks).toMatchObject({ done: true, other: ["SeaBIOS"] });
  });
});

describe("the comparison", () => {
  // Medians by hand: sort 2 to 4, crc32 2 to 1.
  const runs = [
    ...[
      run("barzero", result("sort", 1e6), result("crc32", 2e6)),
      run("tcg", result("sort", 2e6), result("crc32", 1e6)),
    ],
    ...[
      run("barzero", result("sort", 2e6), result("crc32", 2e6)),
      run("tcg", result("sort", 4e6), result("crc32", 8e6)),
    ],
    ...[
      run("barzero", result("sort", 9e6), result("crc32", 2e6)),
      run("tcg", result("sort", 4e6), result("crc32", 1e6)),
    ],
  ];
  const all = new Comparison(runs);

  test("takes medians, and the geometric mean of their ratios over a group", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(3);
    expect(median([])).toBeUndefined();
    expect(geometricMean([1, 4])).toBe(2);
    expect(all.ratio("barzero", "sort", "main")).toBe(0.5);
    expect(all.ratio("barzero", "crc32", "cpu")).toBe(2);
    expect(all.groupRatio("barzero", "main", "integer")).toBeCloseTo(1, 12);
    expect(all.groupRatio("barzero", "main", "float")).toBeUndefined();
    expect(all.groupRatios("barzero", "main", "integer").map((ratio) => ratio.toFixed(3))).toEqual([
      "1.000",
      "0.354",
      "2.121",
    ]);
  });

  test("shows minimum, median and maximum of each test, and the range of a group's ratio", () => {
    expect(testTable(all, "main").split("\n")[2]).toBe(
      "| integer | sort | 1.00 2.00 9.00 | 2.00 4.00 4.00 | 0.50 | ok |",
    );
    expect(groupTable(all).split("\n")[2]).toMatch(/^\| integer \| 1\.00 \(0\.35-2\.12\) \|/);
  });

  test("says so when a checksum differs in any run", () => {
    const wrong = new Comparison([...runs, run("v86", result("sort", 1e6, "2"))]);
    expect([wrong.agrees("sort"), wrong.agrees("crc32")]).toEqual([false, true]);
    expect(testTable(wrong, "main")).toMatch(/\| sort .*\| DIFF \|/);
  });

  test("leaves out what was not asked for, and does without a baseline", () => {
    expect(new Comparison(runs, ["float"]).tests()).toEqual([]);
    const alone = new Comparison(runs.filter(({ emulator }) => emulator === "barzero"));
    expect(testTable(alone, "main").split("\n")[2]).toBe("| integer | sort | 1.00 2.00 9.00 | ok |");
    expect(groupTable(alone)).toContain("| all 2 |");
  });

  test("becomes a row of HISTORY.md with a cell for each column", () => {
    const head =
      "| date | commit | machine | guest | runs | load | boot | integer | float | vector | memory | system | busybox | all | threads | start | note |";
    const row = historyRow(all, { machine: "pc", guest: "bench", runs: 3, load: "0.1", commit: "abc" });
    expect(row.split("|")).toHaveLength(head.split("|").length);
    expect(row).toMatch(/^\| \d{4}-\d\d-\d\d \| abc \| pc \| bench \| 3 \| 0\.1 \| {2}\| 1\.00 \|/);
  });
});

describe("the groups", () => {
  test("become the guest's own words, each once", () => {
    expect(guestList("linux", Object.keys(groups))).toBe("int,fp,mem,os,bb");
    expect(guestList("bench", Object.keys(groups))).toBe("int,fp,vec,mem,os");
    expect(guestList("bench", ["boot"])).toBe("none");
    expect(() => guestList("bench", ["integers"])).toThrow("no group integers");
  });
});

// Figures come from /proc.
describe.skipIf(process.platform !== "linux")("the measurement of a process", () => {
  const node = (code: string) => [process.execPath, "-e", code];
  const busy = (ms: number) => `{ const end = Date.now() + ${ms}; while (Date.now() < end); }`;

  test("counts the processor of the busiest thread, of all threads, and the wall clock", async () => {
    // The thread stays, since one that ends takes its time with it; the main thread then has to become the busiest one.
    const stays = `${busy(300)} require("worker_threads").parentPort.postMessage(0); setInterval(() => {}, 1000);`;
    const worker = `const w = new (require("worker_threads").Worker)(${JSON.stringify(stays)}, { eval: true });`;
    const code = `console.log("@@UP 0"); console.log("@@B a"); ${worker}
      w.on("message", () => { console.log("@@E a us=1 chk=2"); console.log("@@B b"); ${busy(1200)}
      console.log("@@E b us=1 chk=2"); console.log("@@DONE"); setInterval(() => {}, 1000); });`;
    const { results, failure, peak } = await measure("fake", node(code), 60);
    expect(failure).toBeUndefined();
    expect(peak).toBeGreaterThan(10);
    expect(results.map(({ name }) => name)).toEqual(["boot", "a", "b"]);
    const [, a, b] = results;
    expect(a?.host).toBeGreaterThan(295_000);
    expect(a?.cpu).toBeGreaterThanOrEqual(a?.main ?? Number.POSITIVE_INFINITY);
    expect(b?.host).toBeGreaterThan(295_000);
    expect(b?.main).toBeGreaterThan(10_000);
    expect(b?.main).toBeLessThanOrEqual(b?.host ?? 0);
  });

  test.each([
    [
      "ends before its guest is done",
      "console.log('Kernel panic'); process.exit(3)",
      60,
      /status 3 before.*\n {2}Kernel panic/,
    ],
    ["never is done", "setInterval(() => {}, 1000)", 1, /not done after 1 s/],
  ])("says what happened when it %s", async (_, code, timeout, why) => {
    expect((await measure("fake", node(code), timeout)).failure).toMatch(why);
  });

  test("types a line when the guest asks for it, once", async () => {
    const code = `process.stdout.write("@@UP 0\\n/ # \\x1b[6n"); let all = "";
      process.stdin.on("data", (text) => { all += text; process.stdout.write("/ # "); });
      process.stdin.on("end", () => console.log("@@B a\\n@@E a us=1 chk=" + all.trim().replaceAll(/\\s/g, "+") + "\\n@@DONE"));`;
    const { results, failure } = await measure("fake", node(code), 60, () => {}, { prompt: "/ # ", line: "bench it" });
    expect(failure).toBeUndefined();
    expect(results.map(({ checksum }) => checksum)).toEqual(["", "bench+it"]);
  });

  test("says so when there is no such program", async () => {
    expect((await measure("fake", ["no-such-emulator"], 1)).failure).toMatch(/ENOENT/);
  });
});
