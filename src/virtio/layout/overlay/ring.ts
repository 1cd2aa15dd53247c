import type { ByteOrder, Ring } from "../../queue/virt-queue.ts";
import { leastUnit } from "./registers.ts";

/** Page numbers from here on are refused: no bus address of 64 bits has one, and below it all of them are exact. */
const endOfPages = 2 ** 52;

/**
 * Where the parts of a ring are, one after the other as in virtio 1.2 section 2.7.2, with `align` for its 4096: the used ring
 * starts on a multiple of it, and page numbers count units of it or of 16 bytes (D14). Undefined for an address that cannot be (D12).
 */
export function overlayRing(
  pageHigh: number,
  pageLow: number,
  size: number,
  align: number,
  order: ByteOrder,
): Ring | undefined {
  const page = pageHigh * 2 ** 32 + pageLow;
  if (page >= endOfPages) return undefined;
  const descriptorArea = page * Math.max(align, leastUnit);
  const driverArea = descriptorArea + 16 * size;
  // Flags, index, the ring and used_event; then the next multiple.
  const deviceArea = Math.ceil((driverArea + 2 * (3 + size)) / align) * align;
  return { size, descriptorArea, driverArea, deviceArea, order };
}
