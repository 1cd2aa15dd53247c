/** What a device has to know of the frames it carries: where the network and transport headers are. */
export interface Packet {
  /** 4, 6, or 0 for anything else. */
  version: number;
  /** Offset of the network header; 0 when it is not IP. */
  network: number;
  /** Offset of the transport header, and where the packet ends: an Ethernet frame may be padded. */
  transport: number;
  end: number;
  /** The protocol of a packet which is whole; 0 for a fragment, whose ports are in another one. */
  protocol: number;
}

export const protocolTcp = 6;
export const protocolUdp = 17;

const etherIp4 = 0x0800;
const etherIp6 = 0x86dd;
const etherVlan = 0x8100;

/** Reads a frame's headers into `packet` (RFC 791, RFC 8200, IEEE 802.1Q). Whatever is not as it should be is not IP. */
export function parsePacket(frame: Uint8Array, packet: Packet): void {
  packet.version = packet.network = packet.transport = packet.end = packet.protocol = 0;
  let type = word(frame, 12);
  let at = 14;
  if (type === etherVlan) {
    type = word(frame, 16);
    at = 18;
  }
  if (type === etherIp4) parseIp4(frame, at, packet);
  else if (type === etherIp6) parseIp6(frame, at, packet);
}

function parseIp4(frame: Uint8Array, at: number, packet: Packet): void {
  const first = frame[at] ?? 0;
  const headerLength = (first & 15) * 4;
  const end = at + word(frame, at + 2);
  if (first >>> 4 !== 4 || headerLength < 20 || at + headerLength > end || end > frame.length) return;
  packet.version = 4;
  packet.network = at;
  packet.transport = at + headerLength;
  packet.end = end;
  const fragment = (word(frame, at + 6) & 0x3fff) !== 0;
  packet.protocol = fragment ? 0 : (frame[at + 9] as number);
}

/** Extension headers are not followed: such a packet has addresses and no ports. */
function parseIp6(frame: Uint8Array, at: number, packet: Packet): void {
  const end = at + 40 + word(frame, at + 4);
  if ((frame[at] ?? 0) >>> 4 !== 6 || end > frame.length) return;
  packet.version = 6;
  packet.network = at;
  packet.transport = at + 40;
  packet.end = end;
  packet.protocol = frame[at + 6] as number;
}

/** A big-endian 16-bit word; 0 past the end. */
export function word(bytes: Uint8Array, at: number): number {
  return at + 2 <= bytes.length ? ((bytes[at] as number) << 8) | (bytes[at + 1] as number) : 0;
}
