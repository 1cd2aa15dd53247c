import { type Device, State } from "../bus/state.ts";
import type { BusTarget, Width } from "../bus/target.ts";
import type { PciFunction } from "./function.ts";
import { capability } from "./registers.ts";

export interface MsixSpec {
  /** Table entries, 1 to 2048. */
  readonly vectors: number;
  /** Which BAR is made for the table and the pending bits: a memory32 BAR with nothing else in it. */
  readonly bar: number;
}

/** Message control, the second word of the capability (PCI 3.0 section 6.8.2.3). */
const functionMask = 1 << 14;
const msixEnable = 1 << 15;
/** The words of a table entry (PCI 3.0 section 6.8.2.6 to 6.8.2.9). */
const addressLow = 0;
const addressHigh = 1;
const messageData = 2;
const vectorControl = 3;

/**
 * MSI-X (PCI 3.0 section 6.8.2): capability, table, pending bits, in a BAR of their own.
 *
 * A masked vector's event is kept as a pending bit and sent when the mask goes. The table takes accesses of any
 * width: software must use 4 or 8 bytes (section 6.8.2), narrower writes change the bytes they name.
 */
export class Msix implements Device {
  readonly name: string;
  readonly state: State<{ table: Uint32Array; pending: Uint32Array }>;
  readonly vectors: number;
  /** What the BAR shows: the table at 0, the pending bits at `pbaOffset`. */
  readonly target: BusTarget;
  readonly pbaOffset: number;
  readonly size: number;
  /** Told of each message that leaves. */
  onSend: (() => void) | undefined;
  /** Told of each access to table or pending bits. */
  onAccess: (() => void) | undefined;
  readonly #fn: PciFunction;
  readonly #control: number;
  readonly #initial: Uint32Array;
  readonly #listeners: ((enabled: boolean) => void)[] = [];
  /** Derived from message control. */
  #enabled = false;
  #masked = false;

  constructor(fn: PciFunction, spec: MsixSpec) {
    const { vectors, bar } = spec;
    if (!(vectors >= 1 && vectors <= 2048)) throw new RangeError(`MSI-X has 1 to 2048 vectors, not ${vectors}`);
    this.name = `${fn.name}.msix`;
    this.vectors = vectors;
    this.#fn = fn;
    this.#initial = new Uint32Array(vectors * 4);
    for (let v = 0; v < vectors; v++) this.#initial[v * 4 + vectorControl] = 1;
    this.state = new State(this.name, {
      table: this.#initial.slice(),
      pending: new Uint32Array(Math.ceil(vectors / 64) * 2),
    });
    this.pbaOffset = Math.ceil((vectors * 16) / 2048) * 2048;
    // A page at least, so that an operating system can give it rights of its own (PCI 3.0 section 6.8.2).
    this.size = Math.max(4096, 2 ** Math.ceil(Math.log2(this.pbaOffset + this.state.now.pending.byteLength)));
    this.target = {
      read: (offset, width) => {
        this.onAccess?.();
        return this.#read(offset, width);
      },
      write: (offset, width, value) => {
        this.onAccess?.();
        this.#write(offset, width, value);
      },
    };
    fn.addBar({ index: bar, kind: "memory32", size: this.size, target: this.target });

    const bytes = new Uint8Array(12);
    const fields = new DataView(bytes.buffer);
    fields.setUint16(2, vectors - 1, true);
    fields.setUint32(4, bar, true);
    fields.setUint32(8, this.pbaOffset | bar, true);
    const writable = new Uint8Array(12);
    new DataView(writable.buffer).setUint16(2, functionMask | msixEnable, true);
    this.#control = fn.addCapability(capability.msix, bytes, writable, {
      afterWrite: () => this.#controlChanged(),
      loaded: () => this.#controlChanged(),
    });
    this.#control += 2;
    fn.addPart(this);
  }

  /** Whether software has chosen MSI-X: then the function does not use its interrupt pin. */
  get enabled(): boolean {
    return this.#enabled;
  }

  /** Told whenever the enable bit has changed: the legacy virtio layout moves its configuration with it. */
  onEnable(listener: (enabled: boolean) => void): void {
    this.#listeners.push(listener);
  }

  /** Sends a vector's message, or keeps it pending while it is masked. Nothing while MSI-X is off or for no such vector. */
  notify(vector: number): void {
    if (!this.#enabled || !(vector >= 0 && vector < this.vectors)) return;
    if (this.#isMasked(vector)) {
      const pending = this.state.now.pending;
      pending[vector >>> 5] = (pending[vector >>> 5] as number) | (1 << (vector & 31));
    } else this.#send(vector);
  }

  isPending(vector: number): boolean {
    return (((this.state.now.pending[vector >>> 5] ?? 0) >>> (vector & 31)) & 1) !== 0;
  }

  reset(): void {
    this.state.reset();
    this.#controlChanged();
  }

  #isMasked(vector: number): boolean {
    return this.#masked || ((this.state.now.table[vector * 4 + vectorControl] as number) & 1) !== 0;
  }

  #send(vector: number): void {
    const { table, pending } = this.state.now;
    pending[vector >>> 5] = (pending[vector >>> 5] as number) & ~(1 << (vector & 31));
    const low = table[vector * 4 + addressLow] as number;
    const high = table[vector * 4 + addressHigh] as number;
    this.onSend?.();
    this.#fn.messages.message(high * 2 ** 32 + low, table[vector * 4 + messageData] as number);
  }

  /** A mask has gone: what waited behind it is sent (PCI 3.0 section 6.8.3.4). */
  #sendPending(vector: number): void {
    if (this.#enabled && this.isPending(vector) && !this.#isMasked(vector)) this.#send(vector);
  }

  #controlChanged(): void {
    const control = this.#fn.peek(this.#control, 2);
    const enabled = (control & msixEnable) !== 0;
    this.#masked = (control & functionMask) !== 0;
    if (enabled !== this.#enabled) {
      this.#enabled = enabled;
      this.#fn.setSignalled(capability.msix, enabled);
      for (const listener of this.#listeners) listener(enabled);
    }
    for (const [i, word] of this.state.now.pending.entries()) {
      for (let bit = 0; word !== 0 && bit < 32; bit++) this.#sendPending(i * 32 + bit);
    }
  }

  #read(offset: number, width: Width): number {
    const first = this.#word(offset >>> 2);
    if (width === 4 && (offset & 3) === 0) return first;
    let value = 0;
    for (let i = 0; i < width; i++) {
      const at = offset + i;
      value += ((this.#word(at >>> 2) >>> (8 * (at & 3))) & 0xff) * 2 ** (8 * i);
    }
    return value;
  }

  /** A word of the BAR: table, then reserved, then pending bits, then reserved. Reserved reads 0. */
  #word(index: number): number {
    const { table, pending } = this.state.now;
    return table[index] ?? pending[index - this.pbaOffset / 4] ?? 0;
  }

  /** Writes past the table are ignored: pending bits are read-only to software. */
  #write(offset: number, width: Width, value: number): void {
    const table = this.state.now.table;
    for (let i = 0; i < width; i++) {
      const word = (offset + i) >>> 2;
      if (word >= table.length) break;
      const shift = 8 * ((offset + i) & 3);
      const byte = (value >>> (8 * i)) & 0xff;
      table[word] = (((table[word] as number) & ~(0xff << shift)) | (byte << shift)) & writableBits(word & 3);
    }
    const last = Math.min((offset + width - 1) >>> 4, this.vectors - 1);
    for (let vector = offset >>> 4; vector <= last; vector++) this.#sendPending(vector);
  }
}

/** The address is a multiple of 4; of the vector control only the mask bit is there. */
function writableBits(word: number): number {
  return word === addressLow ? ~3 : word === vectorControl ? 1 : ~0;
}
