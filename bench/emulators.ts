import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { started } from "../scripts/started.ts";

export interface Guest {
  readonly machine: "pc" | "ppce500";
  readonly kernel: string;
  readonly initrd: string | undefined;
  readonly append: string;
}

/** The version that HISTORY.md compares with. */
const v86Version = "0.5.462";
const memory = 256;
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Barzero as `npm start` does it, with the time that it keeps without a terminal: virtual. */
export function barzero(guest: Guest, more: readonly string[]): readonly string[] {
  const { machine, kernel, initrd, append } = guest;
  return [
    ...[process.execPath, ...started(), "boot", machine, "--memory", `${memory}M`],
    ...["--kernel", kernel, ...(initrd === undefined ? [] : ["--initrd", initrd]), "--append", append],
    ...more,
  ];
}

/** QEMU by TCG, as `-cpu qemu32` and `-cpu e500mc`. */
export function tcg({ machine, kernel, initrd, append }: Guest): readonly string[] {
  const board =
    machine === "pc"
      ? ["qemu-system-i386", "-M", "pc", "-cpu", "qemu32"]
      : ["qemu-system-ppc", "-M", "ppce500", "-cpu", "e500mc", "-monitor", "none", "-nic", "none"];
  return [
    ...[...board, "-m", String(memory), "-display", "none", "-nodefaults", "-serial", "stdio", "-no-reboot"],
    ...["-kernel", kernel, ...(initrd === undefined ? [] : ["-initrd", initrd]), "-append", append],
  ];
}

/** v86, which has no other machine than a PC. */
export function v86({ kernel, initrd, append }: Guest, folder: string, bios: string): readonly string[] {
  const files = initrd === undefined ? [kernel] : [kernel, initrd];
  return [process.execPath, here("v86.ts"), folder, bios, String(memory), append, ...files];
}

/** Whether a program is on the PATH. */
export function isInstalled(program: string): boolean {
  return (process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, program)));
}

/**
 * The folder of v86's package; it is fetched from the registry when the user's cache has none.
 * @throws Error when npm or tar cannot
 */
export function fetchV86(): string {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "barzero", `v86-${v86Version}`);
  const folder = join(cache, "package");
  if (!existsSync(join(folder, "build/v86.wasm"))) {
    mkdirSync(cache, { recursive: true });
    execFileSync("npm", ["pack", "--silent", `v86@${v86Version}`, "--pack-destination", cache], { stdio: "ignore" });
    execFileSync("tar", ["xf", join(cache, `v86-${v86Version}.tgz`), "-C", cache]);
  }
  return folder;
}
