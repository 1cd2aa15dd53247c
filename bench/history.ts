import { type Comparison, median } from "./table.ts";

/** What a row says beside the figures. */
export interface Circumstances {
  readonly machine: string;
  readonly guest: string;
  readonly runs: number;
  readonly load: string;
  readonly commit: string;
}

const columns = ["boot", "integer", "float", "vector", "memory", "system", "busybox"];

/** A row of HISTORY.md's table: Barzero/TCG on the emulating thread by group, all tests, all threads, seconds to the guest's first mark. */
export function historyRow(all: Comparison, { machine, guest, runs, load, commit }: Circumstances): string {
  const ratio = (value: number | undefined): string => value?.toFixed(2) ?? "";
  const boot = median(all.times("barzero", "boot", "host"));
  const cells = [
    ...[new Date().toISOString().slice(0, 10), commit, machine, guest, String(runs), load],
    ...columns.map((group) => ratio(all.groupRatio("barzero", "main", group))),
    ...[ratio(all.groupRatio("barzero", "main")), ratio(all.groupRatio("barzero", "cpu"))],
    ...[boot === undefined ? "" : (boot / 1e6).toFixed(2), ""],
  ];
  return `| ${cells.join(" | ")} |`;
}
