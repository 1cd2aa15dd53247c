/** 8 MiB, enough for the tour and the self-test. */
const size = 8 * 2 ** 20;
const sector = 512;

/**
 * What the demo's disk holds: each sector starts with its own number in words and is filled with a letter,
 * so that whoever dumps one sees at once whether it is the right one. The last two bytes of
 * sector 0 are zero: it is no boot disk.
 */
export function demoDisk(): Uint8Array {
  const disk = new Uint8Array(size);
  const encoder = new TextEncoder();
  for (let number = 0; number < size / sector; number++) {
    const at = number * sector;
    disk.fill(0x61 + (number % 26), at, at + sector);
    encoder.encodeInto(`barzero demo disk, sector ${number}\n`, disk.subarray(at, at + 48));
  }
  disk.fill(0, sector - 2, sector);
  return disk;
}
