import { legacyBar } from "../../virtio/layout/legacy/registers.ts";
import { modernBar } from "../../virtio/layout/modern/registers.ts";
import { overlayBar } from "../../virtio/layout/overlay/registers.ts";
import type { Specimen } from "./specimen.ts";

/** What a driver wants of a ring. */
export interface Wish {
  /** Bus address, a multiple of 65536. */
  readonly address: number;
  /** Entries, where the driver may say. */
  readonly size: number;
  /** Alignment of the used ring, where the driver may say. */
  readonly align?: number;
  /** Bytes by which the parts are put apart from where they would follow each other, where the driver may say. */
  readonly apart?: number;
}

/** How a driver of a layout does what every driver does, by its registers. */
export interface Reach {
  /** Reset, and whatever must be said before anything else counts. */
  begin(specimen: Specimen): void;
  /** Shows a word of what is offered; undefined for a layout which has no further ones. */
  offered(specimen: Specimen, word: number): number | undefined;
  accept(specimen: Specimen, word: number, value: number): void;
  /** Asks the device whether it agrees to all that was accepted; false where nothing answers that question. */
  agreed(specimen: Specimen): boolean;
  /** Places the first queue as near to the wish as the layout lets it. */
  place(specimen: Specimen, wish: Wish): void;
}

const low = (address: number) => address % 2 ** 32;
const high = (address: number) => Math.floor(address / 2 ** 32);
const featuresOk = 11;

export const legacyReach: Reach = {
  begin: (specimen) => specimen.write(legacyBar, 18, 1, 0),
  offered: (specimen, word) => (word === 0 ? specimen.read(legacyBar, 0, 4) : undefined),
  accept(specimen, word, value) {
    if (word === 0) specimen.write(legacyBar, 4, 4, value);
  },
  agreed: (specimen) => says(specimen, legacyBar, 18),
  place: (specimen, { address }) => specimen.write(legacyBar, 8, 4, Math.min(Math.floor(address / 4096), 2 ** 32 - 1)),
};

/** By BAR1; BAR0 is the same once it is latched. */
export const overlayReach: Reach = {
  begin(specimen) {
    specimen.write(overlayBar.mirror, 18, 1, 0);
    this.accept(specimen, 0, 2 ** 25);
    this.accept(specimen, 1, 2 ** 12);
    this.accept(specimen, 3, 2 ** 31);
  },
  offered(specimen, word) {
    specimen.write(overlayBar.mirror, 24, 4, word);
    return specimen.read(overlayBar.mirror, 0, 4);
  },
  accept(specimen, word, value) {
    specimen.write(overlayBar.mirror, 28, 4, word);
    specimen.write(overlayBar.mirror, 4, 4, value);
  },
  agreed: (specimen) => says(specimen, overlayBar.mirror, 18),
  place(specimen, { address, size, align = 4096 }) {
    specimen.write(overlayBar.mirror, 36, 2, size);
    specimen.write(overlayBar.mirror, 38, 2, align);
    const number = address / Math.max(16, align);
    specimen.write(overlayBar.mirror, 32, 4, high(number));
    specimen.write(overlayBar.mirror, 8, 4, low(number));
  },
};

export const modernReach: Reach = {
  begin(specimen) {
    specimen.write(modernBar, 0x14, 1, 0);
    this.accept(specimen, 1, 1);
  },
  offered(specimen, word) {
    specimen.write(modernBar, 0, 4, word);
    return specimen.read(modernBar, 4, 4);
  },
  accept(specimen, word, value) {
    specimen.write(modernBar, 8, 4, word);
    specimen.write(modernBar, 12, 4, value);
  },
  agreed: (specimen) => says(specimen, modernBar, 0x14),
  place(specimen, { address, size, align = 4, apart = 0 }) {
    says(specimen, modernBar, 0x14);
    // The used ring first: behind the descriptors it needs no padding, and the available ring behind it needs none either.
    const used = Math.ceil((address + 16 * size) / align) * align + apart;
    const available = used + 6 + 8 * size + apart;
    specimen.write(modernBar, 0x18, 2, size);
    for (const [at, area] of [
      [0x20, address],
      [0x28, available],
      [0x30, used],
    ] as const) {
      specimen.write(modernBar, at, 4, low(area));
      specimen.write(modernBar, at + 4, 4, high(area));
    }
    specimen.write(modernBar, 0x1c, 2, 1);
  },
};

/** FEATURES_OK, and whether it stays (virtio 1.2 section 3.1.1). */
function says(specimen: Specimen, bar: number, status: number): boolean {
  specimen.write(bar, status, 1, 3);
  specimen.write(bar, status, 1, featuresOk);
  return specimen.read(bar, status, 1) === featuresOk;
}
