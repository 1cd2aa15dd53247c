import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Debugger, type Stop } from "../../src/debug/debugger.ts";
import { Symbols } from "../../src/debug/symbols.ts";
import { boot, type HostVm, type LibraryOptions } from "../../src/host/boot.ts";

export const machineNames = ["pc", "ppce500"] as const;
export type MachineName = (typeof machineNames)[number];

export function kernelPath(name: MachineName): string {
  return fileURLToPath(new URL(`../../guest/images/${name}.elf`, import.meta.url));
}

/** The demo on a machine, with a debugger between it and whoever runs it. */
export interface Debugged extends AsyncDisposable {
  readonly vm: HostVm;
  readonly debug: Debugger;
  /** The address of a symbol of the kernel. */
  at(symbol: string): number;
  /** Runs until it stops, or until nothing can wake it. Gives the stop. */
  go(): Stop | undefined;
  /** Runs to the guest's prompt. */
  prompt(): Promise<void>;
  word(address: number): number;
}

export async function debugged(machine: MachineName, options: LibraryOptions = {}): Promise<Debugged> {
  const vm = await boot({ ...options, machine });
  const debug = new Debugger(vm.machine, new Symbols(readFileSync(kernelPath(machine))));
  return {
    vm,
    debug,
    at(symbol) {
      const address = debug.symbols.address(symbol);
      if (address === undefined) throw new Error(`the kernel has no symbol ${symbol}`);
      return address;
    },
    go() {
      for (let slices = 0; slices < 1000 && !debug.stopped; slices++) {
        const { reason, wake } = debug.run(100_000);
        if (reason === "idle" && wake === Number.POSITIVE_INFINITY) return undefined;
      }
      return debug.stopped ? debug.last : undefined;
    },
    async prompt() {
      await vm.console.expect("barzero> ");
    },
    word(address) {
      const bytes = debug.memory.read(address, 4);
      return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, !debug.target.bigEndian);
    },
    [Symbol.asyncDispose]: () => vm[Symbol.asyncDispose](),
  };
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
