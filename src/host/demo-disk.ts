/** 8 MiB, enough for the tour and the self-test. */
const size = 8 * 2 ** 20;
const sector = 512;

const label = new TextEncoder().encode("barzero demo disk, sector ");
const digits = 5;

/**
 * What the demo's disk holds: each sector starts with its own number and is filled up with one letter, so that whoever dumps one sees
 * at once whether it is the right one. Sector 0 does not end in 55 AA: it is no boot disk.
 */
export function demoDisk(): Uint8Array {
  const disk = new Uint8Array(size);
  for (let number = 0; number < size / sector; number++) {
    const at = number * sector;
    disk.fill(0x61 + (number % 26), at, at + sector);
    disk.set(label, at);
    for (let i = digits - 1, rest = number; i >= 0; i--, rest = Math.floor(rest / 10))
      disk[at + label.length + i] = 0x30 + (rest % 10);
    disk[at + label.length + digits] = 0x0a;
  }
  return disk;
}
