import { ConsoleText, type ExpectOptions } from "./expect.ts";
import type { Machine } from "./machine.ts";
import type { RunResult } from "./run-result.ts";

/** What a Vm needs of its host; everything that waits goes through here. */
export interface HostEdge {
  /** Lets the host's own events happen. Resolves after about `milliseconds`; 0 is one turn of the event loop. */
  pause(milliseconds: number): Promise<void>;
  /** Milliseconds of a clock of the host's that never goes back. */
  now(): number;
}

/** Instructions in one slice: at some tens of millions a second it holds the host for a few milliseconds. */
const slice = 200_000;

/** The longest sleep, so that input which came another way is felt. */
const longestPause = 50;

/** The console as a script uses it. */
export interface VmConsole {
  /** All that the guest has printed, from the beginning. */
  readonly text: string;
  /**
   * Runs the machine until the output that came after the last match matches, and gives the match.
   * Rejects with ExpectError when the time is up (seconds of guest time; `hostTimeout` in host seconds beside it) or the guest ends.
   */
  expect(pattern: RegExp | string, options?: ExpectOptions): Promise<RegExpExecArray>;
  /** Types text. It arrives when the machine next runs. */
  send(text: string): void;
}

/**
 * A machine with a console to talk to. It runs while somebody waits for it (`expect`, `run`, `exit`) and at no other time, so a script
 * finds the guest at the same instruction each time.
 */
export class Vm implements AsyncDisposable {
  readonly machine: Machine;
  readonly console: VmConsole;
  readonly #host: HostEdge;
  readonly #text: ConsoleText;
  #input = new Uint8Array(0);
  #driving: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(machine: Machine, host: HostEdge) {
    this.machine = machine;
    this.#host = host;
    const text = new ConsoleText();
    this.#text = text;
    const before = machine.onConsole;
    machine.onConsole = (byte) => {
      text.add(byte);
      before?.(byte);
    };
    this.console = {
      get text() {
        return text.all;
      },
      expect: (pattern, options) => this.#queue(() => this.#expect(pattern, options ?? {})),
      send: (characters) => this.#send(characters),
    };
  }

  /** Offers input that waits and runs one slice. */
  step(): RunResult {
    if (this.#input.length > 0) this.#input = this.#input.slice(this.machine.console.receive(this.#input));
    return this.machine.run(slice);
  }

  /** Runs until the guest ends; gives its status. */
  run(): Promise<number> {
    return this.#queue(async () => {
      for (;;) {
        const result = await this.#turn();
        if (result.reason === "exit") return result.status as number;
        if (this.#closed) throw new Error("the machine was closed");
      }
    });
  }

  /** The same as `run()`: the status which the guest leaves with. */
  get exit(): Promise<number> {
    return this.run();
  }

  /** The exit status, once there is one. */
  get status(): number | undefined {
    return this.machine.status;
  }

  stats(): Record<string, number> {
    return this.machine.stats();
  }

  /** Nothing runs any more after this; who still waits is told so. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#driving.catch(() => undefined);
  }

  #send(characters: string): void {
    const bytes = new TextEncoder().encode(characters);
    const joined = new Uint8Array(this.#input.length + bytes.length);
    joined.set(this.#input);
    joined.set(bytes, this.#input.length);
    this.#input = joined;
  }

  async #expect(pattern: RegExp | string, options: ExpectOptions): Promise<RegExpExecArray> {
    const { timeout = 60, hostTimeout = 60 } = options;
    const guestEnd = this.machine.clock.now + timeout * 1e9;
    const hostEnd = this.#host.now() + hostTimeout * 1000;
    for (;;) {
      const match = this.#text.take(pattern);
      if (match !== undefined) return match;
      if (this.#closed) throw this.#text.failure(pattern, "the machine was closed", this.machine);
      if (this.machine.status !== undefined)
        throw this.#text.failure(pattern, `the guest ended with status ${this.machine.status}`, this.machine);
      if (this.machine.clock.now >= guestEnd)
        throw this.#text.failure(pattern, `${timeout} seconds of guest time passed`, this.machine);
      if (this.#host.now() >= hostEnd)
        throw this.#text.failure(pattern, `${hostTimeout} seconds of host time passed`, this.machine);
      const result = await this.#turn();
      if (result.reason === "idle" && result.wake === Number.POSITIVE_INFINITY && this.#input.length === 0) {
        const last = this.#text.take(pattern);
        if (last !== undefined) return last;
        throw this.#text.failure(pattern, "the guest waits for nothing that can happen", this.machine);
      }
    }
  }

  /** One slice, and as much waiting afterwards as its result asks for. */
  async #turn(): Promise<RunResult> {
    const result = this.step();
    if (result.reason === "exit") return result;
    const wait = result.reason === "idle" ? Math.min(longestPause, (result.wake as number) / 1e6) : 0;
    await this.#host.pause(wait);
    return result;
  }

  /** One at a time: two who wait at once must not both drive. */
  #queue<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#driving.catch(() => undefined).then(work);
    this.#driving = next.catch(() => undefined);
    return next;
  }
}
