import { Bytes } from "./bytes.ts";
import type { KernelModule } from "./options.ts";

/** The fw_cfg file in which our firmware looks for the modules of a Multiboot kernel. */
export const moduleFileName = "opt/org.barzero/modules";

/** All modules in one file: of each the number of its bytes, the number of its text's, the text with its NUL, and the bytes. */
export function moduleFile(modules: readonly KernelModule[]): Uint8Array {
  const parts = modules.flatMap(({ bytes, text }) => {
    const told = new TextEncoder().encode(`${text}\0`);
    return [new Bytes().u32(bytes.length).u32(told.length).done(), told, bytes];
  });
  const file = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}
