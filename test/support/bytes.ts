/** Whether two runs of bytes are the same: quick where `toEqual` would take seconds over a megabyte. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Fills these with what lies one behind the other in `from`. */
export function scatter(from: Uint8Array, into: readonly Uint8Array[]): void {
  let at = 0;
  for (const view of into) {
    view.set(from.subarray(at, at + view.length));
    at += view.length;
  }
}
