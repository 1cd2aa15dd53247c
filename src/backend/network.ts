import type { Clock, Holds } from "../time/clock.ts";

/** Bytes of an Ethernet header, and the most of a frame which anything here carries: an MTU of 65535, a VLAN tag, no FCS. */
export const ethernetHeader = 14;
export const vlanTag = 4;
export const largestFrame = ethernetHeader + vlanTag + 65_535;

/**
 * One end of a network cable, as a device is given it: whole Ethernet frames without their FCS, out and in.
 *
 * What comes in waits here until the device takes it, as far as there is room; after that frames are lost, as on any
 * Ethernet. When they come is a matter of virtual time alone, so that the same machines have the same traffic in every run.
 * Nothing here throws for what a guest sends. A device uses it after `attach`.
 */
export interface NetworkBackend {
  /** Which station of its network this is, 0 and up: MAC addresses which differ are made of it. */
  readonly station: number;
  /** Whether something is at the other end. */
  readonly linkUp: boolean;
  /** How many frames `send` takes now. 0 asks the device to wait for `onRoom`. */
  readonly room: number;
  /** Takes a frame; the bytes are the caller's again when it returns. */
  send(frame: Uint8Array): void;
  /** The frame which has waited longest, or undefined. The bytes are good until `take`. */
  readonly first: Uint8Array | undefined;
  /** The first frame is the device's now, or is lost. */
  take(): void;
  /** Told when there is room again after there was none, when a frame begins to wait, when `linkUp` has changed. The device sets them. */
  onRoom: (() => void) | undefined;
  onFrame: (() => void) | undefined;
  onLink: (() => void) | undefined;
  /** The clock of the machine which has this end. Once, before anything else. */
  attach(clock: Clock & Holds): void;
  /** The device was reset: frames which wait for it are lost. */
  flush(): void;
  /** The machine was restored, its clock has another time: what was on its way is lost as well. */
  restored(): void;
  /** The machine is gone. Others at the same network do not wait for it any more. */
  close(): void;
}

/** A cable which leads nowhere. */
export function unplugged(): NetworkBackend {
  return {
    station: 0,
    linkUp: false,
    room: Number.POSITIVE_INFINITY,
    send() {},
    first: undefined,
    take() {},
    onRoom: undefined,
    onFrame: undefined,
    onLink: undefined,
    attach() {},
    flush() {},
    restored() {},
    close() {},
  };
}
