import { keyLength } from "./hash.ts";

/** Pairs of a receive and a transmit queue. */
export const queuePairs = 2;
/** Entries of the indirection table: the least which a device may have (virtio 1.2 section 5.1.4.1). */
export const tableLength = 128;

/** Which packets are hashed and to which receive queue the hash leads: part of a device's state. */
export type SteeringState = {
  hashTypes: number;
  hashKey: Uint8Array;
  /** VIRTIO_NET_CTRL_MQ_RSS_CONFIG has been given: receive queues are chosen by it. */
  scaling: boolean;
  /** Receive queues by number, 0 for receiveq1. */
  indirection: Uint8Array;
  indirectionMask: number;
  unclassified: number;
};

export function steeringState(): SteeringState {
  return {
    hashTypes: 0,
    hashKey: new Uint8Array(keyLength),
    scaling: false,
    indirection: new Uint8Array(tableLength),
    indirectionMask: 0,
    unclassified: 0,
  };
}
