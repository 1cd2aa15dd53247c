import type { Dma } from "../../bus/dma.ts";
import type { Report } from "./rules.ts";

/** Descriptor flags. Virtio 1.2 section 2.7.5. */
const flag = { next: 1, write: 2, indirect: 4 } as const;
const descriptorSize = 16;
/** Descriptors looked at for one notification. */
const most = 4096;

/** A ring as its driver said it is. */
export interface RingSeen {
  readonly queue: number;
  readonly size: number;
  readonly descriptorArea: number;
  readonly driverArea: number;
  readonly indirect: boolean;
  readonly eventIndex: boolean;
}

/** Looks at what a driver has made available since the device last took something, without taking it: virtio 1.2 section 2.7. */
export function checkSplitRing(ring: RingSeen, consumed: number, dma: Dma, report: Report): void {
  const { queue, size, driverArea } = ring;
  if (size === 0 || !dma.reaches(driverArea, 4 + 2 * size)) return;
  const flags = dma.le.u16(driverArea);
  if (flags > (ring.eventIndex ? 0 : 1)) report("flags", `queue ${queue} has flags 0x${flags.toString(16)}`);
  const index = dma.le.u16(driverArea + 2);
  const count = (index - consumed) & 0xffff;
  if (count > size) {
    report("indexBack", `queue ${queue} has available index ${index}, where the device has taken up to ${consumed}`);
    return;
  }
  let left = most;
  for (let n = 0; n < count && left > 0; n++) {
    const head = dma.le.u16(driverArea + 4 + 2 * ((consumed + n) % size));
    left -= checkChain(ring, head, dma, report);
  }
}

/** Gives how many descriptors were looked at. */
function checkChain(ring: RingSeen, head: number, dma: Dma, report: Report): number {
  const { queue, size } = ring;
  const where = `queue ${queue}, chain ${head}`;
  let table = ring.descriptorArea;
  let entries = size;
  let inside = false;
  let writable = false;
  let length = 0;
  let seen = 0;
  for (let index = head; ; ) {
    if (index >= entries || ++seen > size + 1) {
      report("chain", `${where} ${index >= entries ? `goes to descriptor ${index} of ${entries}` : "has no end"}`);
      break;
    }
    const at = table + index * descriptorSize;
    if (!dma.reaches(at, descriptorSize)) break;
    const flags = dma.le.u16(at + 12);
    if ((flags & flag.indirect) !== 0) {
      const bytes = dma.le.u32(at + 8);
      const wrong = indirectFault(ring, flags, inside, bytes);
      if (wrong !== undefined) {
        report("indirect", `${where} ${wrong}`);
        break;
      }
      // The descriptor of the table is none of the buffers, and its WRITE flag means nothing.
      inside = true;
      table = dma.le.u64(at);
      entries = bytes / descriptorSize;
      index = 0;
      seen = 0;
      continue;
    }
    length += dma.le.u32(at + 8);
    if ((flags & flag.write) !== 0) writable = true;
    else if (writable)
      report("writableLast", `${where} has a readable buffer at descriptor ${index}, behind a writable one`);
    if ((flags & flag.next) === 0) break;
    index = dma.le.u16(at + 14);
  }
  if (length > 2 ** 32) report("chainLength", `${where} has ${length} bytes`);
  return seen + 1;
}

function indirectFault(ring: RingSeen, flags: number, inside: boolean, bytes: number): string | undefined {
  if (!ring.indirect) return "has INDIRECT, which was not negotiated";
  if (inside) return "has INDIRECT in an indirect table";
  if ((flags & flag.next) !== 0) return "has INDIRECT and NEXT";
  if (bytes === 0 || bytes % descriptorSize !== 0) return `has an indirect table of ${bytes} bytes`;
  return undefined;
}
