import type { Features } from "../../features.ts";
import type { Chain } from "../../queue/chain.ts";
import type { ByteOrder } from "../../queue/virt-queue.ts";
import { blkFeature, maxRangeSectors, maxRanges, sectorSize } from "./config.ts";

/** Request types (virtio 1.2 section 5.2.6). */
export const requestType = { in: 0, out: 1, flush: 4, getId: 8, discard: 11, writeZeroes: 13 } as const;

/** The status byte (section 5.2.6). */
export const blkStatus = { ok: 0, ioError: 1, unsupported: 2 } as const;

export const headerBytes = 16;
/** What GET_ID gives. */
export const idBytes = 20;
const rangeBytes = 16;
/** The only flag of a range: unmap. */
const unmap = 1;

/** A run of bytes of the disk. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** What a request asks for, checked: `refuse` carries the status byte. */
export type Command =
  | { readonly kind: "read" | "write"; readonly offset: number; readonly length: number }
  | { readonly kind: "flush" }
  | { readonly kind: "id" }
  | { readonly kind: "discard" | "zero"; readonly ranges: readonly Range[]; readonly length: number }
  | { readonly kind: "refuse"; readonly status: number; readonly why: string };

/** What requests are checked against. */
export interface Limits {
  /** Sectors. */
  readonly capacity: number;
  readonly readOnly: boolean;
  readonly features: Features;
  readonly order: ByteOrder;
}

const header = new Uint8Array(headerBytes);
const ranges = new Uint8Array(rangeBytes * maxRanges);

/**
 * Reads a request's header and checks it (virtio 1.2 section 5.2.6.2). The last writable byte is the status: all others are data. Nothing
 * but I/O errors is left to happen after this.
 */
export function parse(chain: Chain, limits: Limits): Command {
  if (!chain.read(0, header)) return refuse(blkStatus.ioError, "no header in RAM");
  const little = limits.order === "little";
  const fields = new DataView(header.buffer);
  const type = fields.getUint32(0, little);
  const sector = sectorAt(fields, 8, little);
  const toRead = chain.writableLength - 1;
  const toWrite = chain.readableLength - headerBytes;
  switch (type) {
    case requestType.in:
      return transfer("read", sector, toRead, limits);
    case requestType.out:
      return limits.readOnly ? readOnly : transfer("write", sector, toWrite, limits);
    case requestType.flush:
      return sector === 0 ? { kind: "flush" } : refuse(blkStatus.ioError, "flush of a sector");
    case requestType.getId:
      return toRead === idBytes ? { kind: "id" } : refuse(blkStatus.ioError, `${toRead} bytes for the ID`);
    case requestType.discard:
      if (limits.readOnly) return readOnly;
      if ((limits.features & blkFeature.discard) === 0n) return unknown(type);
      return runs("discard", chain, toWrite, limits);
    case requestType.writeZeroes:
      if (limits.readOnly) return readOnly;
      if ((limits.features & blkFeature.writeZeroes) === 0n) return unknown(type);
      return runs("zero", chain, toWrite, limits);
    default:
      return unknown(type);
  }
}

function transfer(kind: "read" | "write", sector: number, length: number, limits: Limits): Command {
  if (length % sectorSize !== 0) return refuse(blkStatus.ioError, `${length} bytes are no sectors`);
  // A sector number beyond 2 ** 53 has lost its low bits here, and is outside whatever they were.
  if (sector + length / sectorSize > limits.capacity) return refuse(blkStatus.ioError, `sector ${sector} is outside`);
  return { kind, offset: sector * sectorSize, length };
}

/** The ranges of a discard or write-zeroes request (virtio 1.2 section 5.2.6.2, the paragraphs on their segments). */
function runs(kind: "discard" | "zero", chain: Chain, length: number, limits: Limits): Command {
  if (length === 0 || length % rangeBytes !== 0) return refuse(blkStatus.ioError, `${length} bytes are no ranges`);
  const count = length / rangeBytes;
  if (count > maxRanges) return refuse(blkStatus.ioError, `${count} ranges`);
  if (!chain.read(headerBytes, ranges.subarray(0, length))) return refuse(blkStatus.ioError, "ranges outside of RAM");
  const fields = new DataView(ranges.buffer);
  const little = limits.order === "little";
  const found: Range[] = [];
  let total = 0;
  for (let at = 0; at < length; at += rangeBytes) {
    const sector = sectorAt(fields, at, little);
    const sectors = fields.getUint32(at + 8, little);
    const flags = fields.getUint32(at + 12, little);
    if ((flags & ~(kind === "zero" ? unmap : 0)) !== 0)
      return refuse(blkStatus.unsupported, `flags 0x${flags.toString(16)}`);
    if (sectors > maxRangeSectors) return refuse(blkStatus.ioError, `a range of ${sectors} sectors`);
    if (sector + sectors > limits.capacity) return refuse(blkStatus.ioError, `sector ${sector} is outside`);
    found.push({ offset: sector * sectorSize, length: sectors * sectorSize });
    total += sectors * sectorSize;
  }
  return { kind, ranges: found, length: total };
}

/** How many bytes of the disk a command is about. */
export function bytesOf(command: Command): number {
  return "length" in command ? command.length : 0;
}

/** For the trace. */
export function describe(command: Command): string {
  switch (command.kind) {
    case "read":
    case "write":
      return `${command.kind} of ${command.length} bytes at sector ${command.offset / sectorSize}`;
    case "discard":
    case "zero":
      return `${command.kind} of ${command.ranges.length} ranges, ${command.length} bytes`;
    case "refuse":
      return `refused, ${command.why}`;
    default:
      return command.kind;
  }
}

const readOnly = refuse(blkStatus.ioError, "the disk is read-only");

function unknown(type: number): Command {
  return refuse(blkStatus.unsupported, `request type ${type}`);
}

function refuse(status: number, why: string): Command {
  return { kind: "refuse", status, why };
}

function sectorAt(fields: DataView, at: number, little: boolean): number {
  const first = fields.getUint32(at, little);
  const second = fields.getUint32(at + 4, little);
  return little ? second * 2 ** 32 + first : first * 2 ** 32 + second;
}
