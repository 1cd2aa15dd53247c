/** Offsets in the type 0 configuration header (PCI 3.0 section 6.1, figure 6-1). */
export const header = {
  vendor: 0x00,
  device: 0x02,
  command: 0x04,
  status: 0x06,
  revision: 0x08,
  classCode: 0x09,
  cacheLineSize: 0x0c,
  latencyTimer: 0x0d,
  headerType: 0x0e,
  bar0: 0x10,
  subsystemVendor: 0x2c,
  subsystem: 0x2e,
  capabilities: 0x34,
  interruptLine: 0x3c,
  interruptPin: 0x3d,
  /** First byte past the header: what follows belongs to the device and its capabilities. */
  end: 0x40,
} as const;

/** Command register (PCI 3.0 section 6.2.2). */
export const command = {
  io: 1 << 0,
  memory: 1 << 1,
  busMaster: 1 << 2,
  parityErrorResponse: 1 << 6,
  serrEnable: 1 << 8,
  interruptDisable: 1 << 10,
} as const;

/** Status register (PCI 3.0 section 6.2.3). */
export const status = {
  interrupt: 1 << 3,
  capabilities: 1 << 4,
  fastBackToBack: 1 << 7,
  devselMedium: 1 << 9,
  receivedMasterAbort: 1 << 13,
  /** Master data parity, signalled and received target abort, received master abort, SERR, parity: write 1 to clear. */
  writeOneToClear: 0xf900,
} as const;

/** Header type bit which says that functions 1 to 7 are worth looking at (PCI 3.0 section 6.2.1). */
export const multiFunction = 0x80;

/** Capability identifiers (PCI 3.0 appendix H). */
export const capability = { msi: 0x05, vendor: 0x09, msix: 0x11 } as const;
