import type { BlockBackend } from "../../../backend/block.ts";
import { DeviceConfig } from "../../config.ts";
import { bit, type Features } from "../../features.ts";

/** Feature bits of a block device (virtio 1.2 section 5.2.3). */
export const blkFeature = {
  segMax: bit(2),
  geometry: bit(4),
  readOnly: bit(5),
  blkSize: bit(6),
  flush: bit(9),
  topology: bit(10),
  configWce: bit(11),
  discard: bit(13),
  writeZeroes: bit(14),
} as const;

/** A sector of this interface, whatever the disk's blocks are. */
export const sectorSize = 512;
/** Buffers of data in a request: one of 256 entries has a header and a status beside them. */
const maxSegments = 254;
/** A request with more data than this moves it in pieces: there is no limit to what a request may ask for. */
export const pieceBytes = 16 * 1024 * 1024;
/** The geometry of disks which have none: what ATA drives of more than 8 GB say, fewer cylinders where the disk is smaller. */
const heads = 16;
const trackSectors = 63;
const maxCylinders = 16383;
/** Ranges in one discard or write-zeroes request, and the sectors of each: 32 MiB at most. */
export const maxRanges = 4;
export const maxRangeSectors = 16384;

/** What a device over this disk offers. A read-only one offers nothing that writes. */
export function blkFeatures(disk: BlockBackend): Features {
  const common = blkFeature.segMax | blkFeature.geometry | blkFeature.blkSize | blkFeature.flush | blkFeature.topology;
  if (disk.readOnly) return common | blkFeature.readOnly;
  return common | blkFeature.configWce | blkFeature.discard | blkFeature.writeZeroes;
}

/** The configuration layout (virtio 1.2 section 5.2.4), up to what the features above show. */
export function blkConfig(name: string, capacity: number, queueSize: number): DeviceConfig {
  const cylinders = Math.min(maxCylinders, Math.max(2, Math.floor(capacity / (heads * trackSectors))));
  return new DeviceConfig(name, 60, [
    { name: "capacity", at: 0, width: 8, value: capacity },
    { name: "size_max", at: 8, width: 4 },
    { name: "seg_max", at: 12, width: 4, value: Math.max(1, Math.min(maxSegments, queueSize - 2)) },
    { name: "cylinders", at: 16, width: 2, value: cylinders },
    { name: "heads", at: 18, width: 1, value: heads },
    { name: "sectors", at: 19, width: 1, value: trackSectors },
    { name: "blk_size", at: 20, width: 4, value: sectorSize },
    { name: "physical_block_exp", at: 24, width: 1 },
    { name: "alignment_offset", at: 25, width: 1 },
    { name: "min_io_size", at: 26, width: 2, value: 1 },
    { name: "opt_io_size", at: 28, width: 4 },
    { name: "writeback", at: 32, width: 1, value: 1, access: "rw" },
    { name: "num_queues", at: 34, width: 2, value: 1 },
    { name: "max_discard_sectors", at: 36, width: 4, value: maxRangeSectors },
    { name: "max_discard_seg", at: 40, width: 4, value: maxRanges },
    { name: "discard_sector_alignment", at: 44, width: 4, value: 1 },
    { name: "max_write_zeroes_sectors", at: 48, width: 4, value: maxRangeSectors },
    { name: "max_write_zeroes_seg", at: 52, width: 4, value: maxRanges },
    { name: "write_zeroes_may_unmap", at: 56, width: 1, value: 1 },
  ]);
}
