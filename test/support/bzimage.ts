/** A bzImage of protocol 2.15 with so many sectors of setup, 0 for the 4 of old, and so many bytes behind them. Its initrd may end at `initrdMost`. */
export function bzImage(sectors: number, kernel: number, initrdMost = 0x7fff_ffff): Uint8Array {
  const bytes = new Uint8Array(((sectors || 4) + 1) * 512 + kernel);
  bytes[0x1f1] = sectors;
  bytes.set([0x55, 0xaa], 0x1fe);
  bytes.set([0x48, 0x64, 0x72, 0x53, 0x0f, 0x02], 0x202);
  bytes[0x211] = 1;
  new DataView(bytes.buffer).setUint32(0x22c, initrdMost, true);
  return bytes;
}
