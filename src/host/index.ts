/** The library on node: everything of the core, and `boot`, which reads files. */
export * from "../index.ts";
export { BlockFile } from "./block-file.ts";
export { boot, HostVm, type LibraryOptions } from "./boot.ts";
export type { BootOptions, DriveSource } from "./configure.ts";
export type { DriveOption } from "./drive-option.ts";
export { Failure } from "./failure.ts";
