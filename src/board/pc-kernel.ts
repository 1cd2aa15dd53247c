import { LoadError } from "../loader/load-error.ts";
import { readPcKernel } from "../loader/pc-kernel.ts";
import { forRealMode } from "../loader/real-mode.ts";
import type { WiringOptions } from "./common.ts";
import type { KernelItems } from "./fw-cfg-items.ts";
import { MachineError } from "./options.ts";

/** The kernel which was asked for, as a PC's firmware wants it. @throws MachineError when it is none. */
export function pcKernel({
  kernel,
  append = "",
  initrd,
  modules = [],
  memory,
}: WiringOptions): KernelItems | undefined {
  if (kernel === undefined) {
    if (modules.length > 0) throw new MachineError("modules go with a Multiboot kernel, and there is no kernel");
    return undefined;
  }
  try {
    const read = readPcKernel(kernel);
    const items = { ...read, append, initrd };
    if (modules.length > 0 && read.format === "bzimage")
      throw new MachineError("modules go with a Multiboot kernel, and this one is a Linux bzImage");
    return read.format === "bzimage" ? { ...items, ...forRealMode(read.setup, initrd?.length ?? 0, memory) } : items;
  } catch (error) {
    throw error instanceof LoadError ? new MachineError(`the kernel is ${error.message}`) : error;
  }
}
