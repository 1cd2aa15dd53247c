import type { BusTarget } from "../bus/target.ts";

/**
 * Registers of an 8-bit chip. The bridge splits a wider access into bytes in address order, as PIIX does on ISA
 * (82371SB data sheet section 3). Bytes past the last register read 0xff and write nothing.
 */
export function byteWide(
  size: number,
  read: (offset: number) => number,
  write: (offset: number, byte: number) => void,
): BusTarget {
  return {
    read(offset, width) {
      let value = 0;
      for (let i = 0; i < width; i++) value |= (offset + i < size ? read(offset + i) : 0xff) << (8 * i);
      return value >>> 0;
    },
    write(offset, width, value) {
      for (let i = 0; i < width && offset + i < size; i++) write(offset + i, (value >>> (8 * i)) & 0xff);
    },
  };
}
