import type { Chain } from "../../queue/chain.ts";
import type { ByteOrder } from "../../queue/virt-queue.ts";

/** What control messages say (virtio 1.2 section 5.3.6.2). */
export const controlEvent = {
  deviceReady: 0,
  portAdd: 1,
  portReady: 3,
  consolePort: 4,
  resize: 5,
  portOpen: 6,
} as const;

/** A port's number, the event and its value. */
export const messageBytes = 8;
/** A resize has columns and rows behind that. */
const resizeBytes = 4;

export interface Message {
  port: number;
  event: number;
  value: number;
}

const bytes = new Uint8Array(messageBytes + resizeBytes);
const fields = new DataView(bytes.buffer);

/** Reads what the driver says. False where it is no message in RAM. */
export function readMessage(chain: Chain, order: ByteOrder, into: Message): boolean {
  if (!chain.read(0, bytes.subarray(0, messageBytes))) return false;
  const little = order === "little";
  into.port = fields.getUint32(0, little);
  into.event = fields.getUint16(4, little);
  into.value = fields.getUint16(6, little);
  return true;
}

/** What the device tells about a port, one bit each, in the order in which it is told. A repeated request is told once. */
export const told = { portAdd: 1, consolePort: 2, resize: 4, portOpen: 8 } as const;

const events: readonly (readonly [bit: number, event: number])[] = [
  [told.portAdd, controlEvent.portAdd],
  [told.consolePort, controlEvent.consolePort],
  [told.resize, controlEvent.resize],
  [told.portOpen, controlEvent.portOpen],
];

/** The first of what is to be told, or 0. */
export function firstOf(pending: number): number {
  return pending & -pending;
}

/** Tells it of port 0. Gives how many bytes it took, 0 where there is no room for it in RAM. */
export function writeMessage(
  chain: Chain,
  order: ByteOrder,
  bit: number,
  size: { readonly columns: number; readonly rows: number },
): number {
  const little = order === "little";
  const event = events.find((one) => one[0] === bit)?.[1] ?? 0;
  fields.setUint32(0, 0, little);
  fields.setUint16(4, event, little);
  fields.setUint16(6, 1, little);
  fields.setUint16(8, size.columns, little);
  fields.setUint16(10, size.rows, little);
  const length = event === controlEvent.resize ? messageBytes + resizeBytes : messageBytes;
  return chain.write(0, bytes.subarray(0, length)) ? length : 0;
}
