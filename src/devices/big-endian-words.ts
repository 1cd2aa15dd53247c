import { type BusTarget, swapBytes } from "../bus/target.ts";
import type { Channel } from "../trace/trace.ts";

/**
 * The 32-bit registers of a big-endian chip: `read` and `write` see the values which the manual has, at offsets
 * that are multiples of 4. A narrower read sees its bytes of the word; a narrower write is no access of
 * these chips, and is ignored and reported.
 */
export function bigEndianWords(
  name: string,
  trace: Channel,
  read: (offset: number) => number,
  write: (offset: number, value: number) => void,
): BusTarget {
  return {
    read(offset, width) {
      const bytes = swapBytes(read(offset & ~3), 4) >>> (8 * (offset & 3));
      return width === 4 ? bytes : bytes & (width === 2 ? 0xffff : 0xff);
    },
    write(offset, width, value) {
      if (width === 4 && (offset & 3) === 0) write(offset, swapBytes(value, 4));
      else
        trace.once(
          `${name} ${offset} ${width}`,
          `${name}: write of ${width} bytes at 0x${offset.toString(16)} ignored`,
        );
    },
  };
}
