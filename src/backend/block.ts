/** Told once when an operation has ended, and whether all of it was done. May be called before the operation's own call returns. */
export type Done = (ok: boolean) => void;

/**
 * A disk as a device is given it: a run of bytes whose length is settled when it is opened.
 *
 * Operations take effect in the order in which they were asked for: a read sees every write asked for before it, whether that has
 * been answered or not. A range outside of the disk, a write to a read-only one and a host error answer false; nothing
 * ever throws. The buffers belong to the backend until it has answered.
 */
export interface BlockBackend {
  /** In bytes. Need not be a multiple of 512; the rest is not shown to the guest. */
  readonly size: number;
  readonly readOnly: boolean;
  /** What the guest may know of it; the first 20 bytes of its ASCII form serve as the serial number. */
  readonly id: string;
  /** Fills all of `into` from `offset` on. */
  read(offset: number, into: Uint8Array, done: Done): void;
  /**
   * Fills all of these from `offset` on, one behind the other, and gives whether all of it was done. Only disks have it of which no operation ever waits: each has
   * ended when its call returns.
   */
  readonly readv?: ((offset: number, into: readonly Uint8Array[]) => boolean) | undefined;
  /** Writes all of `from` at `offset`. */
  write(offset: number, from: Uint8Array, done: Done): void;
  /** Writes all of these at `offset`, one behind the other, where `readv` would fill them. */
  readonly writev?: ((offset: number, from: readonly Uint8Array[]) => boolean) | undefined;
  /** When it answers true, every write answered before it is on stable storage. */
  flush(done: Done): void;
  /** The guest no longer needs this range; it may read as anything until written again. */
  discard(offset: number, length: number, done: Done): void;
  /** The range reads as zeroes from now on. */
  writeZeroes(offset: number, length: number, done: Done): void;
}

/** Whether a range lies on a disk. */
export function isInside(backend: { readonly size: number }, offset: number, length: number): boolean {
  return offset >= 0 && length >= 0 && offset + length <= backend.size;
}

/** How many bytes these are. */
export function lengthOf(views: readonly Uint8Array[]): number {
  let length = 0;
  for (let i = 0; i < views.length; i++) length += (views[i] as Uint8Array).length;
  return length;
}
