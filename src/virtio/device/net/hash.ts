import { type Packet, protocolTcp, protocolUdp } from "./packet.ts";

/** Hash types (virtio 1.2 section 5.1.6.4.3.1). A report is the number of the bit, plus one. */
export const hashType = { ip4: 1, tcp4: 2, udp4: 4, ip6: 8, tcp6: 16, udp6: 32 } as const;
export const hashTypes = 0x3f;
export const keyLength = 40;

/** The most that is hashed: two IPv6 addresses and two ports. */
const longestInput = 36;
const input = new Uint8Array(longestInput);

/** A packet's hash and the number of its kind; kind 0 is none. */
export interface PacketHash {
  value: number;
  report: number;
}

/** Hashes what the enabled types say of a packet (section 5.1.6.4.3): addresses and ports, or addresses alone. */
export function hashPacket(
  frame: Uint8Array,
  packet: Packet,
  enabled: number,
  key: Uint8Array,
  result: PacketHash,
): void {
  result.value = result.report = 0;
  const { version, network, transport, protocol, end } = packet;
  if (version === 0) return;
  const six = version === 6;
  const [tcp, udp, ip] = six
    ? [hashType.tcp6, hashType.udp6, hashType.ip6]
    : [hashType.tcp4, hashType.udp4, hashType.ip4];
  const portsThere = transport + 4 <= end;
  let type = 0;
  if (protocol === protocolTcp && (enabled & tcp) !== 0 && portsThere) type = tcp;
  else if (protocol === protocolUdp && (enabled & udp) !== 0 && portsThere) type = udp;
  else if ((enabled & ip) !== 0) type = ip;
  if (type === 0) return;
  const addresses = six ? 32 : 8;
  const from = network + (six ? 8 : 12);
  input.set(frame.subarray(from, from + addresses));
  const ports = type === ip ? 0 : 4;
  input.set(frame.subarray(transport, transport + ports), addresses);
  result.value = toeplitz(key, input, addresses + ports);
  result.report = 32 - Math.clz32(type);
}

/** The Toeplitz hash: for each bit of the input which is set, the 32 bits of the key which begin at that bit. */
export function toeplitz(key: Uint8Array, bytes: Uint8Array, length: number): number {
  const at = (i: number) => key[i] ?? 0;
  let window = ((at(0) << 24) | (at(1) << 16) | (at(2) << 8) | at(3)) >>> 0;
  let hash = 0;
  for (let i = 0; i < length; i++) {
    const next = at(i + 4);
    for (let bit = 7; bit >= 0; bit--) {
      if ((((bytes[i] as number) >>> bit) & 1) !== 0) hash ^= window;
      window = ((window << 1) | ((next >>> bit) & 1)) >>> 0;
    }
  }
  return hash >>> 0;
}
