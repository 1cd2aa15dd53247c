import { bit, type Features } from "../../features.ts";

/** Feature bits of a network device (virtio 1.2 section 5.1.3; the last one virtio 1.4). */
export const netFeature = {
  checksum: bit(0),
  guestChecksum: bit(1),
  mtu: bit(3),
  mac: bit(5),
  mergeable: bit(15),
  status: bit(16),
  controlQueue: bit(17),
  controlReceive: bit(18),
  controlReceiveExtra: bit(20),
  controlMac: bit(23),
  hashReport: bit(57),
  receiveScaling: bit(60),
  /** OUT_NET_HEADER: the header says where the packet's network header begins. The one beyond 63 which stands on its own. */
  outerHeader: bit(69),
} as const;

export const netFeatures: Features = Object.values(netFeature).reduce((all, one) => all | one);

/** Those which make no sense without the control queue (section 5.1.3.1). */
const needControlQueue =
  netFeature.controlReceive |
  netFeature.controlReceiveExtra |
  netFeature.controlMac |
  netFeature.hashReport |
  netFeature.receiveScaling;

export function goTogether(features: Features): boolean {
  return (features & needControlQueue) === 0n || (features & netFeature.controlQueue) !== 0n;
}
