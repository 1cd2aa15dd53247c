import type { ByteOrder, Ring } from "../../queue/virt-queue.ts";
import { queuePage } from "./registers.ts";

/** Where the parts of a legacy ring are, one after the other from a page on (virtio 1.2 section 2.7.2). */
export function legacyRing(page: number, size: number, order: ByteOrder): Ring {
  const descriptorArea = page * queuePage;
  const driverArea = descriptorArea + 16 * size;
  // Flags, index, the ring and used_event; then the next page.
  const deviceArea = Math.ceil((driverArea + 2 * (3 + size)) / queuePage) * queuePage;
  return { size, descriptorArea, driverArea, deviceArea, order };
}
