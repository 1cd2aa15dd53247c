import { decode } from "../../../src/cpu/x86/decode.ts";
import { Mode } from "../../../src/cpu/x86/slots.ts";
import { Decoded } from "../../../src/ir/frontend.ts";
import type { Disassembler } from "../../campaign/capstone.ts";
import { Random } from "../../campaign/random.ts";
import { type Comparison, explain } from "./capstone-differences.ts";

const prefixes = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);
/** A form's name begins with its mnemonic, before which the extension may stand. */
const extension = /^(?:(?:mmx|s?sse[23]?)\.)?([^ .]+)/;
const decoded = new Decoded();

/** Random bytes, half of them behind 0F, with a prefix or two more often than chance gives. */
function someBytes(random: Random): Uint8Array {
  const bytes = Uint8Array.from({ length: 16 }, () => random.below(256));
  let at = 0;
  while (random.once(4) && at < 3) bytes[at++] = random.pick([...prefixes]);
  if (random.once(2)) bytes[at] = 0x0f;
  return bytes;
}

/** What both say of the bytes; `undefined` when prefixes alone fill 15 bytes or the instruction is longer than that. */
export function compare(bytes: Uint8Array, narrow: boolean, disassembler: Disassembler): Comparison | undefined {
  const mode = narrow ? Mode.flat : Mode.flat | Mode.d32 | Mode.ss32;
  decode(bytes, bytes.length, 0, mode, decoded);
  const [, name = ""] = extension.exec(decoded.form?.name ?? "") ?? [];
  if (name === "refused") return undefined;
  const found = disassembler.one([...bytes]);
  const start = bytes.findIndex((byte) => !prefixes.has(byte));
  const words = found?.mnemonic.split(" ") ?? [];
  return {
    ours: name === "undefined" ? undefined : name,
    length: decoded.length,
    theirs: words.at(-1),
    theirLength: found?.size ?? 0,
    opcode: [...bytes.subarray(start)],
    lock: bytes.subarray(0, start).includes(0xf0),
    narrow66: narrow && bytes.subarray(0, start).includes(0x66),
    repeat: bytes.subarray(0, start).some((byte) => byte === 0xf2 || byte === 0xf3),
  };
}

export interface Tally {
  /** How many strings each difference explains, by its name; and "same". */
  readonly counts: ReadonlyMap<string, number>;
  /** The first that are not explained. */
  readonly unexplained: readonly string[];
}

/** Compares `count` strings of a seed; every fourth as 16-bit code. */
export function tally(seed: number, count: number, wide: Disassembler, narrow: Disassembler): Tally {
  const random = new Random(seed);
  const counts = new Map<string, number>();
  const unexplained: string[] = [];
  for (let k = 0; k < count; k++) {
    const bytes = someBytes(random);
    const is16 = k % 4 === 3;
    const c = compare(bytes, is16, is16 ? narrow : wide);
    if (c === undefined) continue;
    const why = explain(c);
    const name = why === undefined ? "unexplained" : why === "same" ? why : why.name;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if (why === undefined && unexplained.length < 40)
      unexplained.push(
        `${is16 ? "16" : "32"} ${Buffer.from(bytes).toString("hex")}: ours ${c.ours} ${c.length}, capstone ${c.theirs} ${c.theirLength}`,
      );
  }
  return { counts, unexplained };
}
