import type { GuestWords } from "../../bus/dma.ts";
import type { ExposedDescriptors } from "./exposed.ts";
import type { Report } from "./rules.ts";
import type { RingPosition, Watched } from "./watched.ts";

/** Descriptor flags. Virtio 1.2 section 2.7.5. */
const flag = { next: 1, write: 2, indirect: 4 } as const;
const descriptorSize = 16;
/** Descriptors looked at for one notification. */
const most = 4096;

interface Looked {
  readonly device: Watched;
  readonly words: GuestWords;
  readonly queue: number;
  readonly ring: RingPosition;
  readonly exposed: ExposedDescriptors;
  readonly report: Report;
}

/** Looks at what a driver has made available since the device last took something, without taking it: virtio 1.2 section 2.7. */
export function checkSplitRing(
  device: Watched,
  queue: number,
  ring: RingPosition,
  exposed: ExposedDescriptors,
  report: Report,
): void {
  const { size, driverArea, available } = ring;
  const { dma } = device;
  const words = device.order() === "big" ? dma.be : dma.le;
  if (size === 0 || !dma.reaches(driverArea, 4 + 2 * size)) return;
  const flags = words.u16(driverArea);
  if (flags > (ring.eventIndex ? 0 : 1)) report("flags", `queue ${queue} has flags 0x${flags.toString(16)}`);
  const index = words.u16(driverArea + 2);
  const count = (index - available) & 0xffff;
  if (count > size) {
    report("indexBack", `queue ${queue} has available index ${index}, where the device has taken up to ${available}`);
    return;
  }
  const looked = { device, words, queue, ring, exposed, report };
  exposed.begin(ring.used);
  exposed.check((at) => contents(looked, at), queue, report);
  let left = most;
  for (let n = 0; n < count && left > 0; n++) {
    const head = words.u16(driverArea + 4 + 2 * ((available + n) % size));
    left -= checkChain(looked, head);
  }
}

/** A descriptor of the table, as far as the device looks at it: without NEXT the next one is nobody's business. */
function contents({ words, ring }: Looked, index: number): string {
  const at = ring.descriptorArea + descriptorSize * index;
  const flags = words.u16(at + 12);
  const next = (flags & flag.next) === 0 ? 0 : words.u16(at + 14);
  return `${words.u64(at)} ${words.u32(at + 8)} ${flags} ${next}`;
}

/** Gives how many descriptors were looked at. */
function checkChain(looked: Looked, head: number): number {
  const { device, words, queue, ring, exposed, report } = looked;
  const { size } = ring;
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
    if (!device.dma.reaches(at, descriptorSize)) break;
    if (!inside) exposed.show(index, contents(looked, index));
    const flags = words.u16(at + 12);
    if ((flags & flag.indirect) !== 0) {
      const bytes = words.u32(at + 8);
      const wrong = indirectFault(ring, flags, inside, bytes);
      if (wrong !== undefined) {
        report("indirect", `${where} ${wrong}`);
        break;
      }
      // The descriptor of the table is none of the buffers, and its WRITE flag means nothing.
      inside = true;
      table = words.u64(at);
      entries = bytes / descriptorSize;
      index = 0;
      seen = 0;
      continue;
    }
    length += words.u32(at + 8);
    if ((flags & flag.write) !== 0) writable = true;
    else if (writable)
      report("writableLast", `${where} has a readable buffer at descriptor ${index}, behind a writable one`);
    if ((flags & flag.next) === 0) break;
    const next = words.u16(at + 14);
    if (ring.inOrder && !inside && next < size && next !== (index + 1) % size)
      report("nextInOrder", `${where} goes from descriptor ${index} to ${next}`);
    index = next;
  }
  if (length > 2 ** 32) report("chainLength", `${where} has ${length} bytes`);
  return seen + 1;
}

function indirectFault(ring: RingPosition, flags: number, inside: boolean, bytes: number): string | undefined {
  if (!ring.indirect) return "has INDIRECT, which was not negotiated";
  if (inside) return "has INDIRECT in an indirect table";
  if ((flags & flag.next) !== 0) return "has INDIRECT and NEXT";
  if (bytes === 0 || bytes % descriptorSize !== 0) return `has an indirect table of ${bytes} bytes`;
  return undefined;
}
