import { codeAt, codeOffset, codeWords, type E500Case, slotSize } from "./e500-cases.ts";

/*
 * A case as scripts/e500-campaign.c takes it, and what it gives back: the layouts of its `struct request` and `struct state`, big-endian words.
 */

export const requestSize = 720;
export const answerSize = 672;

/** Words by index; the general registers come first. In a request `signal`, `pc`, `address` are floats, slot, words of code. */
export const field = { cr: 32, xer: 33, lr: 34, ctr: 35, fpscr: 36, signal: 37, pc: 38, address: 39 } as const;
export const floatOffset = 160;
export const memoryOffset = 416;
const requestCode = 672;

/** What one executor gave, or the oracle: bytes, so that equal answers are not looked at twice. */
export class Answer {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  word(index: number): number {
    return this.view.getUint32(4 * index);
  }
}

/** Writes the request for a case at byte `at`. */
export function writeRequest(c: E500Case, into: DataView, at: number): void {
  const put = (index: number, value: number) => into.setUint32(at + 4 * index, value);
  for (let k = 0; k < 32; k++) put(k, c.gpr[k] as number);
  put(field.cr, c.cr);
  put(field.xer, c.xer);
  put(field.lr, c.lr);
  put(field.ctr, c.ctr);
  put(field.signal, c.floats === undefined ? 0 : 1);
  put(field.pc, c.slot);
  put(field.address, c.elements.length);
  if (c.floats !== undefined) {
    put(field.fpscr, c.floats.fpscr);
    for (const [k, word] of c.floats.words.entries()) put(floatOffset / 4 + k, word);
  }
  new Uint8Array(into.buffer).set(c.memory, at + memoryOffset);
  if (c.elements.length > codeWords) throw new RangeError(`${c.elements.length} words of code`);
  for (const [k, { word }] of c.elements.entries()) put(requestCode / 4 + k, word);
}

/** Where the endings of a case begin and stop. */
export const slotEnd = (c: E500Case) => codeAt(c.slot) + slotSize - codeOffset;
