import { type Features, feature } from "../../features.ts";
import { netFeature } from "./features.ts";

/**
 * struct virtio_net_hdr (virtio 1.2 section 5.1.6, virtio 1.4 for the last field): where its fields are. All versions of it
 * are beginnings of the longest, so that only its length depends on what was negotiated.
 */
export const headerAt = {
  flags: 0,
  gsoType: 1,
  headerLength: 2,
  gsoSize: 4,
  checksumStart: 6,
  checksumOffset: 8,
  bufferCount: 10,
  hashValue: 12,
  hashReport: 16,
  outerNetworkHeader: 24,
} as const;

export const headerFlag = { needsChecksum: 1, dataValid: 2 } as const;
export const gsoNone = 0;
export const longestHeader = 32;

/** Bytes of the header in both directions: 10 for a legacy driver without mergeable buffers, which has no num_buffers (section 5.1.6.1). */
export function headerSize(features: Features): number {
  const has = (bits: Features) => (features & bits) !== 0n;
  if (has(netFeature.outerHeader)) return longestHeader;
  if (has(netFeature.hashReport)) return 20;
  return has(feature.version1) || has(netFeature.mergeable) ? 12 : 10;
}
