import type { PciFunction } from "../../src/pci/function.ts";
import type { Random } from "../campaign/random.ts";
import { messagePage } from "../support/bench.ts";
import { at as overlayAt, ringAlign, ringSize, separateConfig } from "../support/overlay-driver.ts";
import { common, findCapabilities } from "../support/virtio-driver.ts";
import type { Script } from "./script.ts";
import type { Way } from "./subject.ts";

/** Where the parts of a queue's ring are. */
export interface Placed {
  readonly queue: number;
  readonly size: number;
  readonly descriptors: number;
  readonly driver: number;
  readonly device: number;
  readonly packed: boolean;
  readonly little: boolean;
}

/** Two pages a queue hold a legacy ring of up to 128 entries. */
const ringBytes = 0x2000;
export const ringsAt = 0x1000;
const page = 4096;

const modernBar = 4;
const notifyAt = 0x3000;
const indirect = 1 << 28;
const eventIndex = 1 << 29;
/** Of word 1. */
const version1 = 1;
const ringPacked = 1 << 2;
const inOrder = 1 << 3;
const notificationData = 1 << 6;
const ringReset = 1 << 8;

/** How a driver sets a device up. */
export interface Plan {
  readonly way: Way;
  /** Accepted of words 0 and 1. */
  readonly low: number;
  readonly high: number;
  readonly msix: boolean;
  readonly queues: readonly Placed[];
  readonly latch: boolean;
}

export function has(plan: Plan, what: "indirect" | "eventIndex" | "notificationData"): boolean {
  if (what === "indirect") return (plan.low & indirect) !== 0;
  if (what === "eventIndex") return (plan.low & eventIndex) !== 0;
  return plan.way === "modern" && (plan.high & notificationData) !== 0;
}

/** A driver which means well: what follows is its undoing. */
export function plan(
  random: Random,
  way: Way,
  options: {
    readonly features: readonly [number, number];
    readonly sizes: readonly number[];
    readonly queues: number;
    readonly packed: boolean;
    readonly little: boolean;
    /** Nothing left to chance. */
    readonly plain?: boolean;
  },
): Plan {
  const plain = options.plain === true;
  const chance = (n: number) => !plain && random.once(n);
  let low = plain ? 0 : options.features[0] & (chance(3) ? random.word() : -1);
  if (!plain && !chance(4)) low |= indirect;
  if (chance(2)) low |= eventIndex;
  let high = 0;
  if (way === "modern") {
    high = version1 | (plain ? 0 : options.features[1] & (chance(3) ? random.word() : -1));
    if (options.packed && !plain && !chance(4)) high |= ringPacked;
    for (const bit of [inOrder, notificationData, ringReset]) if (chance(2)) high |= bit;
  }
  const packed = (high & ringPacked) !== 0;
  const little = way === "modern" || options.little;
  const queues: Placed[] = [];
  for (let queue = 0; queue < options.queues; queue++) {
    const largest = options.sizes[queue] as number;
    let size = largest;
    if (way === "modern" && chance(2)) size = packed ? 1 + random.below(largest) : largest >>> random.below(3);
    const descriptors = ringsAt + queue * ringBytes;
    const driver = descriptors + 16 * size;
    const end = driver + (packed ? 4 : 6 + 2 * size);
    const device = Math.ceil(end / (way === "modern" ? 4 : page)) * (way === "modern" ? 4 : page);
    queues.push({ queue, size, descriptors, driver, device, packed, little });
  }
  return {
    way,
    low: low >>> 0,
    high,
    msix: chance(2),
    queues,
    latch: way === "overlay-bar0" && !plain ? chance(2) : false,
  };
}

/** Offsets in configuration space and in the MSI-X table's BAR, found once for a function. */
export interface Messages {
  readonly capability: number;
  readonly bar: number;
  readonly vectors: number;
}

export function findMessages(fn: PciFunction): Messages {
  const capability = findCapabilities(fn, 0x11)[0] as number;
  return {
    capability,
    bar: fn.readConfig(capability + 4, 4) & 7,
    vectors: (fn.readConfig(capability + 2, 2) & 0x7ff) + 1,
  };
}

/** Everything from a device that was just reset to DRIVER_OK. */
export function setUp(script: Script, plan: Plan, messages: Messages): void {
  if (plan.msix) {
    for (let v = 0; v < Math.min(messages.vectors, plan.queues.length + 1); v++) {
      script.write(messages.bar, 16 * v, 4, messagePage);
      script.write(messages.bar, 16 * v + 8, 4, 100 + v);
      script.write(messages.bar, 16 * v + 12, 4, 0);
    }
    script.configWrite(messages.capability + 2, 2, 0x8000);
  }
  if (plan.way === "modern") setUpModern(script, plan);
  else if (plan.way === "legacy") setUpLegacy(script, plan);
  else setUpOverlay(script, plan);
}

function setUpModern(script: Script, { low, high, msix, queues }: Plan): void {
  const write = (offset: number, width: 1 | 2 | 4, value: number) => script.write(modernBar, offset, width, value);
  for (const status of [1, 3]) write(common.status, 1, status);
  for (const [select, word] of [low, high].entries()) {
    write(common.driverFeatureSelect, 4, select);
    write(common.driverFeature, 4, word);
  }
  write(common.status, 1, 0x0b);
  if (msix) write(common.configVector, 2, 0);
  for (const { queue, size, descriptors, driver, device } of queues) {
    write(common.queueSelect, 2, queue);
    write(common.queueSize, 2, size);
    if (msix) write(common.queueVector, 2, queue + 1);
    write(common.queueDesc, 4, descriptors);
    write(common.queueDriver, 4, driver);
    write(common.queueDevice, 4, device);
    write(common.queueEnable, 2, 1);
  }
  write(common.status, 1, 0x0f);
}

function setUpLegacy(script: Script, { low, msix, queues }: Plan): void {
  const write = (offset: number, width: 1 | 2 | 4, value: number) => script.write(0, offset, width, value);
  for (const status of [1, 3]) write(18, 1, status);
  write(4, 4, low);
  if (msix) write(20, 2, 0);
  for (const { queue, descriptors } of queues) {
    write(14, 2, queue);
    write(8, 4, descriptors / page);
    if (msix) write(22, 2, queue + 1);
  }
  write(18, 1, 7);
}

function setUpOverlay(script: Script, { way, low, msix, queues, latch }: Plan): void {
  const bar = way === "overlay-bar0" ? 0 : 1;
  const write = (offset: number, width: 1 | 2 | 4, value: number) => script.write(bar, offset, width, value);
  for (const status of [1, 3]) write(overlayAt.status, 1, status);
  write(overlayAt.guestFeatures, 4, low | (latch ? separateConfig : 0));
  if (bar === 1 || latch)
    for (const { word, bit } of [ringSize, ringAlign]) {
      write(overlayAt.guestFeatureSelect, 4, word);
      write(overlayAt.guestFeatures, 4, bit);
    }
  if (msix) write(overlayAt.configVector, 2, 0);
  for (const { queue, descriptors, size } of queues) {
    write(overlayAt.queueSel, 2, queue);
    if (bar === 1 || latch) write(overlayAt.queueNum, 2, size);
    write(overlayAt.queuePfn, 4, descriptors / page);
    if (msix) write(overlayAt.queueVector, 2, queue + 1);
  }
  write(overlayAt.status, 1, 7);
}

export function kick(script: Script, plan: Plan, queue: number): void {
  if (plan.way === "legacy") script.write(0, 16, 2, queue);
  else if (plan.way === "modern")
    script.write(modernBar, notifyAt + 4 * queue, has(plan, "notificationData") ? 4 : 2, queue);
  else script.write(plan.way === "overlay-bar0" ? 0 : 1, overlayAt.queueNotify, 2, queue);
}

/** What a driver does to get its device back, whatever has become of it: PCI's registers, then a status of 0. */
export function reset(script: Script, way: Way, messages: Messages): void {
  script.configWrite(messages.capability + 2, 2, 0);
  script.configWrite(4, 2, 7);
  if (way === "modern") script.write(modernBar, common.status, 1, 0);
  else script.write(way === "overlay-bar1" ? 1 : 0, 18, 1, 0);
}
