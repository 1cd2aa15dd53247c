/**
 * A device's way to memory: through the host bridge it hangs on, and no other.
 *
 * The bridge gates it by the function's bus-master bit and translates it (the ATMU of ppce500). It reaches RAM only:
 * where any byte of a range is not RAM, nothing is copied and the answer is false. The order of bytes is not
 * touched; `u16` and the rest read little-endian, `be` is the same view for a big-endian layout.
 */
export interface Dma {
  /** Copies from the guest. False, and nothing copied, where a byte of the range is not RAM. */
  read(address: number, into: Uint8Array): boolean;
  /** Copies to the guest. False, and nothing copied, where a byte of the range is not RAM. */
  write(address: number, from: Uint8Array): boolean;
  /**
   * Puts the RAM of a range itself into `views`, in as many pieces as it lies in. False, and what was put there is nothing to use, where a byte of it is not RAM.
   *
   * It is lent until the caller returns, while the guest stands still and the bridge is as it is. What is lent to be filled counts as written.
   */
  lend(address: number, length: number, views: Uint8Array[], use: Lent): boolean;
  /** Whether the whole range is RAM which this device may reach now. */
  reaches(address: number, length: number): boolean;
  readonly le: GuestWords;
  readonly be: GuestWords;
}

/** What RAM is lent for. */
export type Lent = "to-read" | "to-fill";

/** Words of guest RAM in one byte order. Reads give -1 and writes false where there is no RAM. */
export interface GuestWords {
  u16(address: number): number;
  u32(address: number): number;
  /** A 64-bit word as a number; what a double cannot hold exactly is not an address anybody has. -1 where there is no RAM. */
  u64(address: number): number;
  setU16(address: number, value: number): boolean;
  setU32(address: number, value: number): boolean;
}

/**
 * A message-signalled interrupt on its way: a 4-byte little-endian memory write through the bridge
 * (PCI 3.0 section 6.8). It reaches RAM or a target that takes messages; anything else is dropped and counted.
 */
export interface MessageSink {
  message(address: number, data: number): void;
}
