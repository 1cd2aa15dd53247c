import { type ElfSymbol, isElf, readElf } from "../loader/elf.ts";
import { LoadError } from "../loader/load-error.ts";

/** How far behind a symbol without a size an address may lie and still be called by its name. */
const reach = 0x1_0000;

/** Names of addresses, from the symbol table of an ELF file, which is read when the first of them is asked for. */
export class Symbols {
  readonly #file: Uint8Array | undefined;
  #read: { readonly sorted: readonly ElfSymbol[]; readonly byName: ReadonlyMap<string, number> } | undefined;

  /** @param file a kernel; there are no names when it is no ELF file, or a stripped one. */
  constructor(file?: Uint8Array) {
    this.#file = file;
  }

  get #symbols(): { readonly sorted: readonly ElfSymbol[]; readonly byName: ReadonlyMap<string, number> } {
    if (this.#read === undefined) {
      const sorted = symbolsOf(this.#file);
      this.#read = { sorted, byName: new Map(sorted.map(({ name, value }) => [name, value])) };
    }
    return this.#read;
  }

  address(name: string): number | undefined {
    return this.#symbols.byName.get(name);
  }

  /** `name+0x12` for an address inside something with a name, else undefined. */
  name(address: number): string | undefined {
    const { sorted } = this.#symbols;
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] as ElfSymbol).value <= address) low = middle + 1;
      else high = middle;
    }
    const found = sorted[low - 1];
    if (found === undefined || address - found.value >= (found.size || reach)) return undefined;
    return address === found.value ? found.name : `${found.name}+0x${(address - found.value).toString(16)}`;
  }

  /** ` <name+0x12>`, or nothing. */
  label(address: number): string {
    const name = this.name(address);
    return name === undefined ? "" : ` <${name}>`;
  }
}

function symbolsOf(file: Uint8Array | undefined): readonly ElfSymbol[] {
  if (file === undefined || !isElf(file)) return [];
  try {
    return readElf(file).symbols;
  } catch (error) {
    if (error instanceof LoadError) return [];
    throw error;
  }
}
