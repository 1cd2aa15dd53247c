import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A program that gives an answer of fixed size for each request, in order. */
export interface OracleProgram {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly requestSize: number;
  readonly answerSize: number;
}

/** Compiles a source of scripts/, unless that was done before; gives the program's file. Throws when there is no compiler. */
export function build(source: string, compiler: string, options: readonly string[]): string {
  const from = fileURLToPath(new URL(`../../scripts/${source}`, import.meta.url));
  const folder = join(tmpdir(), `barzero-oracles-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const to = join(folder, source.replace(/\.c$/, ""));
  if (existsSync(to) && statSync(to).mtimeMs > statSync(from).mtimeMs) return to;
  const done = spawnSync(compiler, [...options, "-o", to, from], { encoding: "utf8" });
  if (done.error !== undefined)
    throw new Error(`${compiler} is needed for the oracle and does not run: ${done.error.message}`);
  if (done.status !== 0) throw new Error(`${compiler} ${source}: ${done.stderr}`);
  return to;
}

/** Answers to `requests`, whatever comes back: fewer when the program died on the way. */
async function answers(program: OracleProgram, requests: Uint8Array): Promise<Buffer> {
  const child: ChildProcess = spawn(program.command, program.arguments, { stdio: ["pipe", "pipe", "inherit"] });
  const parts: Buffer[] = [];
  child.stdout?.on("data", (part: Buffer) => parts.push(part));
  child.stdin?.on("error", () => {});
  child.stdin?.end(requests);
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve());
  });
  return Buffer.concat(parts);
}

/**
 * Asks in one process, and in another for the rest when it ends early: the case it ended at has no answer (undefined). An answer is
 * `answerSize` bytes of the result.
 */
export async function ask(program: OracleProgram, requests: Uint8Array): Promise<(Uint8Array | undefined)[]> {
  const { requestSize, answerSize } = program;
  const count = requests.length / requestSize;
  const result: (Uint8Array | undefined)[] = [];
  let deaths = 0;
  while (result.length < count) {
    const bytes = await answers(program, requests.subarray(result.length * requestSize));
    const whole = Math.floor(bytes.length / answerSize);
    for (let k = 0; k < whole; k++) result.push(bytes.subarray(k * answerSize, (k + 1) * answerSize));
    if (result.length === count) break;
    if (deaths++ > 1000) throw new Error(`${program.command} does not run`);
    // Answers are written many at a time: it died here or a little later.
    const alone = await answers(
      program,
      requests.subarray(result.length * requestSize, (result.length + 1) * requestSize),
    );
    result.push(alone.length === answerSize ? alone : undefined);
  }
  return result;
}
