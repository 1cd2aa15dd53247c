export interface ElfSketch {
  readonly bigEndian: boolean;
  readonly physical: number;
  readonly content: readonly number[];
  readonly memorySize: number;
  readonly entry: number;
}

/** An executable of one segment, 0xC0000000 above its physical address when it is entered there; no sections. */
export function makeElf({ bigEndian, physical, content, memorySize, entry }: ElfSketch): Uint8Array {
  const bytes = new Uint8Array(52 + 32 + content.length);
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
  u16(44, 1);
  const header = [
    1,
    84,
    entry >= 0xc000_0000 ? physical + 0xc000_0000 : physical,
    physical,
    content.length,
    memorySize,
    7,
    4,
  ];
  for (const [i, word] of header.entries()) u32(52 + 4 * i, word);
  bytes.set(content, 84);
  return bytes;
}
