// What `npm start` runs: the command, from its sources.
//
// The compile cache has to be on before the first TypeScript file is loaded; else node brings up its type stripper at each start.
import { enableCompileCache } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundled } from "./bundle.mjs";

enableCompileCache();
const root = dirname(dirname(fileURLToPath(import.meta.url)));
await import(pathToFileURL(bundled(root, "src/host/bin.ts")).href);
