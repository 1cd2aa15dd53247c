const prompt = "(barzero) ";
/** Characters of a line at most. */
const longest = 256;

/** A line editor for the monitor on a raw terminal: what is typed, to what the terminal shows. */
export class MonitorKeys {
  readonly #execute: (line: string) => string;
  #on = false;
  #line = "";
  /** Inside of an escape sequence, as of an arrow key, which is dropped. */
  #sequence = false;

  /** @param execute does what a line says and gives what to show. */
  constructor(execute: (line: string) => string) {
    this.#execute = execute;
  }

  /** Whether what is typed is the monitor's. */
  get on(): boolean {
    return this.#on;
  }

  /** Takes the keyboard, or gives it back to the guest. Gives what to show. */
  toggle(): string {
    this.#on = !this.#on;
    this.#line = "";
    this.#sequence = false;
    return this.#on ? `\r\n${prompt}` : "\r\n";
  }

  type(typed: Uint8Array): string {
    let shown = "";
    for (const byte of typed) shown += this.#key(byte);
    return shown;
  }

  #key(byte: number): string {
    if (this.#sequence) {
      // It ends with a letter or ~; [ and O begin one.
      this.#sequence = byte < 0x40 || byte === 0x5b || byte === 0x4f;
      return "";
    }
    switch (byte) {
      case 0x0d:
      case 0x0a: {
        const line = this.#line;
        this.#line = "";
        return `\r\n${this.#execute(line).replaceAll("\n", "\r\n")}${prompt}`;
      }
      case 0x7f:
      case 0x08: {
        if (this.#line === "") return "";
        this.#line = this.#line.slice(0, -1);
        return "\b \b";
      }
      case 0x03:
      case 0x15:
        this.#line = "";
        return `\r\n${prompt}`;
      case 0x1b:
        this.#sequence = true;
        return "";
      default: {
        if (byte < 0x20 || byte > 0x7e || this.#line.length >= longest) return "";
        const character = String.fromCharCode(byte);
        this.#line += character;
        return character;
      }
    }
  }
}
