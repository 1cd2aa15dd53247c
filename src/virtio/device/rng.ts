import type { EntropySource } from "../../backend/entropy.ts";
import { State } from "../../bus/state.ts";
import type { Alarm, Clock } from "../../time/clock.ts";
import { DeviceConfig } from "../config.ts";
import type { DeviceHost, VirtioDevice } from "../device.ts";

export interface RngWires {
  readonly entropy: EntropySource;
  readonly clock: Clock;
  /** Entries of the queue, a power of two. */
  readonly queueSize?: number;
}

/** From the driver's kick to the bytes, in virtual nanoseconds. */
const gatherTime = 20_000;
/** A request gets this many bytes and no more: the device may use less than the buffer (virtio 1.2 section 5.4.6.2). */
const maxBytes = 4096;
const requestQueue = 0;

/**
 * The entropy device (virtio 1.2 section 5.4): one queue, no configuration; every buffer is filled with random bytes.
 *
 * Buffers stay in the ring until the bytes are there, so there is never one in hand.
 */
export class Rng implements VirtioDevice {
  readonly name: string;
  readonly id = 4;
  readonly features = 0n;
  readonly queueSizes: readonly number[];
  readonly config: DeviceConfig;
  readonly state: State<{
    /** How many bytes were given since power-on. */
    bytesGiven: number;
    /** Whether bytes are being gathered, and when they will be there, in virtual nanoseconds. */
    gathering: boolean;
    readyAt: number;
  }>;
  readonly #entropy: EntropySource;
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #buffer = new Uint8Array(maxBytes);
  #host: DeviceHost | undefined;
  #gathered = false;

  constructor(name: string, wires: RngWires) {
    this.name = name;
    this.#entropy = wires.entropy;
    this.#clock = wires.clock;
    this.queueSizes = [wires.queueSize ?? 8];
    this.config = new DeviceConfig(name, 0, []);
    this.state = new State(name, { bytesGiven: 0, gathering: false, readyAt: 0 });
    this.#alarm = wires.clock.alarm(name, () => {
      this.state.now.gathering = false;
      this.#gathered = true;
      this.#host?.drain(requestQueue);
      this.#gathered = false;
    });
  }

  connect(host: DeviceHost): void {
    this.#host = host;
  }

  supports(): boolean {
    return true;
  }

  negotiated(): void {}

  notify(): void {
    if (this.#gathered) this.#serve();
    else if (!this.state.now.gathering) this.#gather(this.#clock.now + gatherTime);
  }

  resetQueue(): void {
    this.state.now.gathering = false;
    this.#alarm.cancel();
  }

  reset(): void {
    this.resetQueue();
    this.state.reset();
  }

  restored(): void {
    this.#alarm.cancel();
    if (this.state.now.gathering) this.#gather(this.state.now.readyAt);
  }

  #gather(readyAt: number): void {
    this.state.now.gathering = true;
    this.state.now.readyAt = readyAt;
    this.#alarm.set(readyAt);
  }

  #serve(): void {
    const queue = this.#host?.queue(requestQueue);
    for (let chain = queue?.take(); chain !== undefined; chain = queue?.take()) {
      const length = Math.min(chain.writableLength, maxBytes);
      const bytes = this.#buffer.subarray(0, length);
      this.#entropy.fill(bytes);
      // A buffer which is not RAM gets nothing.
      const given = chain.write(0, bytes) ? length : 0;
      this.state.now.bytesGiven += given;
      queue?.give(chain, given);
    }
    queue?.signal();
  }
}
