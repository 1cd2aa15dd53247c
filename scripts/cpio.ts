// Writes initial RAM disks: cpio archives of the "newc" kind (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).
//
//   node scripts/cpio.ts FOLDER > initrd.cpio.gz
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";

/** A file, a folder or a device of an archive. Everything belongs to root and has no time, so that the same files give the same bytes. */
export interface Entry {
  readonly path: string;
  /** Type and permissions, as stat has them. */
  readonly mode: number;
  readonly bytes?: Uint8Array;
  /** Of a device node. */
  readonly device?: readonly [major: number, minor: number];
}

/** Types of a mode (POSIX sys/stat.h, in their usual numbers). */
export const type = { file: 0o100_000, folder: 0o040_000, character: 0o020_000 } as const;

/** The archive, as Linux unpacks it. Several may follow each other; a later file takes the place of an earlier one. */
export function cpio(entries: readonly Entry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  const put = (bytes: Uint8Array) => {
    // Header with name, and data, are each padded to a multiple of 4.
    const padded = new Uint8Array((bytes.length + 3) & ~3);
    padded.set(bytes);
    parts.push(padded);
    length += padded.length;
  };
  const all: readonly Entry[] = [...entries, { path: "TRAILER!!!", mode: 0 }];
  for (const [i, { path, mode, bytes = new Uint8Array(0), device = [0, 0] }] of all.entries()) {
    const name = new TextEncoder().encode(`${path}\0`);
    // ino, mode, uid, gid, nlink, mtime, filesize, maj, min, rmaj, rmin, namesize, check.
    const fields = [i + 1, mode, 0, 0, 1, 0, bytes.length, 0, 0, ...device, name.length, 0];
    const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
    put(Uint8Array.from([...new TextEncoder().encode(header), ...name]));
    put(bytes);
  }
  const archive = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}

/** What a folder of this machine holds, sorted, and the device nodes without which PID 1 has no console. */
export function folder(root: string): Entry[] {
  const paths = readdirSync(root, { recursive: true, withFileTypes: true })
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
  const entries = paths.map((path): Entry => {
    const status = statSync(join(root, path));
    const permissions = status.mode & 0o777;
    if (status.isDirectory()) return { path, mode: type.folder | permissions };
    return { path, mode: type.file | permissions, bytes: readFileSync(join(root, path)) };
  });
  return [
    ...entries,
    { path: "dev/console", mode: type.character | 0o600, device: [5, 1] },
    { path: "dev/null", mode: type.character | 0o666, device: [1, 3] },
  ];
}

if (import.meta.main) {
  const [root] = process.argv.slice(2);
  if (root === undefined) throw new Error("usage: node scripts/cpio.ts FOLDER > initrd.cpio.gz");
  process.stdout.write(gzipSync(cpio(folder(root)), { level: 9 }));
}
