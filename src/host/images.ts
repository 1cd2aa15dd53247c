import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Failure, reason } from "./failure.ts";

/** The package's own folder: this file is two levels below it as source, three as built JavaScript. */
const root = fileURLToPath(
  [new URL("../../", import.meta.url), new URL("../../../", import.meta.url)].find((folder) =>
    existsSync(fileURLToPath(new URL("package.json", folder))),
  ) ?? new URL("../../", import.meta.url),
);

/** Reads one of the images which come with the package, `firmware/images/pc.bin` for one. */
export function readImage(name: string): Uint8Array {
  return readFileOrFail(
    `${root}${name}`,
    "an image of the package",
    "install the package again or run `npm run guests`",
  );
}

/** Nothing that is read whole comes near this; a device file would never end. */
const largest = 2 ** 29;

/** The whole file, or a Failure which says what it was wanted for. */
export function readFileOrFail(file: string, what: string, advice = "check the path"): Uint8Array {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    const parts: Uint8Array[] = [];
    let total = 0;
    for (;;) {
      const part = new Uint8Array(total === 0 ? Math.min(fstatSync(descriptor).size, largest) + 1 : 65536);
      const got = readSync(descriptor, part);
      if (got === 0) return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
      parts.push(part.subarray(0, got));
      total += got;
      if (total > largest) throw new Error("larger than 512 MiB");
    }
  } catch (error) {
    throw new Failure(`cannot read ${what}, ${file}: ${reason(error)}; ${advice}`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
