import { usage } from "./failure.ts";
import { hint } from "./nearest.ts";

/** What `--drive FILE[,format=raw][,readonly][,snapshot]` asks for. */
export interface DriveOption {
  readonly file: string;
  /** The only one so far. */
  readonly format: "raw";
  /** The guest may not write. */
  readonly readonly: boolean;
  /** The guest may write, and all of it is forgotten at the end. */
  readonly snapshot: boolean;
}

const known = ["format", "readonly", "snapshot"];

/** A comma in a file name is written twice, as QEMU has it. */
export function parseDrive(text: string): DriveOption {
  const [file, ...rest] = text.split(/(?<!,),(?!,)/).map((part) => part.replaceAll(",,", ","));
  if (file === undefined || file === "") throw usage(`--drive ${text}: there is no file name in it`);
  let readonly = false;
  let snapshot = false;
  for (const part of rest) {
    const equals = part.indexOf("=");
    const key = equals < 0 ? part : part.slice(0, equals);
    const value = equals < 0 ? undefined : part.slice(equals + 1);
    if (key === "format") {
      if (value !== "raw") throw usage(`--drive ${text}: format=${value ?? ""} is not known; only raw is`);
    } else if (key === "readonly") readonly = flag(text, key, value);
    else if (key === "snapshot") snapshot = flag(text, key, value);
    else throw usage(`--drive ${text}: ${key} is not known; there are ${known.join(", ")}${hint(key, known)}`);
  }
  return { file, format: "raw", readonly, snapshot };
}

function flag(text: string, key: string, value: string | undefined): boolean {
  if (value === undefined || value === "on") return true;
  if (value === "off") return false;
  throw usage(`--drive ${text}: ${key}=${value} is neither on nor off`);
}
