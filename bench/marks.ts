/** CPU time and wall clock, in microseconds, from an emulator's start or between two marks. */
export interface Times {
  /** Wall clock. */
  readonly host: number;
  /** CPU time of the busiest thread: the one that emulates. */
  readonly main: number;
  /** CPU time of all threads of all processes below the emulator. */
  readonly cpu: number;
}

/** One test as one emulator ran it. */
export interface Result extends Times {
  readonly name: string;
  /** By the guest's own clock, microseconds. */
  readonly guest: number;
  /** What the test computed: the same on every emulator. Empty for the boot. */
  readonly checksum: string;
}

/**
 * Reads a guest's console. `@@UP` ends the boot, `@@B NAME` and `@@E NAME us=N chk=SUM` are around a test, `@@DONE` is the end.
 */
export class Marks {
  readonly results: Result[] = [];
  /** The last lines of the console that were no marks. */
  readonly other: string[] = [];
  done = false;
  #begin: Times | undefined;
  #partial = "";

  /** Takes console output; `now` is asked for once a mark. */
  take(text: string, now: () => Times): void {
    const lines = (this.#partial + text.replaceAll("\r", "")).split("\n");
    this.#partial = lines.pop() ?? "";
    for (const line of lines) this.#line(line, now);
  }

  #line(line: string, now: () => Times): void {
    const at = line.indexOf("@@");
    if (at < 0) {
      if (this.other.push(line) > 40) this.other.shift();
      return;
    }
    const mark = line.slice(at);
    const time = now();
    const end = /^@@E (\S+) us=(\d+) chk=(\S+)/.exec(mark);
    if (mark.startsWith("@@B ")) this.#begin = time;
    else if (end && this.#begin) {
      const { host, main, cpu } = this.#begin;
      const spent = { host: time.host - host, main: time.main - main, cpu: time.cpu - cpu };
      this.results.push({ name: end[1] ?? "", ...spent, guest: Number(end[2]), checksum: end[3] ?? "" });
    } else if (mark.startsWith("@@UP ") && !this.results.some(({ name }) => name === "boot"))
      this.results.push({
        name: "boot",
        ...time,
        guest: Math.round(1e6 * Number.parseFloat(mark.slice(5))),
        checksum: "",
      });
    else if (mark.startsWith("@@DONE")) this.done = true;
  }
}
