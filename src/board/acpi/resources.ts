import { Bytes } from "../bytes.ts";
import { type Aml, buffer } from "./aml.ts";

/** A resource template: its descriptors and the end tag (ACPI 6.4 section 6.4). */
export function resources(...descriptors: readonly Aml[]): Aml {
  return buffer([...descriptors.flat(), 0x79, 0]);
}

/** I/O ports at a fixed place, decoded on all 16 bits (6.4.2.5). */
export function ports(base: number, length: number): Aml {
  return [...new Bytes().u8(0x47, 1).u16(base).u16(base).u8(1, length).done()];
}

/** An ISA interrupt: edge, active high, not shared (6.4.2.1). */
export function isaIrq(irq: number): Aml {
  return [
    ...new Bytes()
      .u8(0x22)
      .u16(1 << irq)
      .done(),
  ];
}

/** Interrupts which a PCI route may lead to: level, active high, shared (6.4.3.6). The first number stands at byte 5. */
export function sharedInterrupts(...irqs: readonly number[]): Aml {
  const bytes = new Bytes()
    .u8(0x89)
    .u16(2 + 4 * irqs.length)
    .u8(0b1001, irqs.length);
  for (const irq of irqs) bytes.u32(irq);
  return [...bytes.done()];
}

/** Resource types of an address space descriptor. */
const memoryType = 0;
const portType = 1;
const busType = 2;
/** General flags: the range is fixed at both ends, positively decoded, and handed on by the bridge (6.4.3.5). */
const fixedProducer = 0x0c;

/** The buses behind a bridge. */
export function buses(first: number, last: number): Aml {
  return wordSpace(busType, 0, first, last);
}

/** A range of ports which a bridge hands on. */
export function portWindow(first: number, last: number): Aml {
  return wordSpace(portType, 3, first, last);
}

function wordSpace(type: number, typeFlags: number, first: number, last: number): Aml {
  const bytes = new Bytes().u8(0x88).u16(13).u8(type, fixedProducer, typeFlags);
  return [
    ...bytes
      .u16(0)
      .u16(first)
      .u16(last)
      .u16(0)
      .u16(last - first + 1)
      .done(),
  ];
}

/** A range of memory which a bridge hands on: read-write and not cacheable. Above 4 GiB it takes 64-bit fields. */
export function memoryWindow(base: number, size: number): Aml {
  const last = base + size - 1;
  if (last <= 0xffff_ffff) {
    const bytes = new Bytes().u8(0x87).u16(23).u8(memoryType, fixedProducer, 1);
    return [...bytes.u32(0).u32(base).u32(last).u32(0).u32(size).done()];
  }
  const bytes = new Bytes().u8(0x8a).u16(43).u8(memoryType, fixedProducer, 1);
  return [...bytes.u64(0).u64(base).u64(last).u64(0).u64(size).done()];
}
