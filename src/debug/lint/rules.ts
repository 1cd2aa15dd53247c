/** The rules for drivers which are looked at, by the section of virtio 1.2 which has them. */
export const rules = {
  width: ["4.1.3.1", "a field is accessed whole, by its own width"],
  readOnly: ["4.1.4.3.2", "a read-only field is not written"],
  queueSize: ["4.1.4.3.2", "queue_size is a power of 2, or in a packed ring not 0"],
  enableFirst: ["4.1.4.3.2", "the other fields of a queue are set before queue_enable"],
  enableZero: ["4.1.4.3.2", "0 is not written to queue_enable"],
  resetRead: ["4.1.4.3.2", "after a reset device_status is read as 0 before anything else is done"],
  vector: ["4.1.5.1.2.2", "a vector is one of the table's, and is read back"],
  doorbell: [
    "4.1.5.2.1",
    "a notification is the queue's index in 16 bits, or notification data in 32, at the queue's place",
  ],
  statusBits: ["2.1.1", "a status bit is not cleared but by a reset, and after FAILED there is a reset"],
  offered: ["2.2.1", "only features which the device offers are accepted"],
  alignment: ["2.7.1", "descriptors are aligned to 16 bytes, the available ring to 2, the used ring to 4"],
  order: ["3.1.1", "ACKNOWLEDGE, DRIVER, features, FEATURES_OK, which is read back, the queues, DRIVER_OK"],
  configEarly: ["3.1.1", "the device configuration is not written before FEATURES_OK"],
  notifyEarly: ["3.1.1", "no notification is sent before DRIVER_OK"],
  writableLast: ["2.7.4.2", "what the device may read stands before what it may write"],
  chain: ["2.7.5.3.1", "a chain has an end, and no more descriptors than the queue has entries"],
  chainLength: ["2.7.5.2", "a chain is not longer than 2^32 bytes"],
  indirect: ["2.7.5.3.1", "INDIRECT is negotiated, stands without NEXT, and is not used in an indirect table"],
  indexBack: ["2.7.6.1", "the available index does not go back, nor further than the ring is long"],
  flags: ["2.7.7.1", "the available ring's flags are 0 or 1, and 0 with EVENT_IDX"],
} as const satisfies Readonly<Record<string, readonly [section: string, text: string]>>;

export type Rule = keyof typeof rules;

/** Told of a breach: what the driver did. */
export type Report = (rule: Rule, what: string) => void;
