import { LoadError } from "./load-error.ts";

/** A Linux kernel in its two parts: the real-mode setup with the boot sector, and what is put at 1 MiB. Views, not copies. */
export interface BzImage {
  readonly setup: Uint8Array;
  readonly kernel: Uint8Array;
  /** The boot protocol, as 0x20f for 2.15. */
  readonly protocol: number;
}

/** Fields of the setup header (Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"). */
const setupSects = 0x1f1;
const bootFlag = 0x1fe;
const magic = 0x202;
const version = 0x206;
const loadFlags = 0x211;

/** Whether these bytes have the boot flag and the header's magic, "HdrS". */
export function isBzImage(bytes: Uint8Array): boolean {
  return (
    bytes.length > loadFlags &&
    bytes[bootFlag] === 0x55 &&
    bytes[bootFlag + 1] === 0xaa &&
    String.fromCharCode(...bytes.subarray(magic, magic + 4)) === "HdrS"
  );
}

/** @throws LoadError for a kernel which is cut short, too old, or loaded low. */
export function readBzImage(bytes: Uint8Array): BzImage {
  if (!isBzImage(bytes)) throw new LoadError("not a bzImage");
  const protocol = (bytes[version] as number) | ((bytes[version + 1] as number) << 8);
  if (protocol < 0x204) throw new LoadError("a Linux kernel of a boot protocol before 2.04");
  if (((bytes[loadFlags] as number) & 1) === 0) throw new LoadError("a Linux zImage, where a bzImage is needed");
  // A count of 0 means 4; the boot sector is not counted.
  const size = ((bytes[setupSects] || 4) + 1) * 512;
  if (size >= bytes.length) throw new LoadError("a bzImage which is cut short");
  return { setup: bytes.subarray(0, size), kernel: bytes.subarray(size), protocol };
}
