/** Bytes of one access. An address space splits 8-byte accesses, so that a target sees at most 4. */
export type Width = 1 | 2 | 4;

/**
 * Memory which the CPU may reach without asking: a run of bytes in the guest memory.
 * A target which has one promises that reading it has no side effect.
 */
export interface Backing {
  /** Where the target's byte 0 lies in the guest memory. */
  readonly base: number;
  readonly size: number;
  /** Whether stores may go straight to the bytes too. If not they arrive by `write`. */
  readonly writable: boolean;
}

/**
 * Anything a bus can reach: a chip's registers, RAM, a PCI window.
 *
 * Offsets start at the target's own first byte. A value is the little-endian reading of the bytes in
 * address order, whatever the guest's byte order is: byte `offset + i` is `(value >>> 8 * i) & 0xff`.
 * Values are unsigned. A target never throws for what a guest does.
 */
export interface BusTarget {
  read(offset: number, width: Width): number;
  write(offset: number, width: Width, value: number): void;
  readonly backing?: Backing;
  /** Present on targets that take message-signalled interrupts: the LAPIC range, the MPIC's MSIIR. `data` is little-endian. */
  message?(offset: number, data: number): void;
}

/** What a read gives where nothing answers: all ones, as an undriven bus with pull-ups. */
export function allOnes(width: Width): number {
  return width === 4 ? 0xffff_ffff : width === 2 ? 0xffff : 0xff;
}

/** A target with its registers in big-endian byte order, as those of the MPIC are. */
export function bigEndian(target: BusTarget): BusTarget {
  return {
    read: (offset, width) => swapBytes(target.read(offset, width), width),
    write: (offset, width, value) => target.write(offset, width, swapBytes(value, width)),
    ...(target.message && { message: (offset: number, data: number) => target.message?.(offset, swapBytes(data, 4)) }),
  };
}

/** The value with its bytes in the other order. */
export function swapBytes(value: number, width: Width): number {
  if (width === 1) return value;
  if (width === 2) return ((value & 0xff) << 8) | ((value >>> 8) & 0xff);
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
