import { usage } from "./failure.ts";
import { hint } from "./nearest.ts";

const units: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** A size as people write it: `64M`, `1G`, `512K`, or plain bytes. `option` names it in the error. */
export function parseSize(text: string, option: string): number {
  const match = /^(\d{1,12})([KMG]?)(i?B)?$/i.exec(text);
  const unit = units[match?.[2]?.toUpperCase() ?? ""];
  if (!match || unit === undefined) throw usage(`${option} ${text}: not a size; write for example 256M`);
  return Number(match[1]) * unit;
}

/** A whole number, decimal or 0x hexadecimal, within the bounds. */
export function parseInteger(text: string, option: string, least: number, most: number): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw usage(`${option} ${text}: not a whole number from ${least} to ${most}`);
  return value;
}

/** Seconds, with a fraction if need be; more than none. */
export function parseSeconds(text: string, option: string): number {
  const value = /^\d+(\.\d+)?$|^\.\d+$/.test(text) ? Number(text) : Number.NaN;
  // A timer of node's holds at most 2^31 - 1 milliseconds.
  if (!(value > 0 && value <= 2_000_000)) throw usage(`${option} ${text}: not a number of seconds above 0`);
  return value;
}

/** One of several words. */
export function parseChoice<T extends string>(text: string, option: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw usage(`${option} ${text}: not one of ${choices.join(", ")}${hint(text, choices)}`);
  return found;
}

/** A regular expression. */
export function parseRegex(text: string, option: string): RegExp {
  try {
    return new RegExp(text, "m");
  } catch (error) {
    throw usage(`${option} ${text}: ${(error as Error).message}`);
  }
}
