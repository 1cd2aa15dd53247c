import type { Features } from "../../features.ts";
import { netFeature } from "./features.ts";
import { type FilterState, macLength, receiveMode, tableSize } from "./filter.ts";
import { hashTypes, keyLength } from "./hash.ts";
import { queuePairs, type SteeringState, tableLength } from "./steering.ts";

/** Classes and commands of the control queue (virtio 1.2 section 5.1.6.5), and what they need to have been negotiated. */
const commandClass = { receive: 0, mac: 1, queues: 4 } as const;
const macCommand = { tableSet: 0, addressSet: 1 } as const;
const queuesCommand = { scalingConfig: 1, hashConfig: 2 } as const;

/** Receive modes by command. The first two need CTRL_RX, the others CTRL_RX_EXTRA. */
const modes = [
  receiveMode.promiscuous,
  receiveMode.allMulticast,
  receiveMode.allUnicast,
  receiveMode.noMulticast,
  receiveMode.noUnicast,
  receiveMode.noBroadcast,
] as const;

/** More than any command which makes sense has, but for a table of many hundred addresses. */
export const longestCommand = 8192;

/**
 * Does what a command says: class, command, then its data. False, and nothing changed, for one which is unknown, was not
 * negotiated or makes no sense.
 */
export function obey(
  state: FilterState & SteeringState,
  command: Uint8Array,
  features: Features,
  little: boolean,
): boolean {
  const data = command.subarray(2);
  const has = (feature: Features) => (features & feature) !== 0n;
  switch (command[0]) {
    case commandClass.receive: {
      const number = command[1] ?? modes.length;
      const mode = modes[number];
      if (mode === undefined || !has(number < 2 ? netFeature.controlReceive : netFeature.controlReceiveExtra))
        return false;
      return setMode(state, mode, data);
    }
    case commandClass.mac:
      if (command[1] === macCommand.tableSet) return has(netFeature.controlReceive) && setTables(state, data, little);
      return command[1] === macCommand.addressSet && has(netFeature.controlMac) && setAddress(state, data);
    case commandClass.queues:
      if (command[1] === queuesCommand.hashConfig) return has(netFeature.hashReport) && setHash(state, data, little);
      return (
        command[1] === queuesCommand.scalingConfig && has(netFeature.receiveScaling) && setScaling(state, data, little)
      );
    default:
      return false;
  }
}

function setMode(filter: FilterState, mode: number, data: Uint8Array): boolean {
  if (data.length !== 1 || (data[0] as number) > 1) return false;
  filter.receiveModes = data[0] === 1 ? filter.receiveModes | mode : filter.receiveModes & ~mode;
  return true;
}

/** Section 5.1.6.5.2: a number and so many addresses, twice. */
function setTables(filter: FilterState, data: Uint8Array, little: boolean): boolean {
  const fields = new DataView(data.buffer, data.byteOffset, data.length);
  if (data.length < 4) return false;
  const unicasts = fields.getUint32(0, little);
  const second = 4 + unicasts * macLength;
  if (second + 4 > data.length) return false;
  const multicasts = fields.getUint32(second, little);
  if (second + 4 + multicasts * macLength !== data.length) return false;
  filter.unicastCount = Math.min(unicasts, tableSize + 1);
  filter.multicastCount = Math.min(multicasts, tableSize + 1);
  copyTable(filter.unicast, data.subarray(4, second));
  copyTable(filter.multicast, data.subarray(second + 4));
  return true;
}

function copyTable(table: Uint8Array, from: Uint8Array): void {
  table.fill(0);
  table.set(from.subarray(0, table.length));
}

/** A group address is nobody's own. */
function setAddress(filter: FilterState, data: Uint8Array): boolean {
  if (data.length !== macLength || ((data[0] as number) & 1) !== 0) return false;
  filter.mac.set(data);
  return true;
}

/** struct virtio_net_hash_config (section 5.1.6.5.6.4): types, 8 reserved bytes, the key. */
function setHash(steering: SteeringState, data: Uint8Array, little: boolean): boolean {
  if (data.length < 13) return false;
  const types = new DataView(data.buffer, data.byteOffset).getUint32(0, little);
  return setKey(steering, types, data.subarray(12));
}

/** struct virtio_net_rss_config (section 5.1.6.5.7.1). */
function setScaling(steering: SteeringState, data: Uint8Array, little: boolean): boolean {
  if (data.length < 8) return false;
  const fields = new DataView(data.buffer, data.byteOffset, data.length);
  const mask = fields.getUint16(4, little);
  const unclassified = fields.getUint16(6, little);
  const length = mask + 1;
  if (length > tableLength || (length & mask) !== 0 || unclassified >= queuePairs) return false;
  const behind = 8 + 2 * length;
  if (data.length < behind + 3) return false;
  for (let i = 0; i < length; i++) if (fields.getUint16(8 + 2 * i, little) >= queuePairs) return false;
  const transmitters = fields.getUint16(behind, little);
  if (transmitters < 1 || transmitters > queuePairs) return false;
  if (!setKey(steering, fields.getUint32(0, little), data.subarray(behind + 2))) return false;
  for (let i = 0; i < length; i++) steering.indirection[i] = fields.getUint16(8 + 2 * i, little);
  steering.indirectionMask = mask;
  steering.unclassified = unclassified;
  steering.scaling = true;
  return true;
}

/** @param key its length, then so many bytes. */
function setKey(steering: SteeringState, types: number, key: Uint8Array): boolean {
  const length = key[0] as number;
  if ((types & ~hashTypes) !== 0 || length > keyLength || key.length !== 1 + length) return false;
  steering.hashTypes = types;
  steering.hashKey.fill(0);
  steering.hashKey.set(key.subarray(1));
  return true;
}
