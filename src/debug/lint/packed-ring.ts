import type { Dma } from "../../bus/dma.ts";
import type { ExposedDescriptors } from "./exposed.ts";
import type { Report } from "./rules.ts";
import type { RingPosition } from "./watched.ts";

/** Descriptor flags. Virtio 1.2 sections 2.8.1 to 2.8.7. */
const flag = { next: 1, write: 2, indirect: 4, available: 0x80, used: 0x8000 } as const;
const descriptorSize = 16;

/** Where a driver will put its next descriptor. */
export interface Next {
  readonly offset: number;
  readonly wrap: number;
}

/**
 * Looks at the lists which a driver has made available since the device last took one: virtio 1.2 section 2.8. Gives where the driver is behind
 * them, or undefined where that cannot be told.
 */
export function checkPackedRing(
  dma: Dma,
  queue: number,
  ring: RingPosition,
  exposed: ExposedDescriptors,
  report: Report,
): Next | undefined {
  const { size, descriptorArea, driverArea } = ring;
  if (size === 0 || !dma.reaches(descriptorArea, descriptorSize * size) || !dma.reaches(driverArea, 4))
    return undefined;
  const kind = dma.le.u16(driverArea + 2);
  if (kind > (ring.eventIndex ? 2 : 1)) report("packedEvents", `queue ${queue} has event flags ${kind}`);
  const contents = (index: number) => {
    const at = descriptorArea + descriptorSize * index;
    return `${dma.le.u64(at)} ${dma.le.u32(at + 8)} ${dma.le.u32(at + 12)}`;
  };
  exposed.begin(ring.used);
  exposed.check(contents, queue, report);
  let offset = ring.available;
  let wrap = ring.availableWrap;
  let left = size;
  const step = () => {
    exposed.show(offset, contents(offset));
    left--;
    offset++;
    if (offset < size) return;
    offset = 0;
    wrap ^= 1;
  };
  const flagsAt = () => dma.le.u16(descriptorArea + descriptorSize * offset + 14);
  while (left > 0 && isAvailable(flagsAt(), wrap)) {
    const where = `queue ${queue}, the list at ${offset}`;
    let writable = false;
    for (let first = true; ; first = false) {
      const at = descriptorArea + descriptorSize * offset;
      const flags = flagsAt();
      if (!first && !isAvailable(flags, wrap)) {
        report("packedMarks", `${where} goes on at ${offset}, which is not available`);
        return undefined;
      }
      const more = (flags & flag.next) !== 0;
      if ((flags & flag.indirect) !== 0) checkTable(dma, ring, at, where, first && !more, report);
      else if ((flags & flag.write) !== 0) writable = true;
      else if (writable)
        report("packedWritableLast", `${where} has a readable buffer at ${offset}, behind a writable one`);
      step();
      if (!more) break;
      if (left === 0) {
        report("packedList", `${where} has no end`);
        return undefined;
      }
    }
  }
  return { offset, wrap };
}

function checkTable(dma: Dma, ring: RingPosition, at: number, where: string, alone: boolean, report: Report): void {
  const bytes = dma.le.u32(at + 8);
  const table = dma.le.u64(at);
  const entries = bytes / descriptorSize;
  let wrong: string | undefined;
  if (!ring.indirect) wrong = "has INDIRECT, which was not negotiated";
  else if (!alone) wrong = "has INDIRECT among others";
  else if (bytes === 0 || !Number.isInteger(entries) || entries > ring.size) wrong = `has a table of ${bytes} bytes`;
  if (wrong !== undefined) {
    report("packedIndirect", `${where} ${wrong}`);
    return;
  }
  if (!dma.reaches(table, bytes)) return;
  let writable = false;
  for (let i = 0; i < entries; i++) {
    const writes = (dma.le.u16(table + descriptorSize * i + 14) & flag.write) !== 0;
    if (writable && !writes) report("packedWritableLast", `${where} has a readable buffer at entry ${i} of its table`);
    writable ||= writes;
  }
}

/** Section 2.8.1. */
function isAvailable(flags: number, wrap: number): boolean {
  return ((flags & flag.available) !== 0) === (wrap === 1) && ((flags & flag.used) !== 0) !== (wrap === 1);
}
