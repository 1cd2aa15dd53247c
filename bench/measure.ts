import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { Marks, type Result, type Times } from "./marks.ts";

/** What one run of one emulator gave. */
export interface Run {
  readonly emulator: string;
  readonly results: readonly Result[];
  /** The largest resident set of one of its processes, MiB. */
  readonly peak: number;
  /** Why it ended early, or undefined when the guest said that it was done. */
  readonly failure: string | undefined;
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return ""; // the process or thread is gone
  }
}

function threads(pid: string): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function withDescendants(pid: string): readonly string[] {
  const children = threads(pid).flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).trim().split(" "));
  return [pid, ...children.filter((child) => child).flatMap(withDescendants)];
}

/** Microseconds of CPU by Linux's schedstat, whose first number is nanoseconds on a processor. */
function cpuTimes(pid: string): Omit<Times, "host"> {
  const each = withDescendants(pid).flatMap((process) =>
    threads(process).map((thread) => Number(read(`/proc/${process}/task/${thread}/schedstat`).split(" ")[0]) / 1000),
  );
  return { main: Math.max(0, ...each), cpu: each.reduce((sum, time) => sum + time, 0) };
}

function peakMemory(pid: string): number {
  const each = withDescendants(pid).map((process) => /^VmHWM:\s*(\d+)/m.exec(read(`/proc/${process}/status`))?.[1]);
  return Math.max(0, ...each.map((kibibytes) => Number(kibibytes ?? 0))) / 1024;
}

/** What is typed on the guest's console, once, when the guest asks for it. */
export interface Typed {
  readonly prompt: string;
  readonly line: string;
}

/**
 * Runs an emulator until its guest is done, and kills it then.
 * @param emulator its name in the tables
 * @param command program and arguments; the guest's console is its standard output
 * @param timeout seconds of wall clock
 * @param seen called after each test
 * @param typed left out, the guest's console has nobody who types
 */
export function measure(
  emulator: string,
  command: readonly string[],
  timeout: number,
  seen: (result: Result) => void = () => {},
  typed?: Typed,
): Promise<Run> {
  const [program = "", ...rest] = command;
  const start = process.hrtime.bigint();
  const marks = new Marks();
  // A group of its own, so that all of it can be ended at once.
  const child = spawn(program, rest, { stdio: [typed ? "pipe" : "ignore", "pipe", "pipe"], detached: true });
  const pid = String(child.pid);
  let peak = 0;
  let complaints = "";
  /** What the guest has printed, as long as it may be a prompt to be answered. */
  let asked = "";

  return new Promise((resolve) => {
    const end = (failure?: string): void => {
      clearTimeout(timer);
      process.off("exit", kill);
      kill();
      const tail = [...marks.other.slice(-5), ...complaints.trim().split("\n").slice(-5)].filter((line) => line);
      resolve({ emulator, results: marks.results, peak, failure: failure && [failure, ...tail].join("\n  ") });
    };
    const kill = (): void => {
      try {
        process.kill(-Number(pid), "SIGKILL");
      } catch {
        // it has ended by itself
      }
    };
    const timer = setTimeout(() => end(`${emulator}: not done after ${timeout} s`), timeout * 1000);
    process.on("exit", kill);
    const now = (): Times => {
      const host = Number(process.hrtime.bigint() - start) / 1000;
      peak = Math.max(peak, peakMemory(pid));
      return { host, ...cpuTimes(pid) };
    };
    child.stdout?.on("data", (bytes: Buffer) => {
      const before = marks.results.length;
      const text = bytes.toString("latin1");
      marks.take(text, now);
      if (typed && child.stdin?.writable) {
        asked = (asked + text).slice(-typed.prompt.length - text.length);
        if (asked.includes(typed.prompt)) child.stdin.end(`${typed.line}\n`);
      }
      for (const result of marks.results.slice(before)) seen(result);
      if (marks.done) end();
    });
    child.stderr?.on("data", (bytes: Buffer) => {
      complaints = (complaints + bytes.toString()).slice(-4000);
    });
    child.on("error", (error) => end(`${emulator}: ${error.message}`));
    // Not `exit`: output may still be in the pipe.
    child.on(
      "close",
      (status) => marks.done || end(`${emulator}: ended with status ${status} before its guest was done`),
    );
  });
}
