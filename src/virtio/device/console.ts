import type { CharacterSink, CharacterSource } from "../../backend/character.ts";
import { State } from "../../bus/state.ts";
import { DeviceConfig } from "../config.ts";
import type { DeviceHost, VirtioDevice } from "../device.ts";
import { bit, type Features } from "../features.ts";
import type { Chain } from "../queue/chain.ts";

export interface ConsoleWires {
  /** What the driver sends goes there. */
  readonly output: CharacterSink;
  /** What the driver receives comes from there. */
  readonly input: CharacterSource;
  /** Columns and rows, where there is a screen. */
  readonly size?: { readonly columns: number; readonly rows: number };
  /** Entries of both queues, a power of two. */
  readonly queueSize?: number;
}

/** Queues of port 0 (virtio 1.2 section 5.3.2). */
const receive = 0;
const transmit = 1;
/** Feature bit: the configuration has columns and rows (section 5.3.3). */
const sizeFeature = bit(0);
/** Bytes moved at once, and bytes sent before the device rests. */
const pieceBytes = 4096;
const roundBytes = 65536;

/**
 * The console device with its one port (virtio 1.2 section 5.3), without MULTIPORT.
 *
 * Input waits in its source until the driver has a buffer for it; output waits in the ring until its sink has room. So neither
 * loses a byte, and neither keeps any here but for the chain which is being sent.
 */
export class VirtioConsole implements VirtioDevice {
  readonly name: string;
  readonly id = 3;
  readonly features: Features;
  readonly queueSizes: readonly number[];
  readonly config: DeviceConfig;
  readonly state: State<{
    bytesSent: number;
    bytesReceived: number;
    /** Whether a chain is being sent, its head, and how much of it has been. */
    sending: boolean;
    head: number;
    sent: number;
  }>;
  readonly #output: CharacterSink;
  readonly #input: CharacterSource;
  readonly #buffer = new Uint8Array(pieceBytes);
  #host: DeviceHost | undefined;
  /** The chain which is being sent. */
  #sending: Chain | undefined;

  constructor(name: string, wires: ConsoleWires) {
    const { output, input, size, queueSize = 64 } = wires;
    this.name = name;
    this.#output = output;
    this.#input = input;
    this.features = size === undefined ? 0n : sizeFeature;
    this.queueSizes = [queueSize, queueSize];
    this.config = new DeviceConfig(name, 12, [
      { name: "cols", at: 0, width: 2, value: size?.columns ?? 0 },
      { name: "rows", at: 2, width: 2, value: size?.rows ?? 0 },
      { name: "max_nr_ports", at: 4, width: 4, value: 1 },
      { name: "emerg_wr", at: 8, width: 4 },
    ]);
    this.state = new State(name, { bytesSent: 0, bytesReceived: 0, sending: false, head: 0, sent: 0 });
    output.onRoom = () => this.#host?.drain(transmit);
    input.onAvailable = () => this.#host?.drain(receive);
  }

  connect(host: DeviceHost): void {
    this.#host = host;
  }

  supports(): boolean {
    return true;
  }

  negotiated(): void {}

  /** The screen has another size now (section 5.3.4). */
  resize(columns: number, rows: number): void {
    if (this.features === 0n) return;
    this.config.set("cols", columns);
    this.config.set("rows", rows);
    this.#host?.configChanged();
  }

  notify(queue: number): void {
    if (queue === receive) this.#receive();
    else this.#transmit();
  }

  resetQueue(queue: number): void {
    if (queue === transmit) this.#drop();
  }

  reset(): void {
    this.#drop();
    this.state.reset();
  }

  /** The chain which was being sent is read anew. */
  restored(): void {
    const now = this.state.now;
    this.#sending = now.sending ? this.#host?.queue(transmit).retake(now.head) : undefined;
    now.sending = this.#sending !== undefined;
  }

  #receive(): void {
    const queue = this.#host?.queue(receive);
    while (queue !== undefined && this.#input.available > 0) {
      const chain = queue.take();
      if (chain === undefined) break;
      const room = Math.min(chain.writableLength, pieceBytes);
      let length = 0;
      // Taken from the source only when it can be delivered.
      if (chain.canWrite(0, room)) {
        length = this.#input.read(this.#buffer.subarray(0, room));
        chain.write(0, this.#buffer.subarray(0, length));
      }
      this.state.now.bytesReceived += length;
      queue.give(chain, length);
    }
    queue?.signal();
  }

  #transmit(): void {
    const queue = this.#host?.queue(transmit);
    const now = this.state.now;
    let left = roundBytes;
    while (queue !== undefined && left > 0) {
      this.#sending ??= queue.take();
      const chain = this.#sending;
      if (chain === undefined) break;
      now.sending = true;
      now.head = chain.head;
      const length = Math.min(chain.readableLength - now.sent, pieceBytes, this.#output.room);
      const piece = this.#buffer.subarray(0, length);
      const good = chain.read(now.sent, piece);
      if (good && length > 0) this.#output.write(piece);
      if (good) now.sent += length;
      left -= length;
      if (good && now.sent < chain.readableLength) {
        if (this.#output.room === 0) break;
        continue;
      }
      // All sent, or a buffer which is not RAM: the driver has it back either way.
      now.bytesSent += now.sent;
      this.#drop();
      queue.give(chain, 0);
    }
    queue?.signal();
    if (left <= 0) this.#host?.later(transmit);
  }

  #drop(): void {
    this.#sending = undefined;
    this.state.now.sending = false;
    this.state.now.sent = 0;
  }
}
