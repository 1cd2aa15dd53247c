import { writeSync } from "node:fs";

const nap = new Int32Array(new SharedArrayBuffer(4));

/** Writes all of the text to a descriptor before it returns, or what somebody takes of it. */
export function writeText(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  let tries = 0;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      // A pipe which is full and set not to block: its reader gets two seconds.
      if ((error as { code?: unknown }).code !== "EAGAIN" || ++tries > 200) return;
      Atomics.wait(nap, 0, 0, 10);
    }
  }
}

/** Says something to the person, never to the guest's console: a line on standard error. */
export function say(text: string): void {
  writeText(2, `barzero: ${text}\n`);
}
