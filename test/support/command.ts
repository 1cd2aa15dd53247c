import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../src/host/bin.ts", import.meta.url));

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
  let look = () => {};
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    look();
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  // The command may end before it has taken all that a test types.
  child.stdin?.on("error", () => {});
  const ended = new Promise<Ran>((resolve) => {
    child.on("close", (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
  return {
    pid: child.pid as number,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        look = () => {
          if (pattern.test(stdout)) resolve();
        };
        look();
        void ended.then((ran) => reject(new Error(`ended before ${pattern}: ${JSON.stringify(ran)}`)));
      }),
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
