// What `npm start` runs: the command, from its sources.
//
// The compile cache has to be on before the first TypeScript file is loaded; else node brings up its type stripper at each start.
import { enableCompileCache } from "node:module";

enableCompileCache();
await import("../src/host/bin.ts");
