import type { GuestMemory } from "../bus/guest-memory.ts";
import { Ram } from "../bus/ram.ts";
import { MachineError } from "./options.ts";
import type { MachineSpec } from "./spec.ts";

/** Flash chips and their windows come in these. */
const granule = 0x1_0000;

/** Where ROM lies, in bytes, and what is in it, up to its end. */
export interface Rom {
  readonly address: number;
  readonly size: number;
  readonly image: Uint8Array;
}

/**
 * Where a machine's ROM lies with this image in it: it ends where the description says, and an image which is larger than the usual ROM has a larger one, as far down as the machine has room.
 *
 * @throws MachineError for an image which is larger than that.
 */
export function romFor({ name, firmware }: MachineSpec, image: Uint8Array): Rom {
  const { address, size, most = size } = firmware;
  if (image.length > most)
    throw new MachineError(`firmware of ${image.length} bytes: machine ${name} has ${most} bytes of ROM at most`);
  const larger = Math.max(size, Math.ceil(image.length / granule) * granule);
  return { address: address + size - larger, size: larger, image };
}

/** The chip. */
export function makeRom(guest: GuestMemory, { size, image }: Rom): Ram {
  const chip = new Ram(guest, "rom", size, false);
  chip.load(size - image.length, image);
  return chip;
}
