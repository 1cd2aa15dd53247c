import { closeSync, openSync } from "node:fs";
import { Trace } from "../trace/trace.ts";
import { Failure, reason, usage } from "./failure.ts";
import { hint } from "./nearest.ts";
import { writeText } from "./stderr.ts";

/** Characters gathered before they are written. */
const chunk = 65536;

/** Channels whose lines say where the processor was. */
const withCode: ReadonlySet<string> = new Set(["cpu", "exception", "irq", "lint", "reset"]);

/**
 * Where a machine's trace goes: standard error, or a file. A line has the virtual time in seconds, the channel and the text.
 * What is unimplemented is said whether a channel was asked for or not.
 */
export class TraceOut {
  readonly trace = new Trace();
  /** What to put behind an address of code: its symbol. */
  label: (address: number) => string = () => "";
  readonly #wanted: readonly string[];
  readonly #descriptor: number;
  #text = "";

  /** @param channels names as `--trace` has them, separated by commas. */
  constructor(channels: string | undefined, file: string | undefined) {
    this.#wanted = channels === undefined ? [] : channels.split(",").filter((name) => name !== "");
    this.#descriptor = file === undefined ? 2 : open(file);
    this.trace.enable(...this.#wanted);
    this.trace.sink = ({ channel, time, text }) => {
      this.#text += `${(time / 1e9).toFixed(9)} ${channel}: ${withCode.has(channel) ? this.#labelled(text) : text}\n`;
      if (this.#text.length > chunk) this.flush();
    };
  }

  /** To be called once the machine is made, which is when all its channels are known. */
  check(): void {
    const known = [...this.trace.names, "all"];
    for (const name of this.#wanted)
      if (!known.includes(name))
        throw usage(`--trace ${name}: no such channel; there are ${known.join(", ")}${hint(name, known)}`);
  }

  #labelled(text: string): string {
    return text.replace(
      /\b(?:at|pc) 0x([0-9a-f]+)/g,
      (all, digits: string) => all + this.label(Number.parseInt(digits, 16)),
    );
  }

  flush(): void {
    const text = this.#text;
    this.#text = "";
    // A reader of standard error who is gone, or a full disk, does not end the guest.
    if (text !== "") writeText(this.#descriptor, text);
  }

  close(): void {
    this.flush();
    if (this.#descriptor !== 2) closeSync(this.#descriptor);
  }
}

function open(file: string): number {
  try {
    return openSync(file, "w");
  } catch (error) {
    throw new Failure(`cannot write the trace file ${file}: ${reason(error)}; give another with --trace-file`);
  }
}
