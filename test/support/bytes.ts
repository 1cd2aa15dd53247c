/** Whether two runs of bytes are the same: quick where `toEqual` would take seconds over a megabyte. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
