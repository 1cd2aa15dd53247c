import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { cpio, type } from "../../scripts/cpio.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Where images may be: where one says, where `npm run guests:linux` puts them, beside the tree. */
export const places = [
  ...(process.env.BARZERO_IMAGES === undefined ? [] : [process.env.BARZERO_IMAGES]),
  join(root, "guest/linux/images"),
  join(root, "../shared/images"),
] as const;

/** A kernel with the initramfs that goes with it. */
export interface Guest {
  readonly name: string;
  readonly machine: "pc" | "ppce500";
  readonly kernel: string;
  readonly initrd: string;
}

const kinds = {
  pc: { machine: "pc", kernel: "pc/vmlinuz", initrd: "pc/initrd-devices.cpio.gz" },
  "pc-pae": { machine: "pc", kernel: "pc-pae/vmlinuz", initrd: "pc-pae/initrd-devices.cpio.gz" },
  ppce500: { machine: "ppce500", kernel: "ppce500/vmlinux", initrd: "ppce500/initrd.cpio.gz" },
  "ppce500-smp": { machine: "ppce500", kernel: "ppce500/vmlinux-smp", initrd: "ppce500/initrd.cpio.gz" },
} as const;

export type GuestName = keyof typeof kinds;
export const guestNames = Object.keys(kinds) as GuestName[];

/** The first place's guest of this name, or undefined where there is none: the test is skipped then. */
export function find(name: GuestName): Guest | undefined {
  const { machine, kernel, initrd } = kinds[name];
  for (const place of places) {
    const guest = { name, machine, kernel: join(place, kernel), initrd: join(place, initrd) };
    if (existsSync(guest.kernel) && existsSync(guest.initrd)) return guest;
  }
  return undefined;
}

/** The end of what another machine's guest of this kind has printed, where images have it; then their own init is what prints it. */
export function findAcceptance(name: "pc" | "ppce500"): (Guest & { readonly tail: string }) | undefined {
  const { machine, kernel, initrd } = kinds[name];
  for (const place of places) {
    const guest = { name, machine, kernel: join(place, kernel), initrd: join(place, initrd) };
    const tail = join(place, name, "expected-tail.txt");
    if (existsSync(guest.kernel) && existsSync(guest.initrd) && existsSync(tail)) return { ...guest, tail };
  }
  return undefined;
}

/** The guest's initramfs with our own init on top of it, and with more files. */
export function initrdOf(guest: Guest, files: Readonly<Record<string, string>> = {}): Uint8Array {
  const init = readFileSync(join(root, "guest/linux/init"));
  const more = Object.entries(files).map(([path, text]) => ({
    path,
    mode: type.file | 0o755,
    bytes: new TextEncoder().encode(text),
  }));
  const ours = gzipSync(cpio([{ path: "init", mode: type.file | 0o755, bytes: init }, ...more]));
  // Archives follow each other; the second begins at a multiple of 4.
  const first = readFileSync(guest.initrd);
  const at = (first.length + 3) & ~3;
  const joined = new Uint8Array(at + ours.length);
  joined.set(first);
  joined.set(ours, at);
  return joined;
}
