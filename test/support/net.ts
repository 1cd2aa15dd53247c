import { Loopback } from "../../src/backend/loopback.ts";
import type { NetworkBackend } from "../../src/backend/network.ts";
import { VirtioNet } from "../../src/virtio/device/net/net.ts";
import { type Options, plugDevice } from "./virtio-function.ts";

/** Feature bits as the specification numbers them (virtio 1.2 section 5.1.3; 69 is of virtio 1.4). */
export const netBits = {
  csum: 1n << 0n,
  guestCsum: 1n << 1n,
  mtu: 1n << 3n,
  mac: 1n << 5n,
  mrgRxbuf: 1n << 15n,
  status: 1n << 16n,
  ctrlVq: 1n << 17n,
  ctrlRx: 1n << 18n,
  ctrlRxExtra: 1n << 20n,
  ctrlMacAddr: 1n << 23n,
  hashReport: 1n << 57n,
  rss: 1n << 60n,
  outNetHeader: 1n << 69n,
} as const;

export const ownMac = [0x02, 0, 0, 0, 0, 0x11] as const;
export const broadcast = [255, 255, 255, 255, 255, 255] as const;

/** A cable which a test holds the other end of. */
export class TestCable implements NetworkBackend {
  readonly station = 0;
  linkUp = true;
  room = Number.POSITIVE_INFINITY;
  onRoom: (() => void) | undefined;
  onFrame: (() => void) | undefined;
  onLink: (() => void) | undefined;
  readonly sent: Uint8Array[] = [];
  readonly waiting: Uint8Array[] = [];

  send(frame: Uint8Array): void {
    if (this.room <= 0) throw new Error("the cable was given more than it has room for");
    this.sent.push(frame.slice());
    this.room--;
  }
  get first(): Uint8Array | undefined {
    return this.waiting[0];
  }
  take(): void {
    this.waiting.shift();
  }
  /** A frame comes. */
  bring(frame: Uint8Array): void {
    this.waiting.push(frame);
    if (this.waiting.length === 1) this.onFrame?.();
  }
  attach(): void {}
  flush(): void {
    this.waiting.length = 0;
  }
  restored(): void {}
  close(): void {}
}

export function plugNet(options: Options & { readonly mtu?: number } = {}, cable = new TestCable()) {
  const { mtu, queueSize } = options;
  const plugged = plugDevice(
    ({ clock, trace }) =>
      new VirtioNet("net0", {
        network: cable,
        clock,
        trace: trace.channel("virtio"),
        mac: Uint8Array.from(ownMac),
        mtu,
        queueSize,
      }),
    options,
  );
  return { ...plugged, cable };
}

export function plugLoopback(options: Options = {}) {
  return plugDevice(
    ({ clock, trace }) =>
      new VirtioNet("net0", {
        network: new Loopback(),
        clock,
        trace: trace.channel("virtio"),
        mac: Uint8Array.from(ownMac),
      }),
    options,
  );
}

/** An Ethernet frame of so many bytes in all, each byte of the payload its offset. */
export function etherFrame(to: readonly number[], length: number, type = 0x88b5): Uint8Array {
  const frame = Uint8Array.from({ length }, (_, i) => i);
  frame.set(to);
  frame.set([2, 0, 0, 0, 0, 0x22], 6);
  frame.set([type >>> 8, type & 255], 12);
  return frame;
}

/** struct virtio_net_hdr as a driver writes it. */
export function netHeader(
  size: number,
  fields: { flags?: number; gso?: number; start?: number; offset?: number; hdrLen?: number } = {},
  little = true,
): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, fields.flags ?? 0);
  view.setUint8(1, fields.gso ?? 0);
  view.setUint16(2, fields.hdrLen ?? 0, little);
  view.setUint16(6, fields.start ?? 0, little);
  view.setUint16(8, fields.offset ?? 0, little);
  return bytes;
}

/** Bytes from hexadecimal text; blanks do not count. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
}
