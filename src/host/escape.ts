/** What a person at the terminal asks of the emulator, not of the guest. */
export type Command = "quit" | "monitor" | "help";

const controlA = 0x01;

/**
 * Takes the Ctrl-A commands out of what is typed, by QEMU's habit: Ctrl-A x quits, Ctrl-A c is the monitor, Ctrl-A h
 * helps, Ctrl-A Ctrl-A sends one Ctrl-A. After any other key both are dropped.
 */
export class EscapeKeys {
  #armed = false;

  /** The bytes meant for the guest; commands are reported in the order in which they were typed. */
  filter(typed: Uint8Array, command: (command: Command) => void): Uint8Array {
    if (!this.#armed && !typed.includes(controlA)) return typed;
    const rest = new Uint8Array(typed.length);
    let length = 0;
    for (const byte of typed) {
      if (!this.#armed) {
        if (byte === controlA) this.#armed = true;
        else rest[length++] = byte;
        continue;
      }
      this.#armed = false;
      switch (String.fromCharCode(byte).toLowerCase()) {
        case "x":
          command("quit");
          break;
        case "c":
          command("monitor");
          break;
        case "h":
        case "?":
          command("help");
          break;
        case "\x01":
          rest[length++] = byte;
      }
    }
    return rest.subarray(0, length);
  }
}
