import type { Dma, MessageSink } from "../bus/dma.ts";
import { type IrqLine, unconnected } from "../bus/line.ts";
import { type Device, State } from "../bus/state.ts";
import { allOnes, type Width } from "../bus/target.ts";
import type { Channel } from "../trace/trace.ts";
import { Bar, type BarSpec } from "./bar.ts";
import type { DmaPath } from "./dma.ts";
import { DmaView } from "./dma-view.ts";
import { command, header, status } from "./registers.ts";

/** What a function says of itself (PCI 3.0 section 6.2.1). */
export interface Identity {
  readonly vendor: number;
  readonly device: number;
  readonly revision: number;
  /** 24 bits: base class, sub-class, programming interface. */
  readonly class: number;
  readonly subsystemVendor?: number;
  readonly subsystem?: number;
  /** 1 to 4 for INTA# to INTD#, 0 (the default) for none. */
  readonly interruptPin?: 0 | 1 | 2 | 3 | 4;
  /** Command bits which are set after reset, and those which software may change. */
  readonly command?: { readonly initial: number; readonly writable: number };
  /** Read-only status bits: DEVSEL timing and fast back-to-back. */
  readonly status?: number;
}

/** What registers do beyond keeping bytes. Offsets count from the first byte of the range; accesses are cut to it. */
export interface RegisterHooks {
  /** Before bytes are read: a register which shows something else puts it there with `poke`. */
  beforeRead?(offset: number, length: number): void;
  /** After a write has changed what it may. */
  afterWrite?(offset: number, length: number): void;
  /** After a reset or a restore, when the bytes came from elsewhere: recompute what follows from them. */
  loaded?(): void;
}

/** What a bus gives to a function that is plugged into it. */
export interface Slot {
  /** As in `00:04.0`. */
  readonly address: string;
  readonly path: DmaPath;
  readonly irq: IrqLine;
  readonly trace: Channel;
  /** A BAR is decoded at a bus address now, or, undefined, nowhere. */
  decode(bar: Bar, address: number | undefined): void;
}

interface Region {
  readonly start: number;
  readonly end: number;
  readonly hooks: RegisterHooks;
}

/**
 * A PCI function: 256 bytes of type 0 configuration space, described as data, and the gates which they control.
 *
 * A device owns one and adds BARs, capabilities and registers to it before it is plugged. Every byte has a mask
 * of bits that software may write and a mask of bits that it clears by writing 1; the rest is read-only. The
 * expansion ROM BAR does not exist and reads 0. All guest-visible state is the 256 bytes and the interrupt level.
 */
export class PciFunction implements Device {
  readonly name: string;
  readonly state: State<{ config: Uint8Array; interrupt: boolean }>;
  /** 1 to 4 for INTA# to INTD#, 0 for none. */
  readonly interruptPin: number;
  /** Memory as this function reaches it: through its bridge, and only while it is a bus master. */
  readonly dma: Dma;
  /** Where this function's messages go: the same gate, the same bridge. */
  readonly messages: MessageSink;
  /** Told after the command register or a BAR may have changed: for a bridge which decodes its own BAR for its devices. */
  onDecode: (() => void) | undefined;
  /** Told of each access to configuration space: of a read before it is made. */
  onConfig: ((offset: number, width: Width, written: number | undefined) => void) | undefined;
  readonly #view: DmaView;
  readonly #config: DataView;
  /** What the 256 bytes are after a reset. */
  readonly #image = new Uint8Array(256);
  readonly #writable = new Uint8Array(256);
  readonly #clearable = new Uint8Array(256);
  readonly #regions: Region[] = [];
  readonly #bars: Bar[] = [];
  readonly #parts: Device[] = [this];
  #slot: Slot | undefined;
  #lastCapability: number = header.capabilities;
  #freeCapability: number = header.end;
  /** Derived: bus master bit, whether INTx may be driven. */
  #master = false;
  #intx = false;
  /** Derived: which message capabilities are enabled, one bit each. While any is, INTx is not used. */
  #signalled = 0;

  constructor(name: string, identity: Identity) {
    this.name = name;
    this.state = new State(name, { config: new Uint8Array(256), interrupt: false });
    this.#config = new DataView(this.state.now.config.buffer);
    this.#view = new DmaView(name);
    this.#view.onAbort = () => this.poke(header.status, 2, this.peek(header.status, 2) | status.receivedMasterAbort);
    this.dma = this.#view;
    this.messages = { message: (address, data) => this.#send(address, data) };
    this.interruptPin = identity.interruptPin ?? 0;

    const image = new DataView(this.#image.buffer);
    image.setUint16(header.vendor, identity.vendor, true);
    image.setUint16(header.device, identity.device, true);
    image.setUint16(header.command, identity.command?.initial ?? 0, true);
    image.setUint16(header.status, identity.status ?? 0, true);
    image.setUint32(header.revision, ((identity.class << 8) | identity.revision) >>> 0, true);
    image.setUint16(header.subsystemVendor, identity.subsystemVendor ?? 0, true);
    image.setUint16(header.subsystem, identity.subsystem ?? 0, true);
    image.setUint8(header.interruptPin, this.interruptPin);

    const writable = new DataView(this.#writable.buffer);
    const ordinary = command.busMaster | command.parityErrorResponse | command.serrEnable | command.interruptDisable;
    writable.setUint16(header.command, identity.command?.writable ?? ordinary | command.io | command.memory, true);
    writable.setUint8(header.cacheLineSize, 0xff);
    writable.setUint8(header.latencyTimer, 0xff);
    writable.setUint8(header.interruptLine, 0xff);
    new DataView(this.#clearable.buffer).setUint16(header.status, status.writeOneToClear, true);
    this.state.now.config.set(this.#image);
  }

  /** The function and what belongs to it, for the board's list of devices. */
  get parts(): readonly Device[] {
    return this.#parts;
  }

  /** Adds a part with a state of its own: the MSI-X table, a virtio layout. */
  addPart(part: Device): void {
    this.#parts.push(part);
  }

  get bars(): readonly Bar[] {
    return this.#bars;
  }

  addBar(spec: BarSpec): Bar {
    const bar = new Bar(spec);
    const taken = (b: Bar) => b.index < bar.index + bar.registers && bar.index < b.index + b.registers;
    if (this.#bars.some(taken)) throw new RangeError(`${this.name}: BAR${bar.index} is taken`);
    this.#bars.push(bar);
    const writable = new DataView(this.#writable.buffer);
    for (let half = 0; half < bar.registers; half++)
      writable.setUint32(bar.offset + 4 * half, bar.writable(half), true);
    this.#initialise(bar.offset, [bar.flags]);
    return bar;
  }

  /**
   * Appends a capability to the list (PCI 3.0 section 6.7) and returns its offset. `bytes` and `writable` start
   * with the identifier and the next pointer, which are filled in here and never writable. Throws when there is no room.
   */
  addCapability(id: number, bytes: Uint8Array, writable: Uint8Array, hooks: RegisterHooks = {}): number {
    const at = this.#freeCapability;
    const image = bytes.slice();
    const mask = writable.slice();
    image[0] = id;
    image[1] = 0;
    mask[0] = 0;
    mask[1] = 0;
    this.addRegisters(at, image, mask, hooks);
    this.#initialise(this.#lastCapability, [at]);
    this.#initialise(header.status, [(this.#image[header.status] as number) | status.capabilities]);
    this.#lastCapability = at + 1;
    this.#freeCapability = Math.ceil((at + bytes.length) / 4) * 4;
    return at;
  }

  /** Registers at a place of the device's choice, past the header: PAM, PIRQ routing. Throws when there is no room. */
  addRegisters(at: number, bytes: Uint8Array, writable: Uint8Array, hooks: RegisterHooks = {}): void {
    const end = at + bytes.length;
    if (at < header.end || end > 256 || this.#regions.some((r) => at < r.end && r.start < end))
      throw new RangeError(`${this.name}: no room for ${bytes.length} bytes at 0x${at.toString(16)}`);
    this.#writable.set(writable, at);
    this.#initialise(at, bytes);
    this.#regions.push({ start: at, end, hooks });
  }

  /** The bus does this, once. */
  plugged(slot: Slot): void {
    if (this.#slot !== undefined) throw new Error(`${this.name} is plugged already`);
    this.#slot = slot;
    this.#view.attach(slot.path);
    this.restored();
  }

  /** Says that functions beside function 0 exist. The bus does this. */
  markMultiFunction(bit: number): void {
    this.#initialise(header.headerType, [(this.#image[header.headerType] as number) | bit]);
  }

  /** Where the function is, as in `00:04.0`, or its name before it is plugged. */
  get address(): string {
    return this.#slot?.address ?? this.name;
  }

  /** Reads configuration space at any alignment; what lies past its end reads all ones. Never throws. */
  readConfig(offset: number, width: Width): number {
    this.onConfig?.(offset, width, undefined);
    for (const { start, end, hooks } of this.#regions) {
      const first = Math.max(offset, start);
      const last = Math.min(offset + width, end);
      if (first < last) hooks.beforeRead?.(first - start, last - first);
    }
    const value = offset + width <= 256 ? this.peek(offset, width) : this.#bytewise(offset, width);
    const trace = this.#slot?.trace;
    if (trace?.on === true) trace.log(`${this.address} config ${hex(offset)}.${width} -> ${hex(value)}`);
    return value;
  }

  /** Writes configuration space at any alignment; what lies past its end is ignored. Never throws. */
  writeConfig(offset: number, width: Width, value: number): void {
    this.onConfig?.(offset, width, value);
    const trace = this.#slot?.trace;
    if (trace?.on === true) trace.log(`${this.address} config ${hex(offset)}.${width} <- ${hex(value)}`);
    const config = this.state.now.config;
    if (offset >= header.end && value !== 0 && !this.#regions.some((r) => offset < r.end && r.start < offset + width))
      trace?.once(`${this.name} ${offset}`, `${this.address} has no register at ${hex(offset)}, written ${hex(value)}`);
    for (let i = 0; i < width && offset + i < 256; i++) {
      const at = offset + i;
      const byte = (value >>> (8 * i)) & 0xff;
      const mask = this.#writable[at] as number;
      const kept = ((config[at] as number) & ~mask) | (byte & mask);
      config[at] = kept & ~(byte & (this.#clearable[at] as number));
    }
    // The gates depend on the command register and the BARs alone.
    if (offset < header.bar0 + 24 && offset + width > header.command) this.#update();
    for (const { start, end, hooks } of this.#regions) {
      const first = Math.max(offset, start);
      const last = Math.min(offset + width, end);
      if (first < last) hooks.afterWrite?.(first - start, last - first);
    }
  }

  /** The bytes as they stand, without hooks. The access must be inside the 256 bytes. */
  peek(offset: number, width: Width): number {
    if (width === 1) return this.#config.getUint8(offset);
    return width === 2 ? this.#config.getUint16(offset, true) : this.#config.getUint32(offset, true);
  }

  /** Puts bytes there, read-only or not, without hooks: the device's own way to its registers. */
  poke(offset: number, width: Width, value: number): void {
    if (width === 1) this.#config.setUint8(offset, value);
    else if (width === 2) this.#config.setUint16(offset, value, true);
    else this.#config.setUint32(offset, value, true);
  }

  /** The bus address at which a BAR is decoded now, undefined where its decode bit is off or there is no such BAR. */
  barAddress(index: number): number | undefined {
    const bar = this.#bars.find((b) => b.index === index);
    if (bar === undefined) return undefined;
    const decode = bar.kind === "io" ? command.io : command.memory;
    return (this.peek(header.command, 2) & decode) !== 0 ? bar.address(this.#config) : undefined;
  }

  /** Reads through a BAR wherever it is decoded, or not: all ones outside of it. For virtio's PCI_CFG window. */
  readBar(index: number, offset: number, width: Width): number {
    const bar = this.#bars.find((b) => b.index === index);
    return bar !== undefined && offset >= 0 && offset + width <= bar.size
      ? bar.target.read(offset, width)
      : allOnes(width);
  }

  /** The same for writes: ignored outside of the BAR. */
  writeBar(index: number, offset: number, width: Width, value: number): void {
    const bar = this.#bars.find((b) => b.index === index);
    if (bar !== undefined && offset >= 0 && offset + width <= bar.size) bar.target.write(offset, width, value);
  }

  /** The level of the function's interrupt pin, as the device wants it; the command register and MSI gate it. */
  setInterrupt(level: boolean): void {
    if (level === this.state.now.interrupt) return;
    this.state.now.interrupt = level;
    this.#updateInterrupt();
  }

  /** A message capability says that it is enabled: the pin rests meanwhile (PCI 3.0 section 6.8.3.3). */
  setSignalled(capabilityId: number, on: boolean): void {
    const bit = 1 << (capabilityId & 31);
    this.#signalled = on ? this.#signalled | bit : this.#signalled & ~bit;
    this.#updateInterrupt();
  }

  get busMaster(): boolean {
    return this.#master;
  }

  /** Configuration space as after RST#. The board resets the other parts itself. */
  reset(): void {
    this.state.reset();
    this.state.now.config.set(this.#image);
    this.restored();
  }

  /** Recomputes what follows from the state: to be called after it was restored. */
  restored(): void {
    this.#update();
    for (const { hooks } of this.#regions) hooks.loaded?.();
    this.#updateInterrupt();
  }

  #initialise(at: number, bytes: ArrayLike<number>): void {
    this.#image.set(bytes, at);
    this.state.now.config.set(bytes, at);
  }

  /** Brings bus mastering, decoding and the interrupt pin in line with the registers. */
  #update(): void {
    const bits = this.peek(header.command, 2);
    const master = (bits & command.busMaster) !== 0;
    if (master !== this.#master) {
      this.#master = master;
      this.#view.enable(master);
    }
    for (const bar of this.#bars) this.#slot?.decode(bar, this.barAddress(bar.index));
    this.#updateInterrupt();
    this.onDecode?.();
  }

  /** Interrupt status tells the device's wish whatever Interrupt Disable says (PCI 3.0 section 6.2.3). */
  #updateInterrupt(): void {
    const wish = this.state.now.interrupt;
    const shown = this.peek(header.status, 1);
    this.poke(header.status, 1, wish ? shown | status.interrupt : shown & ~status.interrupt);
    const level = wish && this.#signalled === 0 && (this.peek(header.command, 2) & command.interruptDisable) === 0;
    if (level === this.#intx) return;
    this.#intx = level;
    const slot = this.#slot;
    if (slot?.trace.on === true) slot.trace.log(`${slot.address} INT${"?ABCD"[this.interruptPin]}# ${level}`);
    (slot?.irq ?? unconnected).set(level);
  }

  #send(address: number, data: number): void {
    const slot = this.#slot;
    if (slot === undefined) return;
    if (this.#master) slot.path.message(slot.address, address, data);
    else slot.path.drop(slot.address, address, data, "not a bus master");
  }

  #bytewise(offset: number, width: Width): number {
    let value = 0;
    for (let i = 0; i < width; i++) {
      const byte = offset + i < 256 ? this.#config.getUint8(offset + i) : 0xff;
      value += byte * 2 ** (8 * i);
    }
    return value;
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
