/** Who has to keep a rule. */
export type Who = "driver" | "device";

type RuleRow = readonly [where: string, text: string, who?: Who];

/** The rules which are looked at, by the section of virtio 1.2 which has them, or the decision of docs/overlay.md. */
export const rules = {
  // Drivers of the modern layout.
  width: ["4.1.3.1", "a field is accessed whole, by its own width"],
  capability: ["4.1.4.1", "no field of a capability is written but those of PCI_CFG"],
  readOnly: ["4.1.4.3.2", "a read-only field is not written"],
  queueSize: ["4.1.4.3.2", "queue_size is a power of 2, or in a packed ring not 0"],
  enableFirst: ["4.1.4.3.2", "the other fields of a queue are set before queue_enable"],
  enableZero: ["4.1.4.3.2", "0 is not written to queue_enable"],
  resetRead: ["4.1.4.3.2", "after a reset device_status is read as 0 before anything else is done"],
  isr: ["4.1.4.5.2", "with MSI-X the ISR status is not read for a queue's interrupt"],
  window: ["4.1.4.9.2", "the window is pointed at 1, 2 or 4 bytes, at a multiple of that, inside of a structure"],
  vector: ["4.1.5.1.2.2", "a vector is one of the table's, and is read back"],
  doorbell: [
    "4.1.5.2.1",
    "a notification is the queue's index in 16 bits, or notification data in 32, at the queue's place",
  ],
  notificationData: ["2.9", "notification data say where the next available descriptor will be"],
  statusBits: ["2.1.1", "a status bit is not cleared but by a reset, and after FAILED there is a reset"],
  offered: ["2.2.1", "only features which the device offers are accepted"],
  dependencies: ["2.2.1", "no feature is accepted without those which it needs"],
  version1: ["6.1", "VERSION_1 is accepted where it is offered"],
  generation: ["2.5.1", "config_generation is read before and behind a field of more than 32 bits"],
  queueReset: ["2.6.1.2", "after a queue's reset queue_reset is read as 0 before the queue is set up again"],
  order: ["3.1.1", "ACKNOWLEDGE, DRIVER, features, FEATURES_OK, which is read back, the queues, DRIVER_OK"],
  configEarly: ["3.1.1", "the device configuration is not written before FEATURES_OK"],
  notifyEarly: ["3.1.1", "no notification is sent before DRIVER_OK"],
  exposed: ["3.3.1", "descriptors which the device has not used are left as they are"],
  // Split rings, in every layout.
  alignment: ["2.7.1", "descriptors are aligned to 16 bytes, the available ring to 2, the used ring to 4"],
  writableLast: ["2.7.4.2", "what the device may read stands before what it may write"],
  chain: ["2.7.5.3.1", "a chain has an end, and no more descriptors than the queue has entries"],
  chainLength: ["2.7.5.2", "a chain is not longer than 2^32 bytes"],
  nextInOrder: ["2.7.5.2", "with IN_ORDER a chain goes from each descriptor to the one behind it, round the table"],
  indirect: ["2.7.5.3.1", "INDIRECT is negotiated, stands without NEXT, and is not used in an indirect table"],
  indexBack: ["2.7.6.1", "the available index does not go back, nor further than the ring is long"],
  flags: ["2.7.7.1", "the available ring's flags are 0 or 1, and 0 with EVENT_IDX"],
  // Packed rings.
  packedAlignment: ["2.8.10.1", "the descriptor ring is aligned to 16 bytes, both event structures to 4"],
  packedEvents: ["2.8.14", "event flags are 0 or 1, and 2 with EVENT_IDX"],
  packedMarks: ["2.8.17", "a list's first descriptor is made available behind all others"],
  packedList: ["2.8.17", "a list has an end, and room in the ring"],
  packedWritableLast: ["2.8.17", "what the device may read stands before what it may write, in a packed ring too"],
  packedIndirect: [
    "2.8.19",
    "INDIRECT is negotiated, stands alone, and leads to whole descriptors, not more than the ring has",
  ],
  // Drivers of the legacy layout.
  legacyRegister: ["4.1.4.10", "device_features, queue_size and isr_status are not written"],
  legacyOrder: ["3.1.2", "ACKNOWLEDGE, DRIVER, DRIVER_OK"],
  legacyQueue: ["4.1.5.1.3.1", "a queue is placed where there is one"],
  legacyDoorbell: ["4.1.5.2", "a notification names a queue which has a place"],
  // Drivers of the overlay.
  overlayBit: ["docs/overlay.md D18", "the bit which nobody means is not accepted"],
  overlayPlace: ["docs/overlay.md D12", "queue_pfn is the last of a queue's registers to be written"],
  overlayRing: [
    "docs/overlay.md D14",
    "queue_num and queue_align are written with RING_SIZE and RING_ALIGN, and hold powers of 2",
  ],
  // Devices.
  deviceIdentity: [
    "4.1.2.1",
    "the vendor is 0x1AF4; the device ID, revision and subsystem are those of the layout",
    "device",
  ],
  deviceCapabilities: [
    "4.1.4",
    "there are capabilities for the common, notification, ISR and window structures, aligned, inside of their BARs",
    "device",
  ],
  deviceReset: ["4.1.4.3.1", "after a reset no queue is enabled, and no vector is mapped", "device"],
  deviceSize: ["4.1.4.3.1", "queue_size is 0 or a power of 2 unless the ring is packed", "device"],
  deviceFeatures: ["4.1.4.3.1", "driver_feature reads back what was accepted of what is offered", "device"],
  deviceQueueReset: ["4.1.4.3.1", "when queue_reset has become 0 again, queue_enable is 0", "device"],
  deviceGeneration: ["4.1.4.3.1", "within one config_generation the configuration stays as it is", "device"],
  deviceVector: ["4.1.5.1.2.1", "a vector reads back as it was written, or as none", "device"],
  deviceEarly: ["2.1.2", "no message is sent before DRIVER_OK", "device"],
} as const satisfies Readonly<Record<string, RuleRow>>;

export type Rule = keyof typeof rules;

/** Told of a breach: what was done. */
export type Report = (rule: Rule, what: string) => void;

/** How a breach is told: where the rule stands, the rule, and who did what. */
export function describeBreach(rule: Rule, what: string): string {
  const [where, text, who = "driver"]: RuleRow = rules[rule];
  const place = where.startsWith("docs/") ? where : `virtio 1.2 section ${where}`;
  return `${place}: ${text}; ${who === "driver" ? "its driver" : "the device"}: ${what}`;
}
