/** Entries of each of the two tables of addresses. A driver which gives more gets all of that kind, as section 5.1.6.5.2 allows. */
export const tableSize = 64;
export const macLength = 6;

/** Receive modes in the order of the commands which set them (virtio 1.2 section 5.1.6.5.1). */
export const receiveMode = {
  promiscuous: 1,
  allMulticast: 2,
  allUnicast: 4,
  noMulticast: 8,
  noUnicast: 16,
  noBroadcast: 32,
} as const;

/** Which frames a driver gets: part of a device's state. */
export type FilterState = {
  mac: Uint8Array;
  /** Bits of `receiveMode`. */
  receiveModes: number;
  unicast: Uint8Array;
  unicastCount: number;
  multicast: Uint8Array;
  multicastCount: number;
};

export function filterState(mac: Uint8Array): FilterState {
  return {
    mac: mac.slice(),
    receiveModes: 0,
    unicast: new Uint8Array(tableSize * macLength),
    unicastCount: 0,
    multicast: new Uint8Array(tableSize * macLength),
    multicastCount: 0,
  };
}

/** Whether a frame is for the driver. Suppressing wins over receiving all, being promiscuous wins over everything. */
export function accepts(filter: FilterState, frame: Uint8Array): boolean {
  const modes = filter.receiveModes;
  const has = (mode: number) => (modes & mode) !== 0;
  if (has(receiveMode.promiscuous)) return true;
  if (isBroadcast(frame)) return !has(receiveMode.noBroadcast);
  if (((frame[0] as number) & 1) !== 0) {
    if (has(receiveMode.noMulticast)) return false;
    return has(receiveMode.allMulticast) || isListed(filter.multicast, filter.multicastCount, frame);
  }
  if (has(receiveMode.noUnicast)) return false;
  return (
    has(receiveMode.allUnicast) || isAt(filter.mac, 0, frame) || isListed(filter.unicast, filter.unicastCount, frame)
  );
}

function isBroadcast(frame: Uint8Array): boolean {
  for (let i = 0; i < macLength; i++) if (frame[i] !== 0xff) return false;
  return true;
}

function isListed(table: Uint8Array, count: number, frame: Uint8Array): boolean {
  if (count > tableSize) return true;
  for (let i = 0; i < count; i++) if (isAt(table, i * macLength, frame)) return true;
  return false;
}

function isAt(bytes: Uint8Array, at: number, frame: Uint8Array): boolean {
  for (let i = 0; i < macLength; i++) if (bytes[at + i] !== frame[i]) return false;
  return true;
}
