import type { Ram } from "../bus/ram.ts";
import { type Device, State } from "../bus/state.ts";
import type { EpaprEntry } from "../cpu/e500/cpu.ts";
import type { E500Plan } from "./e500-kernel.ts";
import { MachineError } from "./options.ts";

/** What is mapped at the entry, from address 0: the initial mapped area (ePAPR 1.1 section 5.4). */
const mappedSize = 0x0400_0000;

/** Room for what a kernel puts behind itself before it knows its memory. */
const treePad = 0x0180_0000;
const megabyte = 0x10_0000;

/**
 * A loader in place of firmware: at each reset it puts kernel, initial RAM disk and device tree into RAM, and the
 * processor enters the kernel as ePAPR has it, at the physical address of its entry.
 */
export class DirectBoot implements Device {
  readonly name = "direct-boot";
  readonly state = new State("direct-boot", {});
  readonly entry: EpaprEntry;
  readonly #ram: Ram;
  readonly #plan: E500Plan;
  readonly #initrd: Uint8Array;

  constructor(ram: Ram, plan: E500Plan, initrd: Uint8Array | undefined) {
    const { kernel, kernelEnd, tree } = plan;
    if (kernel === undefined) throw new MachineError("without firmware a kernel is needed: give one, or a firmware");
    this.#ram = ram;
    this.#plan = plan;
    this.#initrd = initrd ?? new Uint8Array(0);
    const dtb = Math.floor((kernelEnd + treePad) / megabyte) * megabyte;
    const end = dtb + tree.length;
    const inTheWay = plan.initrd !== undefined && plan.initrd.start < end && plan.initrd.end > dtb;
    if (end > Math.min(mappedSize, ram.size) || inTheWay)
      throw new MachineError("no room for the device tree below 64 MiB, where the kernel expects it");
    const inside = kernel.segments.find((s) => kernel.entry >= s.virtual && kernel.entry < s.virtual + s.memorySize);
    const entry = inside === undefined ? kernel.entry : kernel.entry - inside.virtual + inside.physical;
    this.entry = { dtb, entry, mappedSize };
  }

  reset(): void {
    const { kernel, initrd, tree } = this.#plan;
    for (const { physical, bytes, memorySize } of kernel?.segments ?? []) {
      this.#ram.load(physical, bytes);
      this.#ram.fill(physical + bytes.length, memorySize - bytes.length, 0);
    }
    if (initrd !== undefined) this.#ram.load(initrd.start, this.#initrd);
    this.#ram.load(this.entry.dtb, tree);
  }
}
