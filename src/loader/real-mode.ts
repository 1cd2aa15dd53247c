/*
 * A bzImage laid out for its real-mode entry, as in the sample of the boot protocol (Linux Documentation/arch/x86/boot.rst, "Memory Layout" and "Sample Boot Configuration"): for firmware which
 * only puts what it is given where it is told to, and jumps into the setup. Our own reads the header itself and enters at code32_start.
 */

/** Where the parts of it go, physical addresses. */
export interface RealModePlaces {
  readonly setup: number;
  readonly commandLine: number;
  readonly kernel: number;
  /** 0 without an initrd. */
  readonly initrd: number;
}

const place = { setup: 0x1_0000, commandLine: 0x2_0000, kernel: 0x10_0000 } as const;

/** Left at the end of RAM for the tables of firmware, in bytes. */
const tables = 0x4_0000;

/** Fields of the setup header which a boot loader fills in, and where an initrd may end. */
const field = {
  loader: 0x210,
  loadFlags: 0x211,
  initrd: 0x218,
  initrdSize: 0x21c,
  heapEnd: 0x224,
  commandLine: 0x228,
  initrdMost: 0x22c,
} as const;

const undefinedLoader = 0xff;
const canUseHeap = 0x80;

/**
 * Fills in what a boot loader has to, in a copy of the setup.
 *
 * @param setup of boot protocol 2.03 or later, loaded high. @param initrd its size in bytes, 0 for none. @param memory RAM in bytes.
 */
export function forRealMode(
  setup: Uint8Array,
  initrd: number,
  memory: number,
): { readonly setup: Uint8Array; readonly places: RealModePlaces } {
  const filled = setup.slice();
  const header = new DataView(filled.buffer);
  const end = Math.min(header.getUint32(field.initrdMost, true) + 1, memory - tables);
  const at = initrd === 0 ? 0 : Math.max(0, (end - initrd) & -4096);
  header.setUint8(field.loader, undefinedLoader);
  header.setUint8(field.loadFlags, header.getUint8(field.loadFlags) | canUseHeap);
  // Where heap and stack end counts from the setup, less 0x200.
  header.setUint16(field.heapEnd, place.commandLine - place.setup - 0x200, true);
  header.setUint32(field.commandLine, place.commandLine, true);
  header.setUint32(field.initrd, at, true);
  header.setUint32(field.initrdSize, initrd, true);
  return { setup: filled, places: { ...place, initrd: at } };
}
