import type { Debugger } from "../debugger.ts";
import { type Addressing, examine, examineHelp } from "./examine.ts";
import { info, infoTopics } from "./info.ts";

/** What a monitor may do besides looking. */
export interface MonitorWires {
  /** Ends the emulator. */
  quit(): void;
  /** Why the machine may not be held or let go from here (gdb does that now), or undefined. */
  busy(): string | undefined;
}

const help = `help                     this
info TOPIC               ${infoTopics.join(", ")}
info devices NAME        the fields of one device
${examineHelp}
stop, cont               hold the machine, let it go on
reset                    press the reset button
quit                     end the emulator
`;

/** Words of the monitor to text. It never throws for what is typed, and changes nothing but by stop, cont, reset and quit. */
export class Monitor {
  readonly #debugger: Debugger;
  readonly #wires: MonitorWires;

  constructor(debug: Debugger, wires: MonitorWires) {
    this.#debugger = debug;
    this.#wires = wires;
  }

  /** Does what a line says. Gives lines of text, each with its end; nothing when there is nothing to say. */
  execute(line: string): string {
    const words = line.trim().split(/\s+/);
    const [verb = "", ...rest] = words;
    const debug = this.#debugger;
    if (verb === "") return "";
    const look = /^(x|xp)(?:\/(.*))?$/.exec(verb);
    if (look !== null) return examine(debug, look[1] as Addressing, look[2] ?? "", rest.join(""));
    switch (verb) {
      case "help":
      case "?":
        return help;
      case "info":
        return info(debug, rest);
      case "stop":
        return this.#unlessBusy(() => {
          debug.stop();
          return `stopped at ${hex(debug.target.pc)}${debug.symbols.label(debug.target.pc)}\n`;
        });
      case "cont":
      case "c":
        return this.#unlessBusy(() => {
          if (!debug.stopped) return "the machine is running\n";
          debug.resume();
          return "";
        });
      case "reset":
        debug.reset();
        return "";
      case "quit":
      case "q":
        this.#wires.quit();
        return "";
      default:
        return `there is no command ${verb.slice(0, 40)}; try help\n`;
    }
  }

  #unlessBusy(act: () => string): string {
    const busy = this.#wires.busy();
    return busy === undefined ? act() : `${busy}\n`;
  }
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
