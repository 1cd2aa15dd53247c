/** Two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** The bytes of hex digits; undefined when there is something else among them. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** A number of at most 32 bits as gdb writes it; undefined when it is none. */
export function hexNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9a-f]{1,16}$/i.test(text)) return undefined;
  const value = Number.parseInt(text, 16);
  return value < 2 ** 32 ? value : undefined;
}

/** A value's bytes in the target's order. */
export function toTarget(value: bigint, bits: number, bigEndian: boolean): Uint8Array {
  const bytes = Uint8Array.from({ length: bits / 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
  return bigEndian ? bytes.reverse() : bytes;
}

export function fromTarget(bytes: Uint8Array, bigEndian: boolean): bigint {
  const ordered = bigEndian ? bytes : [...bytes].reverse();
  let value = 0n;
  for (const byte of ordered) value = (value << 8n) | BigInt(byte);
  return value;
}
