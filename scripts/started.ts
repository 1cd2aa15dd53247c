import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** What `npm start` gives to node, in front of the command's own words: node's options as package.json has them, and the script. */
export function started(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(here("../package.json"), "utf8")) as { scripts: { start: string } };
  const options = scripts.start.split(" ").filter((word) => word.startsWith("-"));
  return [...options, here("start.mjs")];
}
