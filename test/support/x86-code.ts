/*
 * Machine code for x86 tests, in flat protected mode.
 */

/** A word of 32 bits as its bytes. */
export const word32 = (value: number) => [
  value & 0xff,
  (value >> 8) & 0xff,
  (value >> 16) & 0xff,
  (value >> 24) & 0xff,
];

export const call = (from: number, to: number) => [0xe8, ...word32(to - from - 5)];

/** dec ecx ; jnz over the `length` bytes before, 125 at most ; hlt */
export const back = (length: number) => [0x49, 0x75, -(length + 3) & 0xff, 0xf4];

/** again: BODY ; dec ecx ; jnz again ; hlt */
export const loop = (body: readonly number[]) => [...body, ...back(body.length)];
