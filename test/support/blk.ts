import type { ByteOrder } from "../../src/virtio/queue/virt-queue.ts";

/** A block request's header (virtio 1.2 section 5.2.6): type, 4 reserved bytes, sector. */
export function blkHeader(type: number, sector: number | bigint, order: ByteOrder = "little"): Uint8Array {
  const bytes = new Uint8Array(16);
  const fields = new DataView(bytes.buffer);
  fields.setUint32(0, type, order === "little");
  fields.setBigUint64(8, BigInt(sector), order === "little");
  return bytes;
}
