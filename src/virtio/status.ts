/** Device status bits, in the order in which a driver sets them (virtio 1.2 section 2.1). */
export const status = {
  acknowledge: 1,
  driver: 2,
  featuresOk: 8,
  driverOk: 4,
  deviceNeedsReset: 64,
  failed: 128,
} as const;
