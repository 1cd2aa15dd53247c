import type { Machine } from "./machine.ts";

export interface ExpectOptions {
  /** Seconds of guest time. Default 60. */
  readonly timeout?: number;
  /** Seconds of host time, beside it. Default 60. */
  readonly hostTimeout?: number;
}

/** The console did not say what was expected. The message has the last lines, the program counter and the state of the devices. */
export class ExpectError extends Error {
  override readonly name = "ExpectError";
}

/** What is kept of a console: a guest may print for ever. */
const kept = 1 << 20;

/** What a guest printed, and how far it has been matched. */
export class ConsoleText {
  readonly #decoder = new TextDecoder();
  #all = "";
  /** Bytes which have not been decoded yet. */
  #fresh: number[] = [];
  /** Where the next match is looked for. */
  #from = 0;

  add(byte: number): void {
    this.#fresh.push(byte);
    if (this.#fresh.length >= 4096) this.#decode();
  }

  get all(): string {
    this.#decode();
    return this.#all;
  }

  /** The first match after the last one taken, if there is one. */
  take(pattern: RegExp | string): RegExpExecArray | undefined {
    this.#decode();
    const regex =
      typeof pattern === "string"
        ? new RegExp(pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
        : new RegExp(pattern, pattern.flags.replace(/[gy]/g, ""));
    const match = regex.exec(this.#all.slice(this.#from));
    if (match === null) return undefined;
    this.#from += match.index + match[0].length;
    return match;
  }

  failure(pattern: RegExp | string, why: string, machine: Machine): ExpectError {
    return new ExpectError(describeFailure(`expected ${pattern}, but ${why}`, this.all, machine));
  }

  #decode(): void {
    if (this.#fresh.length === 0) return;
    this.#all += this.#decoder.decode(Uint8Array.from(this.#fresh), { stream: true });
    this.#fresh = [];
    if (this.#all.length <= kept) return;
    const cut = this.#all.length - kept;
    this.#all = this.#all.slice(cut);
    this.#from = Math.max(0, this.#from - cut);
  }
}

/** What one wants to see when a guest has not done what it should: the last 40 lines, the program counter, the devices. */
export function describeFailure(what: string, text: string, machine: Machine): string {
  const lines = text.split(/\r?\n/).slice(-40);
  const devices = Object.entries(machine.state()).map(([name, fields]) => `  ${name}: ${summary(fields)}`);
  return [
    what,
    "--- the last lines of the console",
    ...lines,
    `--- pc 0x${machine.cpu.pc.toString(16)}, ${machine.cpu.instructions} instructions, ${machine.cpu.halted ? "halted" : "running"}, ${(machine.clock.now / 1e9).toFixed(6)} s`,
    ...devices,
  ].join("\n");
}

/** One line a device: numbers in hex, long arrays by their length. */
function summary(fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .map(([name, value]) => {
      if (typeof value === "number") return `${name}=0x${value.toString(16)}`;
      if (!Array.isArray(value)) return `${name}=${value}`;
      return value.length <= 8 ? `${name}=[${value.map((v) => v.toString(16))}]` : `${name}=[${value.length}]`;
    })
    .join(" ");
}
