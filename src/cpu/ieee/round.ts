import { type Exact, exponentOf, power } from "./exact.ts";

/* IEEE 754 rounding of an exact result to a format, with all that an exception handler is told of it. */

/** Numbered as PowerPC's FPSCR[RN]. */
export const Mode = { nearest: 0, zero: 1, up: 2, down: 3 } as const;

export interface Format {
  /** Bits of the significand. */
  readonly precision: number;
  /** Exponents of the least and of the greatest normal numbers. */
  readonly least: number;
  readonly greatest: number;
  readonly largest: number;
  /** What a trapped overflow takes from the exponent, and a trapped underflow adds. IEEE 754-1985 sections 7.3 and 7.4. */
  readonly adjust: number;
}

export const double: Format = { precision: 53, least: -1022, greatest: 1023, largest: Number.MAX_VALUE, adjust: 1536 };
export const single: Format = {
  precision: 24,
  least: -126,
  greatest: 127,
  largest: (2 - 2 ** -23) * 2 ** 127,
  adjust: 192,
};

export class Rounded {
  value = 0;
  /** The true result is another one. */
  inexact = false;
  /** The magnitude is above the true one. */
  up = false;
  overflow = false;
  /** Not 0 and below the least normal number, before rounding. */
  tiny = false;
}

/** What is trapped: the result then keeps its precision, and its exponent is adjusted. */
export const Trap = { overflow: 1, underflow: 2 } as const;

/** Rounds `x` once. A 0 stays what it is. */
export function round(x: Exact, format: Format, mode: number, traps: number, to: Rounded): void {
  to.inexact = false;
  to.up = false;
  to.overflow = false;
  to.tiny = false;
  to.value = x.value;
  if (x.value === 0) return;

  const negative = x.value < 0;
  const magnitude = Math.abs(x.value);
  const outward = negative ? -x.error : x.error;
  const inBinade = exponentOf(magnitude);
  let exponent = inBinade + x.scale;
  // A power of two whose true value is less belongs to the binade below.
  if (outward < 0 && magnitude === power(inBinade)) exponent--;
  to.tiny = exponent < format.least;
  const adjusted = to.tiny && (traps & Trap.underflow) !== 0;
  const last = (to.tiny && !adjusted ? format.least : exponent) - (format.precision - 1);

  // In units of the last place: whole ones, and a part of one.
  const places = x.scale - last;
  const units = places < -1022 ? 2 ** -1022 : magnitude * power(places);
  let whole = Math.floor(units);
  let part = units - whole;
  if (part === 0 && outward < 0) {
    whole--;
    part = 0.75;
  }
  to.inexact = part !== 0 || outward !== 0;
  to.up = to.inexact && roundsUp(mode, negative, whole, part, outward);
  if (to.up) whole++;

  let shift = last;
  if (adjusted) shift += format.adjust;
  else if (exponent >= format.greatest) {
    const binades = whole >= 2 ** format.precision ? exponent + 1 : exponent;
    to.overflow = binades > format.greatest;
    if (to.overflow && (traps & Trap.overflow) === 0) {
      const toInfinity = mode === Mode.nearest || mode === (negative ? Mode.down : Mode.up);
      to.inexact = true;
      to.up = toInfinity;
      to.value = (negative ? -1 : 1) * (toInfinity ? Number.POSITIVE_INFINITY : format.largest);
      return;
    }
    if (to.overflow) shift -= format.adjust;
  }
  // What an adjusted exponent still leaves outside of the double's range has no meaning either way.
  const value = whole * power(Math.max(-1074, Math.min(1023, shift)));
  to.value = negative ? -value : value;
}

function roundsUp(mode: number, negative: boolean, whole: number, part: number, outward: number): boolean {
  switch (mode) {
    case Mode.nearest:
      return part > 0.5 || (part === 0.5 && (outward > 0 || (outward === 0 && whole % 2 === 1)));
    case Mode.zero:
      return false;
    default:
      return (mode === Mode.down) === negative;
  }
}
