import { ethernetHeader, largestFrame, type NetworkBackend, vlanTag } from "../../../backend/network.ts";
import { State } from "../../../bus/state.ts";
import type { Clock, Holds } from "../../../time/clock.ts";
import type { Channel } from "../../../trace/trace.ts";
import type { DeviceHost, VirtioDevice } from "../../device.ts";
import { type Features, feature } from "../../features.ts";
import type { Chain } from "../../queue/chain.ts";
import type { ByteOrder } from "../../queue/virt-queue.ts";
import { checksumHolds, fillChecksum } from "./checksum.ts";
import { NetConfig } from "./config.ts";
import { longestCommand, obey } from "./control.ts";
import { goTogether, netFeature, netFeatures } from "./features.ts";
import { accepts, type FilterState, filterState } from "./filter.ts";
import { hashPacket, type PacketHash } from "./hash.ts";
import { gsoNone, headerAt, headerFlag, headerSize, longestHeader } from "./header.ts";
import { type Packet, parsePacket } from "./packet.ts";
import { Receiver } from "./receiver.ts";
import { queuePairs, type SteeringState, steeringState } from "./steering.ts";

export interface NetWires {
  readonly network: NetworkBackend;
  readonly clock: Clock & Holds;
  readonly trace: Channel;
  /** The station's address, 6 bytes, no group address. */
  readonly mac: Uint8Array;
  /** The longest packet in an Ethernet frame, 1280 to 65535 bytes. Default 1500. */
  readonly mtu?: number;
  /** Entries of each receive and transmit queue, a power of two. Default 256. */
  readonly queueSize?: number;
}

const controlSize = 64;
const commandOk = 0;
const commandError = 1;

type NetState = FilterState &
  SteeringState & {
    features: Features;
    bigEndian: boolean;
    /** Frames sent, received, not wanted by the driver, and lost because a chain was not as it has to be. */
    sent: number;
    received: number;
    filtered: number;
    dropped: number;
    /** Buffers in hand of the receive queues, one queue's after the other's. */
    hand: Uint16Array;
    handCounts: Uint16Array;
  };

/**
 * The network device (virtio 1.2 section 5.1): receiveq1, transmitq1, receiveq2, transmitq2, and the control queue behind those which
 * are in use, as section 5.1.2 has it.
 *
 * Frames wait in the back end until the driver has buffers, and in the transmit queue until the back end has room, so that
 * nothing is kept here but buffers of the driver's.
 */
export class VirtioNet implements VirtioDevice {
  readonly name: string;
  readonly id = 1;
  readonly features = netFeatures;
  readonly queueSizes: readonly number[];
  readonly config: NetConfig;
  readonly state: State<NetState>;
  readonly #network: NetworkBackend;
  readonly #trace: Channel;
  readonly #longest: number;
  readonly #queueSize: number;
  readonly #frame: Uint8Array;
  readonly #header = new Uint8Array(longestHeader);
  readonly #headerFields = new DataView(this.#header.buffer);
  readonly #packet: Packet = { version: 0, network: 0, transport: 0, end: 0, protocol: 0 };
  readonly #hash: PacketHash = { value: 0, report: 0 };
  readonly #receivers: Receiver[] = [];
  #host: DeviceHost | undefined;
  /** Follows from the features, kept off the path of each frame. */
  #headerSize = 10;
  #merge = false;
  #progress = false;

  constructor(name: string, wires: NetWires) {
    const { network, clock, mac, mtu = 1500, queueSize = 256 } = wires;
    this.name = name;
    this.#network = network;
    this.#trace = wires.trace;
    this.#longest = Math.min(largestFrame, ethernetHeader + vlanTag + mtu);
    this.#queueSize = queueSize;
    this.#frame = new Uint8Array(longestHeader + this.#longest);
    this.queueSizes = [...Array.from({ length: 2 * queuePairs }, () => queueSize), controlSize];
    this.config = new NetConfig(name, mac, mtu, () => network.linkUp);
    this.config.onWrite = () => this.#macWritten();
    this.state = new State<NetState>(name, {
      ...filterState(mac),
      ...steeringState(),
      features: 0n,
      bigEndian: false,
      sent: 0,
      received: 0,
      filtered: 0,
      dropped: 0,
      hand: new Uint16Array(queuePairs * queueSize),
      handCounts: new Uint16Array(queuePairs),
    });
    network.attach(clock);
    network.onRoom = () => this.#drainTransmitters();
    network.onFrame = () => this.#framesWait();
    network.onLink = () => {
      if (this.config.showLink()) this.#host?.configChanged();
    };
  }

  connect(host: DeviceHost): void {
    this.#host = host;
    for (let pair = 0; pair < queuePairs; pair++) this.#receivers.push(new Receiver(host, 2 * pair, this.#longest));
  }

  supports(features: Features): boolean {
    return goTogether(features);
  }

  negotiated(features: Features, order: ByteOrder): void {
    this.state.now.features = features;
    this.state.now.bigEndian = order === "big";
    this.#follow();
  }

  notify(queue: number): void {
    if (queue === this.#controlQueue) this.#control(queue);
    else if (queue >= 2 * this.#pairs) return;
    else if ((queue & 1) === 0) this.#receive(queue);
    else this.#transmit(queue);
  }

  resetQueue(queue: number): void {
    const receiver = this.#receivers[queue >>> 1];
    if ((queue & 1) !== 0 || receiver === undefined) return;
    receiver.drop();
    this.state.now.handCounts[queue >>> 1] = 0;
  }

  reset(): void {
    for (const receiver of this.#receivers) receiver.drop();
    this.#network.flush();
    this.state.reset();
    this.#follow();
  }

  restored(): void {
    this.#network.restored();
    this.#follow();
    const now = this.state.now;
    for (const [pair, receiver] of this.#receivers.entries())
      receiver.restore({ heads: this.#heads(pair), count: now.handCounts[pair] as number });
  }

  /** Section 5.1.2: one pair unless there is something which spreads frames over more. */
  get #pairs(): number {
    return this.#has(netFeature.receiveScaling) ? queuePairs : 1;
  }

  get #controlQueue(): number {
    return this.#has(netFeature.controlQueue) ? 2 * this.#pairs : -1;
  }

  #has(wanted: Features): boolean {
    return (this.state.now.features & wanted) !== 0n;
  }

  #follow(): void {
    this.#headerSize = headerSize(this.state.now.features);
    this.#merge = this.#has(netFeature.mergeable);
  }

  #transmit(index: number): void {
    const queue = this.#host?.queue(index);
    while (queue !== undefined && this.#network.room > 0) {
      const chain = queue.take();
      if (chain === undefined) break;
      const why = this.#send(chain);
      if (why === undefined) this.state.now.sent++;
      else this.#lose(why);
      queue.give(chain, 0);
    }
    queue?.signal();
  }

  /** Sends a chain's frame (section 5.1.6.2), or gives what is wrong with it (policy R2). `hdr_len` is not looked at. */
  #send(chain: Chain): string | undefined {
    const size = this.#headerSize;
    const length = chain.readableLength - size;
    if (length < ethernetHeader) return `${chain.readableLength} bytes are no header and frame`;
    if (length > this.#longest) return `a frame of ${length} bytes, where ${this.#longest} is the most`;
    const all = this.#frame.subarray(0, size + length);
    if (!chain.read(0, all)) return "a frame which is not in RAM";
    const frame = all.subarray(size);
    // No segmentation was offered. Flags which are not known are ignored (section 5.1.6.2.2).
    if (all[headerAt.gsoType] !== gsoNone) return `gso_type ${all[headerAt.gsoType]}, which was not offered`;
    if (((all[headerAt.flags] as number) & headerFlag.needsChecksum) !== 0 && this.#has(netFeature.checksum)) {
      const little = !this.state.now.bigEndian;
      const fields = new DataView(all.buffer, all.byteOffset, size);
      const start = fields.getUint16(headerAt.checksumStart, little);
      const offset = fields.getUint16(headerAt.checksumOffset, little);
      if (!fillChecksum(frame, start, offset))
        return `a checksum at ${start} + ${offset} of a frame of ${length} bytes`;
    }
    this.#network.send(frame);
    return undefined;
  }

  #drainTransmitters(): void {
    for (let pair = 0; pair < this.#pairs; pair++) this.#host?.drain(2 * pair + 1);
  }

  /** Has the queue looked at for which the first frame is, and so on, as long as frames go. */
  #framesWait(): void {
    do {
      const queue = this.#target();
      if (queue === undefined) return;
      this.#progress = false;
      this.#host?.drain(queue);
    } while (this.#progress);
  }

  #receive(index: number): void {
    const queue = this.#host?.queue(index);
    const receiver = this.#receivers[index >>> 1];
    let target = this.#target();
    while (receiver !== undefined && target === index) {
      const frame = this.#network.first as Uint8Array;
      const header = this.#makeHeader();
      const outcome = receiver.deliver(header, frame, this.#merge, (buffers) => this.#setBufferCount(buffers));
      // A frame for one of several queues does not hold up those for the others.
      if (outcome === "wait" && !this.state.now.scaling) break;
      if (outcome === "done") this.state.now.received++;
      else this.#lose(`no buffers for a frame of ${frame.length} bytes`);
      this.#network.take();
      this.#progress = true;
      target = this.#target();
    }
    this.#saveHands();
    queue?.signal();
    if (target !== undefined && target !== index) this.#host?.later(target);
  }

  /** The receive queue which the first waiting frame is for, or undefined when none waits. Those nobody wants are lost here. */
  #target(): number | undefined {
    const now = this.state.now;
    for (let frame = this.#network.first; frame !== undefined; frame = this.#network.first) {
      const fits = frame.length >= ethernetHeader && frame.length <= this.#longest;
      if (fits && this.#wants(frame)) {
        parsePacket(frame, this.#packet);
        hashPacket(frame, this.#packet, now.hashTypes, now.hashKey, this.#hash);
        if (!now.scaling) return 0;
        const classified = this.#hash.report !== 0;
        const entry = (this.#hash.value & now.indirectionMask) >>> 0;
        return 2 * (classified ? (now.indirection[entry] as number) : now.unclassified);
      }
      now.filtered++;
      this.#network.take();
    }
    return undefined;
  }

  /** A driver which cannot ask for multicast frames gets all of them. */
  #wants(frame: Uint8Array): boolean {
    const group = ((frame[0] as number) & 1) !== 0;
    return (group && !this.#has(netFeature.controlReceive)) || accepts(this.state.now, frame);
  }

  /** For the first waiting frame (section 5.1.6.4.1), after `#target` has looked at it. */
  #makeHeader(): Uint8Array {
    const fields = this.#headerFields;
    const little = !this.state.now.bigEndian;
    this.#header.fill(0);
    const frame = this.#network.first;
    if (frame !== undefined && this.#has(netFeature.guestChecksum) && checksumHolds(frame, this.#packet))
      fields.setUint8(headerAt.flags, headerFlag.dataValid);
    fields.setUint16(headerAt.bufferCount, 1, little);
    if (this.#has(netFeature.hashReport)) {
      fields.setUint32(headerAt.hashValue, this.#hash.value, little);
      fields.setUint16(headerAt.hashReport, this.#hash.report, little);
    }
    if (this.#has(netFeature.outerHeader)) fields.setUint16(headerAt.outerNetworkHeader, this.#packet.network, little);
    return this.#header.subarray(0, this.#headerSize);
  }

  #setBufferCount(buffers: number): void {
    if (this.#headerSize > headerAt.bufferCount)
      this.#headerFields.setUint16(headerAt.bufferCount, buffers, !this.state.now.bigEndian);
  }

  /** Section 5.1.6.5: a class, a command, its data, and a byte for the answer. */
  #control(index: number): void {
    const queue = this.#host?.queue(index);
    for (let chain = queue?.take(); chain !== undefined; chain = queue?.take()) {
      const answer = Uint8Array.of(this.#command(chain) ? commandOk : commandError);
      queue?.give(chain, chain.write(0, answer) ? 1 : 0);
    }
    queue?.signal();
  }

  #command(chain: Chain): boolean {
    // The answer has a place, or nothing is done.
    if (!chain.canWrite(0, 1) || chain.readableLength < 2 || chain.readableLength > longestCommand) return false;
    const bytes = new Uint8Array(chain.readableLength);
    if (!chain.read(0, bytes)) return false;
    const now = this.state.now;
    const good = obey(now, bytes, now.features, !now.bigEndian);
    if (this.#trace.on) this.#trace.log(`${this.name} command ${bytes[0]}.${bytes[1]} ${good ? "done" : "refused"}`);
    if (good && this.config.showMac(now.mac)) this.#host?.configChanged();
    return good;
  }

  /** A legacy driver sets its address by writing the configuration (section 5.1.4.2); no other may. */
  #macWritten(): void {
    if (this.#has(feature.version1)) this.config.showMac(this.state.now.mac);
    else this.config.readMac(this.state.now.mac);
  }

  #lose(why: string): void {
    this.state.now.dropped++;
    if (this.#trace.on) this.#trace.log(`${this.name} frame dropped: ${why}`);
  }

  #heads(pair: number): Uint16Array {
    return this.state.now.hand.subarray(pair * this.#queueSize, (pair + 1) * this.#queueSize);
  }

  #saveHands(): void {
    const { hand, handCounts } = this.state.now;
    for (let pair = 0; pair < this.#receivers.length; pair++)
      handCounts[pair] = (this.#receivers[pair] as Receiver).save(hand, pair * this.#queueSize);
  }
}
