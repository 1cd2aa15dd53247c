import type { BlockBackend, Done } from "../../../backend/block.ts";
import { type Command, idBytes, type Range } from "./request.ts";

/**
 * Gives a command to the disk. `buffers` are what a write takes and a read fills, from `moved` bytes on: several only where the disk takes several.
 *
 * Without a cache that the driver can flush, a change is stable when it ends (virtio 1.2 section 5.2.6.2).
 */
export function perform(
  disk: BlockBackend,
  command: Command,
  moved: number,
  buffers: readonly Uint8Array[],
  cached: boolean,
  done: Done,
): void {
  const changed: Done = cached ? done : (ok) => (ok ? disk.flush(done) : done(false));
  switch (command.kind) {
    case "read":
      if (disk.readv !== undefined) done(disk.readv(command.offset + moved, buffers));
      else disk.read(command.offset + moved, buffers[0] as Uint8Array, done);
      break;
    case "write":
      if (disk.writev !== undefined) changed(disk.writev(command.offset + moved, buffers));
      else disk.write(command.offset + moved, buffers[0] as Uint8Array, changed);
      break;
    case "discard":
      each(command.ranges, (range, next) => disk.discard(range.offset, range.length, next), changed);
      break;
    case "zero":
      each(command.ranges, (range, next) => disk.writeZeroes(range.offset, range.length, next), changed);
      break;
    case "flush":
      disk.flush(done);
      break;
    default:
      // The ID and refusals need no disk.
      done(true);
  }
}

/** The serial number made of a disk's name: printable ASCII, cut or filled up with zeroes. */
export function serialNumber(name: string): Uint8Array {
  const serial = new Uint8Array(idBytes);
  for (let i = 0; i < Math.min(idBytes, name.length); i++) {
    const code = name.charCodeAt(i);
    serial[i] = code >= 0x20 && code < 0x7f ? code : 0x5f;
  }
  return serial;
}

/** Runs an operation for each range, one after the other, until one fails. */
function each(ranges: readonly Range[], operation: (range: Range, next: Done) => void, done: Done): void {
  const step = (i: number) => {
    const range = ranges[i];
    if (range === undefined) done(true);
    else operation(range, (ok) => (ok ? step(i + 1) : done(false)));
  };
  step(0);
}
