import { type Device, State } from "../bus/state.ts";
import type { Channel } from "../trace/trace.ts";

/** No vector: the event raises nothing (virtio 1.2 section 4.1.5.1.2). */
export const noVector = 0xffff;

/** ISR status bits (virtio 1.2 section 4.1.4.5). */
const isrQueue = 1;
const isrConfig = 2;

/** What interrupts leave by: the function's MSI-X, where it has one, and its pin. */
export interface InterruptWires {
  readonly msix:
    | {
        readonly enabled: boolean;
        readonly vectors: number;
        notify(vector: number): void;
        onEnable(f: () => void): void;
      }
    | undefined;
  pin(level: boolean): void;
  readonly trace: Channel;
}

/**
 * The interrupts of a virtio function: by message where the driver has enabled MSI-X, else by the ISR byte and the
 * pin (virtio 1.2 sections 4.1.4.5, 4.1.5.1.2 and 4.1.5.3). The same for every register layout.
 */
export class Interrupts implements Device {
  readonly name: string;
  readonly state: State<{ isr: number; configVector: number; queueVectors: Uint16Array }>;
  readonly #wires: InterruptWires;

  constructor(name: string, queues: number, wires: InterruptWires) {
    this.name = `${name}.interrupts`;
    this.#wires = wires;
    this.state = new State(this.name, {
      isr: 0,
      configVector: noVector,
      queueVectors: new Uint16Array(queues).fill(noVector),
    });
    wires.msix?.onEnable(() => this.restored());
  }

  get configVector(): number {
    return this.state.now.configVector;
  }

  queueVector(queue: number): number {
    return this.state.now.queueVectors[queue] ?? noVector;
  }

  /** What reads back is the vector, or `noVector` when the function has no such one. */
  setConfigVector(vector: number): void {
    this.state.now.configVector = this.#valid(vector);
  }

  setQueueVector(queue: number, vector: number): void {
    const vectors = this.state.now.queueVectors;
    if (queue < vectors.length) vectors[queue] = this.#valid(vector);
  }

  /** Buffers of a queue were used. */
  queue(queue: number): void {
    if (this.byMessage) this.#send(`queue ${queue}`, this.queueVector(queue));
    else this.#raise(isrQueue);
  }

  /** The configuration, or the need for a reset, has changed. The ISR bit is set in either case (section 4.1.4.5.1). */
  config(): void {
    this.#raise(isrConfig);
    if (this.byMessage) this.#send("configuration change", this.configVector);
  }

  /** Reading clears, and lets go of the pin. */
  readIsr(): number {
    const { isr } = this.state.now;
    this.state.now.isr = 0;
    this.restored();
    return isr;
  }

  reset(): void {
    this.state.reset();
    this.restored();
  }

  /** Brings the pin in line with the ISR byte and MSI-X. */
  restored(): void {
    this.#wires.pin(this.state.now.isr !== 0 && !this.byMessage);
  }

  /** Whether the driver has enabled MSI-X. */
  get byMessage(): boolean {
    return this.#wires.msix?.enabled === true;
  }

  #valid(vector: number): number {
    return vector < (this.#wires.msix?.vectors ?? 0) ? vector : noVector;
  }

  #send(what: string, vector: number): void {
    const { trace, msix } = this.#wires;
    if (trace.on)
      trace.log(`${this.name} ${what}: ${vector === noVector ? "no vector" : `message of vector ${vector}`}`);
    if (vector !== noVector) msix?.notify(vector);
  }

  #raise(bits: number): void {
    const { trace } = this.#wires;
    this.state.now.isr |= bits;
    if (trace.on && !this.byMessage) trace.log(`${this.name} ISR status ${this.state.now.isr}, pin raised`);
    this.restored();
  }
}
