import type { Register } from "../register-map.ts";

/** The common configuration structure (virtio 1.2 section 4.1.4.3), up to what 1.2 has. */
export const commonRegisters = [
  // About the whole device.
  { name: "device_feature_select", at: 0x00, width: 4, access: "rw", section: "4.1.4.3" },
  { name: "device_feature", at: 0x04, width: 4, access: "r", section: "4.1.4.3.1" },
  { name: "driver_feature_select", at: 0x08, width: 4, access: "rw", section: "4.1.4.3" },
  { name: "driver_feature", at: 0x0c, width: 4, access: "rw", section: "4.1.4.3.1" },
  { name: "config_msix_vector", at: 0x10, width: 2, access: "rw", section: "4.1.5.1.2" },
  { name: "num_queues", at: 0x12, width: 2, access: "r", section: "4.1.4.3" },
  { name: "device_status", at: 0x14, width: 1, access: "rw", section: "2.1" },
  { name: "config_generation", at: 0x15, width: 1, access: "r", section: "4.1.4.3.1" },
  // About the queue which queue_select names.
  { name: "queue_select", at: 0x16, width: 2, access: "rw", section: "4.1.4.3" },
  { name: "queue_size", at: 0x18, width: 2, access: "rw", section: "4.1.4.3.2" },
  { name: "queue_msix_vector", at: 0x1a, width: 2, access: "rw", section: "4.1.5.1.2" },
  { name: "queue_enable", at: 0x1c, width: 2, access: "rw", section: "4.1.4.3.2" },
  { name: "queue_notify_off", at: 0x1e, width: 2, access: "r", section: "4.1.4.4" },
  { name: "queue_desc_lo", at: 0x20, width: 4, access: "rw", section: "4.1.3.2" },
  { name: "queue_desc_hi", at: 0x24, width: 4, access: "rw", section: "4.1.3.2" },
  { name: "queue_driver_lo", at: 0x28, width: 4, access: "rw", section: "4.1.3.2" },
  { name: "queue_driver_hi", at: 0x2c, width: 4, access: "rw", section: "4.1.3.2" },
  { name: "queue_device_lo", at: 0x30, width: 4, access: "rw", section: "4.1.3.2" },
  { name: "queue_device_hi", at: 0x34, width: 4, access: "rw", section: "4.1.3.2" },
  { name: "queue_notify_data", at: 0x38, width: 2, access: "r", section: "4.1.4.3" },
  { name: "queue_reset", at: 0x3a, width: 2, access: "rw", section: "2.6.1" },
] as const satisfies readonly Register<string>[];

export type CommonRegister = (typeof commonRegisters)[number]["name"];

/** Bytes of the structure in virtio 1.2. */
export const commonSize = 0x3c;

/** One structure a page, in the order of their offsets, all in one 64-bit BAR. */
export const region = { common: 0x0000, isr: 0x1000, device: 0x2000, notify: 0x3000 } as const;
export const regionSize = 0x1000;
export const regionShift = 12;
export const barSize = 0x4000;
/**
 * In ports the same structures in the same order are closer together: 64 bytes each, and the BAR has the 256 bytes
 * which are the most that a PC lets one have (PCI 3.0 section 6.2.5.1).
 */
export const portShift = 6;
export const portBarSize = 0x100;
/** Which BAR it is, of either kind. */
export const modernBar = 4;

/** Bytes from one queue's doorbell to the next (section 4.1.4.4). */
export const notifyMultiplier = 4;

/** cfg_type of a capability (section 4.1.4). */
export const configType = { common: 1, notify: 2, isr: 3, device: 4, pci: 5 } as const;
