import type { BlockBackend } from "../../../backend/block.ts";
import { State } from "../../../bus/state.ts";
import type { Clock, Holds } from "../../../time/clock.ts";
import { Completion } from "../../../time/completion.ts";
import type { Channel } from "../../../trace/trace.ts";
import type { DeviceConfig } from "../../config.ts";
import type { DeviceHost, VirtioDevice } from "../../device.ts";
import type { Features } from "../../features.ts";
import type { Chain } from "../../queue/chain.ts";
import type { ByteOrder } from "../../queue/virt-queue.ts";
import { blkConfig, blkFeature, blkFeatures, pieceBytes, sectorSize } from "./config.ts";
import { perform, serialNumber } from "./perform.ts";
import { blkStatus, bytesOf, type Command, describe, headerBytes, idBytes, parse } from "./request.ts";

export interface BlkWires {
  readonly disk: BlockBackend;
  readonly clock: Clock & Holds;
  readonly trace: Channel;
  /** Entries of the queue, a power of two. */
  readonly queueSize?: number;
}

/** The modelled disk: what a request takes by itself, and what each byte of it adds (500 MB/s), in virtual nanoseconds. */
const requestTime = 50_000;
const byteTime = 2;
/** Bytes of data which the device takes on at once; the rest of the ring waits. A request counts with one piece of it. */
const maxBytesInHand = 32 * 1024 * 1024;
/** Buffers up to so many bytes in all are kept for the next requests: a new one of 256 KiB costs more than to read into it. */
const keptBytes = 4 * 1024 * 1024;
const requestQueue = 0;

/** A request in hand. The object and its buffer serve one request after another. */
interface Request {
  readonly completion: Completion;
  chain: Chain;
  command: Command;
  /** Bytes of a read or write which earlier pieces have moved. */
  moved: number;
  /** What it counts for in `bytesInHand`: its piece. */
  bytes: number;
  /** What was read, or what is to be written, unless the disk fills the driver's own memory. */
  buffer: Uint8Array<ArrayBuffer>;
  /** What the disk fills or writes: that memory, or the buffer. */
  readonly views: Uint8Array[];
}

const nothing: Command = { kind: "flush" };
const outside: Command = { kind: "refuse", status: blkStatus.ioError, why: "data outside of RAM" };

/**
 * The block device (virtio 1.2 section 5.2): one queue over a raw disk.
 *
 * A request is given to the disk when it is taken from the ring, and ends at a modelled time: requests wait for each other's bytes,
 * as on one wire. Where time is the host's own, it ends when the host has done it. A disk of which no operation waits fills the driver's own memory, which is the device's until the request ends; with
 * others data read reaches the guest at that time and not before, since the driver may have taken its memory back in between.
 */
export class Blk implements VirtioDevice {
  readonly name: string;
  readonly id = 2;
  readonly features: Features;
  readonly queueSizes: readonly number[];
  readonly config: DeviceConfig;
  readonly state: State<{
    features: Features;
    bigEndian: boolean;
    /** Until when the disk's wire is taken by requests in hand. */
    busyUntil: number;
    bytesInHand: number;
    /** Requests in hand, in the order in which their pieces end: their chains' heads, when that is, and what earlier pieces moved. */
    inHand: number;
    heads: Uint16Array;
    dues: Float64Array;
    moved: Float64Array;
    /** Whether a chain waits for room, and its head. */
    stalled: boolean;
    stalledHead: number;
  }>;
  readonly #disk: BlockBackend;
  readonly #clock: Clock & Holds;
  readonly #trace: Channel;
  readonly #spare: Request[] = [];
  /** Bytes of the buffers of those. */
  #kept = 0;
  readonly #inHand = new Set<Request>();
  readonly #status = new Uint8Array(1);
  #host: DeviceHost | undefined;
  /** Taken from the ring when the device had its hands full. */
  #next: Chain | undefined;

  constructor(name: string, wires: BlkWires) {
    const { disk, queueSize = 256 } = wires;
    this.name = name;
    this.#disk = disk;
    this.#clock = wires.clock;
    this.#trace = wires.trace;
    this.features = blkFeatures(disk);
    this.queueSizes = [queueSize];
    this.config = blkConfig(name, this.#capacity, queueSize);
    this.state = new State(name, {
      features: 0n,
      bigEndian: false,
      busyUntil: 0,
      bytesInHand: 0,
      inHand: 0,
      heads: new Uint16Array(queueSize),
      dues: new Float64Array(queueSize),
      moved: new Float64Array(queueSize),
      stalled: false,
      stalledHead: 0,
    });
  }

  connect(host: DeviceHost): void {
    this.#host = host;
  }

  /** CONFIG_WCE means something only with FLUSH (section 5.2.5.2 speaks of a cache that can be flushed). */
  supports(features: Features): boolean {
    return (features & blkFeature.configWce) === 0n || (features & blkFeature.flush) !== 0n;
  }

  negotiated(features: Features, order: ByteOrder): void {
    this.state.now.features = features;
    this.state.now.bigEndian = order === "big";
  }

  notify(): void {
    const queue = this.#connected.queue(requestQueue);
    for (let chain = this.#next ?? queue.take(); chain !== undefined; chain = queue.take()) {
      this.#stall(undefined);
      if (!this.#begin(chain)) {
        this.#stall(chain);
        break;
      }
    }
    queue.signal();
  }

  resetQueue(): void {
    this.#forget();
    const now = this.state.now;
    now.bytesInHand = 0;
    now.busyUntil = 0;
    now.inHand = 0;
    now.stalled = false;
  }

  reset(): void {
    this.#forget();
    this.state.reset();
  }

  /** What was in hand is read anew from the driver's memory and asked of the disk again, to end when it would have. */
  restored(): void {
    this.#forget();
    const now = this.state.now;
    const heads = now.heads.slice(0, now.inHand);
    const dues = now.dues.slice(0, now.inHand);
    const moved = now.moved.slice(0, now.inHand);
    now.inHand = 0;
    now.bytesInHand = 0;
    const queue = this.#connected.queue(requestQueue);
    // Reading it again costs the driver nothing.
    const { units } = queue.work;
    for (const [i, head] of heads.entries()) {
      const chain = queue.retake(head);
      if (chain !== undefined) this.#begin(chain, { due: dues[i] as number, moved: moved[i] as number });
    }
    this.#stall(now.stalled ? queue.retake(now.stalledHead) : undefined);
    queue.work.units = units;
  }

  #forget(): void {
    for (const request of this.#inHand) {
      request.completion.cancel();
      // The host may still be writing to the buffer of a request which it has not answered.
      if (request.completion.idle) this.#retire(request);
    }
    this.#inHand.clear();
    this.#next = undefined;
  }

  #stall(chain: Chain | undefined): void {
    this.#next = chain;
    this.state.now.stalled = chain !== undefined;
    this.state.now.stalledHead = chain?.head ?? 0;
  }

  /**
   * Starts a chain's request, or gives it back at once. False when it has to wait until others have ended.
   * @param before for a request which was in hand before: when its piece ends, and what earlier ones moved.
   */
  #begin(chain: Chain, before?: { readonly due: number; readonly moved: number }): boolean {
    if (chain.writableLength === 0 || !chain.canWrite(chain.writableLength - 1, 1)) {
      // No status byte: there is nothing to say it with (section 5.2.6.2 asks for one in every request).
      this.#note(chain, "no status byte in RAM: dropped");
      this.#connected.queue(requestQueue).give(chain, 0);
      return true;
    }
    const { features, bigEndian } = this.state.now;
    const command = parse(chain, {
      capacity: this.#capacity,
      readOnly: this.#disk.readOnly,
      features,
      order: bigEndian ? "big" : "little",
    });
    const moved = before?.moved ?? 0;
    const bytes = pieceOf(command, moved);
    if (this.state.now.bytesInHand + bytes > maxBytesInHand) return false;
    if (this.#trace.on) this.#note(chain, describe(command));
    const request = this.#spare.pop() ?? this.#newRequest(chain);
    this.#kept -= request.buffer.buffer.byteLength;
    request.chain = chain;
    request.command = this.#looksFirst(command, bytes) && !isReachable(chain, command) ? outside : command;
    request.moved = moved;
    request.bytes = bytes;
    this.#inHand.add(request);
    this.#submit(request, before?.due ?? (this.#clock.isHostTime ? this.#clock.now : this.#book(bytes)));
    return true;
  }

  /**
   * Takes the disk's wire for so many bytes. Gives when the request ends.
   *
   * Where time is the host's own, only later pieces of long requests come here: what is taken from the ring is limited by the account
   * of work, and these would hold the host otherwise.
   */
  #book(bytes: number): number {
    const now = this.state.now;
    now.busyUntil = Math.max(now.busyUntil, this.#clock.now) + bytes * byteTime;
    return now.busyUntil + requestTime;
  }

  /** Has the disk do the request's piece, which ends then. */
  #submit(request: Request, due: number): void {
    const now = this.state.now;
    const { chain, command, moved, bytes } = request;
    now.heads[now.inHand] = chain.head;
    now.dues[now.inHand] = due;
    now.moved[now.inHand++] = moved;
    now.bytesInHand += bytes;
    const done = request.completion.start(Math.max(0, due - this.#clock.now));
    const { kind } = command;
    // It may have been RAM when the request was taken; bus mastering may have been turned off since.
    if ((kind === "read" || kind === "write") && !this.#gather(request, kind)) done(false);
    else perform(this.#disk, command, moved, request.views, this.#cached, done);
  }

  /** Whether the disk would be asked before all of the data was found to be in RAM, of which this piece is some. */
  #looksFirst(command: Command, bytes: number): boolean {
    return bytes < bytesOf(command) || (command.kind === "read" && !this.#fillsInPlace);
  }

  /** What the disk is to fill or to write. False where that is not RAM. */
  #gather(request: Request, kind: "read" | "write"): boolean {
    const { chain, moved, bytes, views } = request;
    views.length = 0;
    if (kind === "read" && this.#fillsInPlace) return chain.lend(moved, bytes, views, "to-fill");
    if (kind === "write" && this.#disk.writev !== undefined)
      return chain.lend(headerBytes + moved, bytes, views, "to-read");
    prepare(request, bytes);
    views.push(request.buffer);
    return kind === "read" || chain.read(headerBytes + moved, request.buffer);
  }

  /** Whether the driver may leave writes in the disk's cache, since it can flush it. */
  get #cached(): boolean {
    return (this.state.now.features & blkFeature.flush) !== 0n && this.config.get("writeback") !== 0;
  }

  get #fillsInPlace(): boolean {
    return this.#disk.readv !== undefined;
  }

  /** A piece has ended. */
  #end(request: Request, ok: boolean): void {
    const { chain, command, bytes } = request;
    this.#strike(chain.head);
    this.state.now.bytesInHand -= bytes;
    const good = ok && (command.kind !== "read" || this.#fillsInPlace || chain.write(request.moved, request.buffer));
    if (good && (command.kind === "read" || command.kind === "write") && request.moved + bytes < command.length) {
      request.moved += bytes;
      request.bytes = pieceOf(command, request.moved);
      this.#submit(request, this.#book(request.bytes));
      return;
    }
    this.#inHand.delete(request);
    this.#retire(request);
    this.#give(request, good);
  }

  /** Keeps a request for later, and its buffer if there is room. */
  #retire(request: Request): void {
    if (this.#kept + request.buffer.buffer.byteLength > keptBytes) request.buffer = new Uint8Array(0);
    this.#kept += request.buffer.buffer.byteLength;
    this.#spare.push(request);
  }

  /** Gives the chain back, with what was written to it. */
  #give({ chain, command, moved, bytes }: Request, ok: boolean): void {
    let status: number = command.kind === "refuse" ? command.status : ok ? blkStatus.ok : blkStatus.ioError;
    let written = command.kind === "read" ? moved + (ok ? bytes : 0) : 0;
    if (ok && command.kind === "id") {
      if (chain.write(0, serialNumber(this.#disk.id))) written = idBytes;
      else status = blkStatus.ioError;
    }
    this.#status[0] = status;
    const told = chain.write(chain.writableLength - 1, this.#status);
    if (this.#trace.on) this.#note(chain, `status ${status}`);
    const queue = this.#connected.queue(requestQueue);
    // The bytes really written; the status is the last of them.
    queue.give(chain, told ? written + 1 : 0);
    queue.signal();
    if (this.#next !== undefined) this.#connected.drain(requestQueue);
  }

  /** Takes a request off the list of those in hand. It is the first: they end in order. */
  #strike(head: number): void {
    const now = this.state.now;
    let at = 0;
    while (at < now.inHand && now.heads[at] !== head) at++;
    if (at === now.inHand) return;
    now.inHand--;
    if (at === now.inHand) return;
    now.heads.copyWithin(at, at + 1, now.inHand + 1);
    now.dues.copyWithin(at, at + 1, now.inHand + 1);
    now.moved.copyWithin(at, at + 1, now.inHand + 1);
  }

  #newRequest(chain: Chain): Request {
    const request: Request = {
      completion: new Completion(this.#clock, this.name, (ok) => this.#end(request, ok)),
      chain,
      command: nothing,
      moved: 0,
      bytes: 0,
      buffer: new Uint8Array(0),
      views: [],
    };
    return request;
  }

  #note(chain: Chain, text: string): void {
    if (this.#trace.on) this.#trace.log(`${this.name} request ${chain.head}: ${text}`);
  }

  /** In sectors. */
  get #capacity(): number {
    return Math.floor(this.#disk.size / sectorSize);
  }

  get #connected(): DeviceHost {
    if (this.#host === undefined) throw new Error(`${this.name} is not connected`);
    return this.#host;
  }
}

/** How many bytes the next piece of a command is about, the first of them behind what was moved. */
function pieceOf(command: Command, moved: number): number {
  return command.kind === "read" || command.kind === "write"
    ? Math.min(command.length - moved, pieceBytes)
    : bytesOf(command);
}

/** Whether all of the data is in RAM: then a request in pieces does not stop at half. */
function isReachable(chain: Chain, command: Command): boolean {
  if (command.kind === "read") return chain.canWrite(0, command.length);
  return command.kind !== "write" || chain.canRead(headerBytes, command.length);
}

/** A buffer of just this length, the one at hand where it is long enough. */
function prepare(request: Request, length: number): void {
  if (request.buffer.length !== length) {
    const store = request.buffer.buffer;
    request.buffer = store.byteLength >= length ? new Uint8Array(store, 0, length) : new Uint8Array(length);
  }
}
