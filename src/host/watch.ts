/** Looks for a pattern in what a guest prints, and keeps the last of it for the report. */
export class Watch {
  readonly #pattern: RegExp | undefined;
  readonly #decoder = new TextDecoder();
  #text = "";
  #seen = false;

  constructor(pattern: RegExp | undefined) {
    this.#pattern = pattern;
  }

  get seen(): boolean {
    return this.#seen;
  }

  /** Told of all output, in pieces of any size: a match may lie across them. */
  add(bytes: Uint8Array): void {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    // What is older than this cannot be part of a match any more; a guest must not fill the host's memory.
    if (this.#text.length > 65536) this.#text = this.#text.slice(-32768);
    if (this.#pattern !== undefined && !this.#seen) this.#seen = this.#pattern.test(this.#text.replaceAll("\r", ""));
  }

  /** The last lines, without what a terminal would take for commands. */
  tail(lines = 40): string {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal sequences are made of them
    const plain = this.#text.replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, "").replace(/[^\n\t -\ud7ff\ue000-\uffff]/g, "");
    return plain.trimEnd().split("\n").slice(-lines).join("\n");
  }
}
