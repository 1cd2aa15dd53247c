import type { Clock, Holds } from "../time/clock.ts";
import type { NetworkBackend } from "./network.ts";

/** Bytes of a frame which are kept: all of them. */
const snapLength = 262_144;
const linkTypeEthernet = 1;

/** The beginning of a capture file with times in nanoseconds (IETF draft-ietf-opsawg-pcap, section 4), little-endian. */
export function pcapHeader(): Uint8Array {
  const bytes = new Uint8Array(24);
  const fields = new DataView(bytes.buffer);
  fields.setUint32(0, 0xa1b2_3c4d, true);
  fields.setUint16(4, 2, true);
  fields.setUint16(6, 4, true);
  fields.setUint32(16, snapLength, true);
  fields.setUint32(20, linkTypeEthernet, true);
  return bytes;
}

/**
 * One frame of a capture file (section 5).
 *
 * @param seconds since 1970, whole; @param nanoseconds of that second.
 */
export function pcapRecord(frame: Uint8Array, seconds: number, nanoseconds: number): Uint8Array {
  const bytes = new Uint8Array(16 + frame.length);
  const fields = new DataView(bytes.buffer);
  fields.setUint32(0, seconds, true);
  fields.setUint32(4, nanoseconds, true);
  fields.setUint32(8, frame.length, true);
  fields.setUint32(12, frame.length, true);
  bytes.set(frame, 16);
  return bytes;
}

export interface CaptureOptions {
  /** Takes the bytes of the file as they come. */
  readonly put: (bytes: Uint8Array) => void;
  /** What the clock's 0 is, in seconds since 1970. */
  readonly epoch: number;
}

/** A cable on which somebody listens: every frame which the device sends and every one which it takes, at its virtual time. */
export class CapturedNetwork implements NetworkBackend {
  readonly #inner: NetworkBackend;
  readonly #options: CaptureOptions;
  #clock: Clock | undefined;

  constructor(inner: NetworkBackend, options: CaptureOptions) {
    this.#inner = inner;
    this.#options = options;
  }

  get station(): number {
    return this.#inner.station;
  }
  get linkUp(): boolean {
    return this.#inner.linkUp;
  }
  get room(): number {
    return this.#inner.room;
  }
  get first(): Uint8Array | undefined {
    return this.#inner.first;
  }
  get onRoom(): (() => void) | undefined {
    return this.#inner.onRoom;
  }
  set onRoom(f: (() => void) | undefined) {
    this.#inner.onRoom = f;
  }
  get onFrame(): (() => void) | undefined {
    return this.#inner.onFrame;
  }
  set onFrame(f: (() => void) | undefined) {
    this.#inner.onFrame = f;
  }
  get onLink(): (() => void) | undefined {
    return this.#inner.onLink;
  }
  set onLink(f: (() => void) | undefined) {
    this.#inner.onLink = f;
  }

  attach(clock: Clock & Holds): void {
    this.#clock = clock;
    this.#inner.attach(clock);
  }

  send(frame: Uint8Array): void {
    this.#record(frame);
    this.#inner.send(frame);
  }

  take(): void {
    const frame = this.#inner.first;
    if (frame !== undefined) this.#record(frame);
    this.#inner.take();
  }

  flush(): void {
    this.#inner.flush();
  }
  restored(): void {
    this.#inner.restored();
  }
  close(): void {
    this.#inner.close();
  }

  #record(frame: Uint8Array): void {
    const { put, epoch } = this.#options;
    const now = this.#clock?.now ?? 0;
    put(pcapRecord(frame, epoch + Math.floor(now / 1e9), now % 1e9));
  }
}
