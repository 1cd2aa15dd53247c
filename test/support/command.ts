import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The command's entry, as source. */
export const bin = fileURLToPath(new URL("../../src/host/bin.ts", import.meta.url));

export interface Ran {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly pid: number;
  /** Resolves when standard output matches. */
  printed(pattern: RegExp): Promise<void>;
  /** Resolves with the match when standard error matches. */
  complained(pattern: RegExp): Promise<RegExpExecArray>;
  type(text: string): void;
  /** The end of standard input. */
  end(): void;
  /** The reader of standard output goes away. */
  closeOutput(): void;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ran>;
}

/** Starts the command on this source tree. Standard input is a pipe, or /dev/null. */
export function start(words: readonly string[], input: "pipe" | "null" = "pipe"): Running {
  const child = spawn(process.execPath, [bin, ...words], {
    stdio: [input === "pipe" ? "pipe" : "ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const looks: (() => void)[] = [];
  const look = () => {
    for (const one of looks) one();
  };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    look();
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    look();
  });
  // The command may end before it has taken all that a test types.
  child.stdin?.on("error", () => {});
  const ended = new Promise<Ran>((resolve) => {
    child.on("close", (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
  const until = (text: () => string, pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      looks.push(() => {
        const match = pattern.exec(text());
        if (match !== null) resolve(match);
      });
      look();
      void ended.then((ran) => reject(new Error(`ended before ${pattern}: ${JSON.stringify(ran)}`)));
    });
  return {
    pid: child.pid as number,
    printed: async (pattern) => void (await until(() => stdout, pattern)),
    complained: (pattern) => until(() => stderr, pattern),
    type: (text) => child.stdin?.write(text),
    end: () => child.stdin?.end(),
    closeOutput: () => child.stdout?.destroy(),
    kill: (signal) => child.kill(signal),
    ended,
  };
}

/** Runs the command to its end with nothing to read. */
export function run(...words: readonly string[]): Promise<Ran> {
  return start(words, "null").ended;
}
