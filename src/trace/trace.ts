/** One line of a trace, as a sink gets it. */
export interface TraceLine {
  readonly channel: string;
  /** Virtual time in nanoseconds. */
  readonly time: number;
  readonly text: string;
}

/** A named trace. Free when off: `if (trace.on) trace.log(...)`, so that the text is only made when somebody reads it. */
export interface Channel {
  readonly name: string;
  readonly on: boolean;
  log(text: string): void;
  /** Says a thing once a machine, whether the channel is on or not: for what is unimplemented. `key` tells repeats apart. */
  once(key: string, text: string): void;
}

class NamedChannel implements Channel {
  readonly name: string;
  on = false;
  readonly #trace: Trace;
  readonly #said = new Set<string>();

  constructor(trace: Trace, name: string) {
    this.#trace = trace;
    this.name = name;
  }

  log(text: string): void {
    this.#trace.write(this.name, text);
  }

  once(key: string, text: string): void {
    // Bounded, since a guest chooses the keys.
    if (this.#said.has(key) || this.#said.size >= 1000) return;
    this.#said.add(key);
    this.#trace.write(this.name, text);
  }
}

/** The trace channels of one machine. */
export class Trace {
  readonly #channels = new Map<string, NamedChannel>();
  readonly #wanted = new Set<string>();
  /** Where lines go. The host sets it. */
  sink: (line: TraceLine) => void = () => {};
  /** What the time is; the board sets it. */
  time: () => number = () => 0;

  channel(name: string): Channel {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      channel = new NamedChannel(this, name);
      channel.on = this.#wanted.has(name) || this.#wanted.has("all");
      this.#channels.set(name, channel);
    }
    return channel;
  }

  /** Turns channels on by name; `all` is every one. */
  enable(...names: readonly string[]): void {
    for (const name of names) this.#wanted.add(name);
    for (const channel of this.#channels.values()) {
      channel.on = this.#wanted.has(channel.name) || this.#wanted.has("all");
    }
  }

  get names(): readonly string[] {
    return [...this.#channels.keys()].sort();
  }

  write(channel: string, text: string): void {
    this.sink({ channel, time: this.time(), text });
  }
}
