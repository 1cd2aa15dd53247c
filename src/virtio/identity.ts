import type { Identity } from "../pci/function.ts";
import type { VirtioDevice } from "./device.ts";

/**
 * Which register layouts a function shows.
 *
 * `transitional` is legacy and modern over one device, and `modern-latched` the same with Rusty Russell's latch between
 * them; `overlay-legacy` is an overlay device under a legacy identity, for drivers which know only that.
 */
export type PciLayout = "legacy" | "overlay" | "overlay-legacy" | "modern" | "modern-latched" | "transitional";

const redHat = 0x1af4;

/** What PCI knows a device type as: its class (PCI 3.0 appendix D), and its transitional device ID (virtio 1.2 section 4.1.2.1). */
const types: Readonly<Record<number, { readonly class: number; readonly transitional: number }>> = {
  1: { class: 0x02_0000, transitional: 0x1000 },
  2: { class: 0x01_0000, transitional: 0x1001 },
  3: { class: 0x07_8000, transitional: 0x1003 },
  4: { class: 0xff_0000, transitional: 0x1005 },
};
const otherClass = 0xff_0000;

/** The identity of a function with the modern layout alone (virtio 1.2 section 4.1.2.1 and .2). */
export function modernIdentity(device: VirtioDevice): Identity {
  return {
    vendor: redHat,
    device: 0x1040 + device.id,
    revision: 1,
    class: types[device.id]?.class ?? otherClass,
    subsystemVendor: redHat,
    subsystem: 0x40 + device.id,
    interruptPin: 1,
  };
}

/**
 * The identity of a function with the legacy layout, alone or beside the modern one: revision 0, the type in the subsystem ID (virtio 1.2
 * section 4.1.2.3). Throws for a type which has no transitional device ID.
 */
export function legacyIdentity(device: VirtioDevice): Identity {
  const type = types[device.id];
  if (type === undefined) throw new RangeError(`${device.name}: device type ${device.id} has no legacy form`);
  return {
    vendor: redHat,
    device: type.transitional,
    revision: 0,
    class: type.class,
    subsystemVendor: redHat,
    subsystem: device.id,
    interruptPin: 1,
  };
}

/**
 * The identity of an overlay function which legacy and modern drivers leave alone (docs/overlay.md, D7): of the device IDs 0x10F0 to 0x10FF
 * which this vendor keeps for experiments. Throws for a type which has none of them.
 */
export function overlayIdentity(device: VirtioDevice): Identity {
  const experimental = 0x10f0 + device.id;
  if (experimental > 0x10ff) throw new RangeError(`${device.name}: device type ${device.id} has no overlay form`);
  return {
    vendor: redHat,
    device: experimental,
    revision: 1,
    class: types[device.id]?.class ?? otherClass,
    subsystemVendor: redHat,
    subsystem: device.id,
    interruptPin: 1,
  };
}
