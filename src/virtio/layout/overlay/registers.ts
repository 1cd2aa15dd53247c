import { bit } from "../../features.ts";
import type { Register } from "../register-map.ts";

/**
 * The register file of Anthony Liguori's proposal, little-endian, 36 bytes; then the two registers which let the
 * guest choose a ring's size and alignment. Sections are those of virtio 1.2 for what legacy has too; D numbers are docs/overlay.md's.
 */
export const fileRegisters = [
  { name: "host_features", at: 0, width: 4, access: "r", section: "4.1.4.10" },
  { name: "guest_features", at: 4, width: 4, access: "rw", section: "4.1.4.10" },
  { name: "queue_pfn", at: 8, width: 4, access: "rw", section: "4.1.5.1.3.1" },
  { name: "queue_size", at: 12, width: 2, access: "r", section: "4.1.5.1.3.1" },
  { name: "queue_sel", at: 14, width: 2, access: "rw", section: "4.1.5.1.3.1" },
  { name: "queue_notify", at: 16, width: 2, access: "w", section: "4.1.5.2" },
  { name: "status", at: 18, width: 1, access: "rw", section: "2.1" },
  { name: "isr", at: 19, width: 1, access: "r", section: "4.1.4.5" },
  { name: "msi_config_vector", at: 20, width: 2, access: "rw", section: "4.1.5.1.2" },
  { name: "msi_queue_vector", at: 22, width: 2, access: "rw", section: "4.1.5.1.2" },
  { name: "host_feature_select", at: 24, width: 4, access: "rw", section: "D9" },
  { name: "guest_feature_select", at: 28, width: 4, access: "rw", section: "D9" },
  { name: "queue_pfn_hi", at: 32, width: 4, access: "rw", section: "D12" },
  { name: "queue_num", at: 36, width: 2, access: "rw", section: "docs/overlay.md, ring size" },
  { name: "queue_align", at: 38, width: 2, access: "rw", section: "docs/overlay.md, ring alignment" },
] as const satisfies readonly Register<string>[];

export type FileRegister = (typeof fileRegisters)[number]["name"];

/** Bytes of the register file. */
export const fileSize = 40;
/** Where the configuration lies over BAR0 until the latch is set: behind the vectors if MSI-X is enabled, else over them. */
export const overlaidAt = { withVectors: 24, withoutVectors: 20 } as const;

/** Which BAR is what. The MSI-X table moves out of the mirror's way (D6). */
export const overlayBar = { ports: 0, mirror: 1, config: 2, configPorts: 3, msix: 4 } as const;
/** A page for each memory BAR, so that an operating system can give it rights of its own. */
export const memoryBarSize = 4096;

/** Bits of this transport. They mean nothing to rings and devices. */
export const overlayFeature = {
  /** Sets the latch (D1). */
  separateConfig: bit(25),
  /** Offered so that a driver which accepts whatever it is offered shows itself (D18). */
  badFeature: bit(30),
  /** queue_num can be written. */
  ringSize: bit(44),
  /** queue_align can be written. */
  ringAlign: bit(127),
} as const;

/** queue_align after reset and at most: legacy's page. At least: what the used ring needs (virtio 1.2 section 2.7). */
export const largestAlign = 4096;
export const leastAlign = 4;
/** What a descriptor table needs: the unit of queue_pfn is never smaller (D14). */
export const leastUnit = 16;
