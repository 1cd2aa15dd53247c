import type { CharacterSink, CharacterSource } from "../../../backend/character.ts";
import { State } from "../../../bus/state.ts";
import { DeviceConfig } from "../../config.ts";
import type { DeviceHost, VirtioDevice } from "../../device.ts";
import { bit, type Features } from "../../features.ts";
import type { Chain } from "../../queue/chain.ts";
import type { ByteOrder } from "../../queue/virt-queue.ts";
import { controlEvent, firstOf, type Message, readMessage, told, writeMessage } from "./control.ts";

export interface ConsoleWires {
  /** What the driver sends goes there. */
  readonly output: CharacterSink;
  /** What the driver receives comes from there. */
  readonly input: CharacterSource;
  /** Columns and rows, where there is a screen. */
  readonly size?: { readonly columns: number; readonly rows: number };
  /** Entries of each queue, a power of two. */
  readonly queueSize?: number;
}

/** Queues of port 0 and of the control messages (virtio 1.2 section 5.3.2). Two more for each further port follow. */
const receive = 0;
const transmit = 1;
const controlReceive = 2;
const controlTransmit = 3;
/** How many ports there could be; only port 0 is ever added. */
const maxPorts = 7;
/** Feature bits (section 5.3.3): the configuration has columns and rows; there are control messages. */
const sizeFeature = bit(0);
const multiport = bit(1);
/** Bytes moved at once, and bytes sent before the device rests. */
const pieceBytes = 4096;
const roundBytes = 65536;

/**
 * The console device with its one port (virtio 1.2 section 5.3), which control messages tell of where MULTIPORT is accepted.
 *
 * Input waits in its source until the driver has a buffer for it; output waits in the ring until its sink has room. So neither
 * loses a byte, and neither keeps any here but for the chain which is being sent.
 */
export class VirtioConsole implements VirtioDevice {
  readonly name: string;
  readonly id = 3;
  readonly features: Features;
  readonly queueSizes: readonly number[];
  /** Two queues a port would be a table which hardly any driver fills: a vector a port, and one for the rest. */
  readonly vectors = maxPorts + 1;
  readonly config: DeviceConfig;
  readonly state: State<{
    bytesSent: number;
    bytesReceived: number;
    /** Whether a chain is being sent, its head, and how much of it has been. */
    sending: boolean;
    head: number;
    sent: number;
    /** Whether control messages were accepted, and in which byte order. */
    multiport: boolean;
    bigEndian: boolean;
    /** What the driver is to be told of port 0, as bits of `told`. */
    pending: number;
  }>;
  readonly #output: CharacterSink;
  readonly #input: CharacterSource;
  readonly #buffer = new Uint8Array(pieceBytes);
  readonly #message: Message = { port: 0, event: 0, value: 0 };
  #host: DeviceHost | undefined;
  /** The chain which is being sent. */
  #sending: Chain | undefined;

  constructor(name: string, wires: ConsoleWires) {
    const { output, input, size, queueSize = 64 } = wires;
    this.name = name;
    this.#output = output;
    this.#input = input;
    this.features = size === undefined ? multiport : multiport | sizeFeature;
    this.queueSizes = new Array(2 * (maxPorts + 1)).fill(queueSize);
    this.config = new DeviceConfig(name, 12, [
      { name: "cols", at: 0, width: 2, value: size?.columns ?? 0 },
      { name: "rows", at: 2, width: 2, value: size?.rows ?? 0 },
      { name: "max_nr_ports", at: 4, width: 4, value: maxPorts },
      { name: "emerg_wr", at: 8, width: 4 },
    ]);
    this.state = new State(name, {
      bytesSent: 0,
      bytesReceived: 0,
      sending: false,
      head: 0,
      sent: 0,
      multiport: false,
      bigEndian: false,
      pending: 0,
    });
    output.onRoom = () => this.#host?.drain(transmit);
    input.onAvailable = () => this.#host?.drain(receive);
  }

  connect(host: DeviceHost): void {
    this.#host = host;
  }

  supports(): boolean {
    return true;
  }

  negotiated(features: Features, order: ByteOrder): void {
    this.state.now.multiport = (features & multiport) !== 0n;
    this.state.now.bigEndian = order === "big";
  }

  /** The screen has another size now: the configuration says so, or a message to those who take messages (section 5.3.4). */
  resize(columns: number, rows: number): void {
    if (!this.#hasSize) return;
    this.config.set("cols", columns);
    this.config.set("rows", rows);
    if (this.state.now.multiport) this.#tell(told.resize);
    else this.#host?.configChanged();
  }

  /** Ports which were never added have nothing to say. */
  notify(queue: number): void {
    if (queue === receive) this.#receive();
    else if (queue === transmit) this.#transmit();
    else if (!this.state.now.multiport) return;
    else if (queue === controlReceive) this.#tellPending();
    else if (queue === controlTransmit) this.#listen();
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

  /** What the driver says: it is ready, or ready for port 0, and is told what comes next (section 5.3.6.2). */
  #listen(): void {
    const queue = this.#host?.queue(controlTransmit);
    for (let chain = queue?.take(); chain !== undefined; chain = queue?.take()) {
      const good = readMessage(chain, this.#order, this.#message);
      queue?.give(chain, 0);
      const { port, event, value } = this.#message;
      if (!good || value === 0) continue;
      if (event === controlEvent.deviceReady) this.#tell(told.portAdd);
      else if (event === controlEvent.portReady && port === 0)
        this.#tell(told.consolePort | told.portOpen | (this.#hasSize ? told.resize : 0));
    }
    queue?.signal();
  }

  #tell(bits: number): void {
    this.state.now.pending |= bits;
    this.#host?.drain(controlReceive);
  }

  #tellPending(): void {
    const queue = this.#host?.queue(controlReceive);
    const now = this.state.now;
    while (queue !== undefined && now.pending !== 0) {
      const chain = queue.take();
      if (chain === undefined) break;
      const bit = firstOf(now.pending);
      const size = { columns: this.config.get("cols"), rows: this.config.get("rows") };
      const length = writeMessage(chain, this.#order, bit, size);
      // A buffer too short for it is given back; the message waits for a better one.
      if (length > 0) now.pending &= ~bit;
      queue.give(chain, length);
    }
    queue?.signal();
  }

  get #order(): ByteOrder {
    return this.state.now.bigEndian ? "big" : "little";
  }

  get #hasSize(): boolean {
    return (this.features & sizeFeature) !== 0n;
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
