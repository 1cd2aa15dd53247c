import type { RegionSurroundings } from "../../engine/region/translate.ts";

/**
 * Compiles modules of regions to be called on another thread. V8 compiles a function when it is first called, on the thread that calls it, and code belongs to the module: so
 * each region is called here once, on a memory in which nothing stands. There it was made for another privilege, and does nothing.
 */
export class Compiler {
  #imports: WebAssembly.Imports | undefined;

  compile(bytes: Uint8Array<ArrayBuffer>, around: RegionSurroundings): WebAssembly.Module {
    const module = new WebAssembly.Module(bytes);
    this.#imports ??= surroundings(around);
    const { run = {} } = this.#imports;
    const help = Object.fromEntries(WebAssembly.Module.imports(module).map(({ name }) => [name, nothing]));
    const { region } = new WebAssembly.Instance(module, { run, help }).exports;
    if (typeof region === "function") region(0, 0);
    return module;
  }
}

function nothing(): number {
  return 0;
}

/** Of the sizes that the modules ask for. Memory that nobody writes to is none of the host's. */
function surroundings({ memoryPages, tableSize }: RegionSurroundings): WebAssembly.Imports {
  const memory = new WebAssembly.Memory({ initial: memoryPages, maximum: memoryPages });
  const table = new WebAssembly.Table({ element: "anyfunc", initial: tableSize, maximum: tableSize });
  return { run: { memory, table, span: nothing, chain: nothing } };
}
