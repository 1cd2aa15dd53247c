import { LoadError } from "../loader/load-error.ts";
import { readPcKernel } from "../loader/pc-kernel.ts";
import type { KernelItems } from "./fw-cfg-items.ts";
import { MachineError, type MachineOptions } from "./options.ts";

/** The kernel which was asked for, as the PC's firmware wants it. @throws MachineError when it is none. */
export function pcKernel({ kernel, append = "", initrd }: MachineOptions): KernelItems | undefined {
  if (kernel === undefined) return undefined;
  try {
    return { ...readPcKernel(kernel), append, initrd };
  } catch (error) {
    throw error instanceof LoadError ? new MachineError(`the kernel is ${error.message}`) : error;
  }
}
