import type { Register } from "../register-map.ts";

/** The legacy header (virtio 1.2 section 4.1.4.10), little-endian. */
export const headerRegisters = [
  { name: "device_features", at: 0, width: 4, access: "r", section: "4.1.4.10" },
  { name: "guest_features", at: 4, width: 4, access: "rw", section: "4.1.4.10" },
  { name: "queue_address", at: 8, width: 4, access: "rw", section: "4.1.5.1.3.1" },
  { name: "queue_size", at: 12, width: 2, access: "r", section: "4.1.5.1.3.1" },
  { name: "queue_select", at: 14, width: 2, access: "rw", section: "4.1.5.1.3.1" },
  { name: "queue_notify", at: 16, width: 2, access: "w", section: "4.1.5.2" },
  { name: "device_status", at: 18, width: 1, access: "rw", section: "2.1" },
  { name: "isr_status", at: 19, width: 1, access: "r", section: "4.1.4.5" },
] as const satisfies readonly Register<string>[];

export type HeaderRegister = (typeof headerRegisters)[number]["name"];

export const headerSize = 20;

/** What follows the header while MSI-X is enabled, and only then. */
export const vectorRegisters = [
  { name: "config_msix_vector", at: 0, width: 2, access: "rw", section: "4.1.5.1.2" },
  { name: "queue_msix_vector", at: 2, width: 2, access: "rw", section: "4.1.5.1.2" },
] as const satisfies readonly Register<string>[];

export type VectorRegister = (typeof vectorRegisters)[number]["name"];

export const vectorsSize = 4;

/** Which BAR the layout is in, always (virtio 1.2 section 4.1.4.10). */
export const legacyBar = 0;

/** A queue's address is in pages of this size, and so is the alignment of its used ring (section 2.7.2). */
export const queuePage = 4096;
