export interface ElfSketch {
  readonly bigEndian: boolean;
  readonly physical: number;
  readonly content: readonly number[];
  readonly memorySize: number;
  readonly entry: number;
  /** Whose note it has, in a second segment: some name of at most 7 letters. */
  readonly note?: string;
}

/** An executable of one segment that is loaded, 0xC0000000 above its physical address when it is entered there; no sections. */
export function makeElf({ bigEndian, physical, content, memorySize, entry, note }: ElfSketch): Uint8Array {
  const headers = note === undefined ? 1 : 2;
  const start = 52 + 32 * headers;
  const noteAt = (start + content.length + 3) & ~3;
  const bytes = new Uint8Array(note === undefined ? start + content.length : noteAt + 2 * 24);
  const view = new DataView(bytes.buffer);
  const little = !bigEndian;
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, bigEndian ? 2 : 1, 1]);
  const u16 = (at: number, value: number) => view.setUint16(at, value, little);
  const u32 = (at: number, value: number) => view.setUint32(at, value, little);
  u16(16, 2);
  u16(18, bigEndian ? 20 : 3);
  u32(20, 1);
  u32(24, entry);
  u32(28, 52);
  u16(40, 52);
  u16(42, 32);
  u16(44, headers);
  const header = [
    1,
    start,
    entry >= 0xc000_0000 ? physical + 0xc000_0000 : physical,
    physical,
    content.length,
    memorySize,
    7,
    4,
  ];
  for (const [i, word] of header.entries()) u32(52 + 4 * i, word);
  bytes.set(content, start);
  if (note !== undefined) {
    for (const [i, word] of [4, noteAt, 0, 0, 2 * 24, 0, 4, 4].entries()) u32(84 + 4 * i, word);
    // The sizes of name and descriptor, and the type; the second one is the note: GNU's build ID comes first in real files.
    for (const [k, name] of ["GNU", note].entries()) {
      const at = noteAt + 24 * k;
      u32(at, name.length + 1);
      u32(at + 4, name.length < 4 ? 8 : 4);
      u32(at + 8, 0x101);
      bytes.set(new TextEncoder().encode(name), at + 12);
    }
  }
  return bytes;
}
