import { LoadError } from "./load-error.ts";

/** A part of an ELF file which is to be put into memory: a PT_LOAD program header. */
export interface ElfSegment {
  readonly virtual: number;
  readonly physical: number;
  /** What the file holds of it; a view, not a copy. */
  readonly bytes: Uint8Array;
  /** With the zeros that follow the bytes. */
  readonly memorySize: number;
}

export interface ElfSymbol {
  readonly name: string;
  readonly value: number;
  readonly size: number;
}

/** A 32-bit ELF executable. */
export interface Elf {
  readonly bigEndian: boolean;
  /** e_machine: 3 is i386, 20 is PowerPC. */
  readonly machine: number;
  readonly entry: number;
  /** In the order of the file, empty ones left out. */
  readonly segments: readonly ElfSegment[];
  /** Functions and objects with a name, by address; empty when the file is stripped. */
  readonly symbols: readonly ElfSymbol[];
}

/** e_machine. */
export const elfMachine = { i386: 3, powerpc: 20 } as const;

/** More than any kernel has; a file that says more is broken. */
const mostHeaders = 1024;
const mostSymbols = 1 << 20;
const longestName = 1024;

const fileHeader = {
  size: 52,
  type: 16,
  machine: 18,
  entry: 24,
  phoff: 28,
  shoff: 32,
  phentsize: 42,
  phnum: 44,
  shentsize: 46,
  shnum: 48,
};
const programHeader = { size: 32, type: 0, offset: 4, virtual: 8, physical: 12, fileSize: 16, memorySize: 20 };
const sectionHeader = { size: 40, type: 4, offset: 16, length: 20, link: 24 };
const symbolEntry = { size: 16, name: 0, value: 4, length: 8, info: 12, section: 14 };

const executable = 2;
const load = 1;
const symbolTable = 2;

/** Whether these bytes start as an ELF file does. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/**
 * Reads an executable (System V ABI, chapters 4 and 5).
 *
 * @throws LoadError when it is not one, or is cut short.
 */
export function readElf(bytes: Uint8Array): Elf {
  if (!isElf(bytes)) throw new LoadError("not an ELF file");
  if (bytes.length < fileHeader.size) throw new LoadError("an ELF file which is cut short in its header");
  if (bytes[4] !== 1) throw new LoadError("an ELF file of 64 bits, where 32 are needed");
  const order = bytes[5];
  if (order !== 1 && order !== 2) throw new LoadError("an ELF file of unknown byte order");
  const little = order === 1;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(fileHeader.type, little) !== executable)
    throw new LoadError("an ELF file which is not an executable");
  return {
    bigEndian: !little,
    machine: view.getUint16(fileHeader.machine, little),
    entry: view.getUint32(fileHeader.entry, little),
    segments: segments(bytes, view, little),
    symbols: symbols(bytes, view, little),
  };
}

/** The bytes of a range the file says it has. */
function range(bytes: Uint8Array, offset: number, length: number, what: string): Uint8Array {
  if (offset + length > bytes.length) throw new LoadError(`an ELF file which is cut short in its ${what}`);
  return bytes.subarray(offset, offset + length);
}

function segments(bytes: Uint8Array, view: DataView, little: boolean): readonly ElfSegment[] {
  const count = view.getUint16(fileHeader.phnum, little);
  const table = view.getUint32(fileHeader.phoff, little);
  if (count === 0 || count > mostHeaders) throw new LoadError(`an ELF file with ${count} program headers`);
  if (view.getUint16(fileHeader.phentsize, little) !== programHeader.size)
    throw new LoadError("an ELF file with program headers of an unknown size");
  range(bytes, table, count * programHeader.size, "program headers");
  const found: ElfSegment[] = [];
  for (let i = 0; i < count; i++) {
    const at = table + i * programHeader.size;
    const word = (offset: number) => view.getUint32(at + offset, little);
    if (word(programHeader.type) !== load || word(programHeader.memorySize) === 0) continue;
    const fileSize = word(programHeader.fileSize);
    const memorySize = word(programHeader.memorySize);
    const physical = word(programHeader.physical);
    if (fileSize > memorySize) throw new LoadError("an ELF file with a segment longer in the file than in memory");
    if (physical + memorySize > 2 ** 32) throw new LoadError("an ELF file with a segment past 4 GiB");
    const content = range(bytes, word(programHeader.offset), fileSize, "segments");
    found.push({ virtual: word(programHeader.virtual), physical, bytes: content, memorySize });
  }
  if (found.length === 0) throw new LoadError("an ELF file with nothing to load");
  return found;
}

/** Names are a comfort: where the tables are broken there are none, and nobody is told. */
function symbols(bytes: Uint8Array, view: DataView, little: boolean): readonly ElfSymbol[] {
  const count = view.getUint16(fileHeader.shnum, little);
  const table = view.getUint32(fileHeader.shoff, little);
  const fits = table + count * sectionHeader.size <= bytes.length;
  if (count > mostHeaders || !fits || view.getUint16(fileHeader.shentsize, little) !== sectionHeader.size) return [];
  const section = (i: number, offset: number) => view.getUint32(table + i * sectionHeader.size + offset, little);
  for (let i = 0; i < count; i++) {
    if (section(i, sectionHeader.type) !== symbolTable) continue;
    const link = section(i, sectionHeader.link);
    if (link >= count) return [];
    const at = section(i, sectionHeader.offset);
    const length = section(i, sectionHeader.length);
    const names = section(link, sectionHeader.offset);
    const namesEnd = names + section(link, sectionHeader.length);
    if (at + length > bytes.length || namesEnd > bytes.length || length > mostSymbols * symbolEntry.size) return [];
    const found: ElfSymbol[] = [];
    for (let entry = at; entry + symbolEntry.size <= at + length; entry += symbolEntry.size) {
      const type = (bytes[entry + symbolEntry.info] as number) & 0xf;
      // Functions, objects and plain labels which some section defines.
      if (type > 2 || view.getUint16(entry + symbolEntry.section, little) === 0) continue;
      const name = text(bytes, names + view.getUint32(entry + symbolEntry.name, little), namesEnd);
      const value = view.getUint32(entry + symbolEntry.value, little);
      if (name !== "") found.push({ name, value, size: view.getUint32(entry + symbolEntry.length, little) });
    }
    return found.sort((a, b) => a.value - b.value);
  }
  return [];
}

function text(bytes: Uint8Array, at: number, end: number): string {
  let name = "";
  for (let i = at; i < Math.min(end, at + longestName) && bytes[i] !== 0; i++)
    name += String.fromCharCode(bytes[i] as number);
  return name;
}
