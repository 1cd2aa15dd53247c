import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pc } from "../../machines/pc.ts";
import { ppce500 } from "../../machines/ppce500.ts";
import { layoutHeader } from "../board/layout-header.ts";

/** Writes the headers of the built-in machines: `npm run layout`. */
for (const spec of [pc, ppce500]) {
  const file = fileURLToPath(new URL(`../../guest/include/layout-${spec.name}.h`, import.meta.url));
  writeFileSync(file, layoutHeader(spec));
}
