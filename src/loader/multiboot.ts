/** The header must be found in so many bytes, at a multiple of 4 (Multiboot 0.6.96 section 3.1). */
const searched = 8192;
const magic = 0x1bad_b002;

/** Where a file's Multiboot header is, or undefined. Magic, flags and checksum sum to zero. */
export function multibootHeader(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 12 <= Math.min(bytes.length, searched); at += 4) {
    if (view.getUint32(at, true) !== magic) continue;
    if (((magic + view.getUint32(at + 4, true) + view.getUint32(at + 8, true)) | 0) === 0) return at;
  }
  return undefined;
}
