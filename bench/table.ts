import { groups } from "./groups.ts";
import type { Result, Times } from "./marks.ts";
import type { Run } from "./measure.ts";

export type Metric = keyof Times;
export const metrics: readonly Metric[] = ["main", "cpu", "host"];

/** What the ratios are of, and to. */
export const baseline = "tcg";

/** The upper one of the two in the middle where their number is even. Undefined for none. */
export function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** Undefined for none. */
export function geometricMean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.exp(values.reduce((sum, v) => sum + Math.log(v), 0) / values.length);
}

/** What all runs of all emulators say of one test. */
export class Comparison {
  readonly emulators: readonly string[];
  readonly #runs: readonly Run[];
  readonly #groups: readonly string[];

  /** @param wanted the groups that count; empty for all */
  constructor(runs: readonly Run[], wanted: readonly string[] = []) {
    this.#runs = runs;
    this.#groups = wanted.length === 0 ? Object.keys(groups) : wanted;
    this.emulators = [...new Set(runs.map(({ emulator }) => emulator))];
  }

  /** Groups of which some emulator ran a test. */
  get groups(): readonly string[] {
    return this.#groups.filter((group) => this.tests(group).length > 0);
  }

  /** Tests of a group, or of all groups, which some emulator ran. */
  tests(group?: string): readonly string[] {
    const names = group === undefined ? this.#groups.flatMap((each) => groups[each] ?? []) : (groups[group] ?? []);
    return names.filter((name) => this.#runs.some((run) => resultOf(run, name)));
  }

  /** Microseconds of each run, in the order of the runs. */
  times(emulator: string, test: string, metric: Metric): readonly number[] {
    return this.#of(emulator).flatMap((run) => resultOf(run, test)?.[metric] ?? []);
  }

  /** Whether every run of every emulator computed the same. */
  agrees(test: string): boolean {
    return new Set(this.#runs.flatMap((run) => resultOf(run, test)?.checksum ?? [])).size <= 1;
  }

  /** The medians' ratio to the baseline; undefined where one of them did not run it. */
  ratio(emulator: string, test: string, metric: Metric): number | undefined {
    const a = median(this.times(emulator, test, metric));
    const b = median(this.times(baseline, test, metric));
    return a !== undefined && b !== undefined && a > 0 && b > 0 ? a / b : undefined;
  }

  /** Geometric mean of the ratios of a group's tests, or of all. */
  groupRatio(emulator: string, metric: Metric, group?: string): number | undefined {
    return geometricMean(this.tests(group).flatMap((test) => this.ratio(emulator, test, metric) ?? []));
  }

  /** The same of each run against the baseline's run of that number: how far it is to be trusted. */
  groupRatios(emulator: string, metric: Metric, group?: string): readonly number[] {
    const others = this.#of(baseline);
    return this.#of(emulator).flatMap((run, n) => {
      const other = others[n];
      return other === undefined
        ? []
        : (new Comparison([run, other], this.#groups).groupRatio(emulator, metric, group) ?? []);
    });
  }

  /** MiB. */
  peak(emulator: string): number {
    return Math.max(...this.#of(emulator).map(({ peak }) => peak));
  }

  #of(emulator: string): readonly Run[] {
    return this.#runs.filter((run) => run.emulator === emulator);
  }
}

function resultOf(run: Run, test: string): Result | undefined {
  return run.results.find(({ name }) => name === test);
}

const seconds = (us: number | undefined): string => (us === undefined ? "" : (us / 1e6).toPrecision(3));
const two = (ratio: number | undefined): string => ratio?.toFixed(2) ?? "";
const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const rule = (cells: readonly string[]): string => `|${"---|".repeat(cells.length)}`;

/** Minimum, median and maximum. */
function spread(values: readonly number[], show: (value: number | undefined) => string): string {
  if (values.length < 2) return show(values[0]);
  return `${show(Math.min(...values))} ${show(median(values))} ${show(Math.max(...values))}`;
}

/** A row a test: seconds of each emulator as minimum, median and maximum, ratios of the medians, and whether checksums agree. */
export function testTable(all: Comparison, metric: Metric): string {
  const compared = all.emulators.filter((emulator) => emulator !== baseline && all.emulators.includes(baseline));
  const head = [
    "group",
    "test",
    ...all.emulators.map((e) => `${e} s`),
    ...compared.map((e) => `${e}/${baseline}`),
    "chk",
  ];
  const rows = all.groups.flatMap((group) =>
    all
      .tests(group)
      .map((test) => [
        ...[group, test, ...all.emulators.map((e) => spread(all.times(e, test, metric), seconds))],
        ...compared.map((e) => two(all.ratio(e, test, metric))),
        all.agrees(test) ? "ok" : "DIFF",
      ]),
  );
  return [row(head), rule(head), ...rows.map(row)].join("\n");
}

/** A row a group: for each emulator and metric the ratio to the baseline, and in brackets its least and largest in one run. */
export function groupTable(all: Comparison): string {
  const compared = all.emulators.filter((emulator) => emulator !== baseline);
  const head = ["group", ...compared.flatMap((e) => metrics.map((metric) => `${e}/${baseline} ${metric}`))];
  const line = (name: string, group?: string): readonly string[] => [
    name,
    ...compared.flatMap((e) =>
      metrics.map((metric) => {
        const each = all.groupRatios(e, metric, group);
        const range = each.length < 2 ? "" : ` (${two(Math.min(...each))}-${two(Math.max(...each))})`;
        return `${two(all.groupRatio(e, metric, group))}${range}`;
      }),
    ),
  ];
  const rows = [...all.groups.map((group) => line(group, group)), line(`all ${all.tests().length}`)];
  return [row(head), rule(head), ...rows.map(row)].join("\n");
}
