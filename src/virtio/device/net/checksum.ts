import { type Packet, protocolTcp, protocolUdp, word } from "./packet.ts";

/** The one's complement sum of 16-bit words (RFC 1071), an odd byte at the end filled up with zero. */
export function internetSum(bytes: Uint8Array, from: number, to: number, start = 0): number {
  let sum = start;
  let at = from;
  for (; at + 1 < to; at += 2) sum += ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  if (at < to) sum += (bytes[at] as number) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return sum;
}

/**
 * What NEEDS_CSUM asks for (virtio 1.2 section 5.1.6.2): the checksum from `start` to the frame's end goes `offset` bytes behind
 * `start`, where the driver has left the pseudo header's sum. False, and nothing done, where that is not in the frame.
 */
export function fillChecksum(frame: Uint8Array, start: number, offset: number): boolean {
  const at = start + offset;
  if (at + 2 > frame.length) return false;
  const sum = 0xffff ^ internetSum(frame, start, frame.length);
  frame[at] = sum >>> 8;
  frame[at + 1] = sum & 0xff;
  return true;
}

/** Whether a packet is TCP or UDP and its checksum is there and right: what DATA_VALID says (section 5.1.6.4). */
export function checksumHolds(frame: Uint8Array, packet: Packet): boolean {
  const { version, network, transport, end, protocol } = packet;
  if (version === 0 || (protocol !== protocolTcp && protocol !== protocolUdp)) return false;
  const length = end - transport;
  if (length < (protocol === protocolTcp ? 20 : 8)) return false;
  if (protocol === protocolUdp && word(frame, transport + 6) === 0) return false;
  const [from, to] = version === 4 ? [network + 12, network + 20] : [network + 8, network + 40];
  return internetSum(frame, transport, end, internetSum(frame, from, to, protocol + length)) === 0xffff;
}
