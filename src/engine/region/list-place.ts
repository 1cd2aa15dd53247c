import { type GuestMemory, pageSize } from "../../bus/guest-memory.ts";
import { Decoded, type FrontEnd } from "../../ir/frontend.ts";
import type { CodeCache, CodePage } from "../code-cache.ts";
import { offsetOf, pageOf } from "./instructions.ts";
import { covers, interpreted, listing } from "./listing.ts";
import type { Regions } from "./regions.ts";

/** What a listing is made from. */
export interface ListedParts {
  readonly guest: GuestMemory;
  readonly cache: CodeCache;
  readonly regions: Regions;
  readonly front: FrontEnd;
}

/**
 * A listing of each region that holds the instruction at a place, or, where none does, of what the interpreter does for it.
 *
 * @param page its number in the guest memory. @param linear the address that is asked for, whose page starts there.
 */
export function listPlace(
  { guest, cache, regions, front }: ListedParts,
  page: number,
  linear: number,
  slot: (offset: number) => string | undefined,
): string[][] {
  const offset = linear & (pageSize - 1) & -front.alignment;
  const here = guest.page(page);
  const start = (linear & -pageSize) >>> 0;
  const codes = cache.all(page);
  const headed = ({ mode }: CodePage, lines: readonly string[]) => [`mode 0x${mode.toString(16)}`, ...lines];
  const found = codes.flatMap((code) =>
    [...code.regions].flatMap((region) => {
      const numberOf = region.parts.find((part) => part.code === code)?.number ?? 0;
      if (!covers(regions.stretchesOf(region), offset + numberOf * pageSize)) return [];
      const codeAt = new Map(region.parts.map(({ number, code }) => [number, code.page]));
      const bytes = (place: number, length: number) => {
        const at = (codeAt.get(pageOf(place)) ?? 0) * pageSize + offsetOf(place);
        return guest.bytes.subarray(at, at + length);
      };
      return [headed(code, listing(regions.list(region), { page: (start - numberOf * pageSize) >>> 0, bytes, slot }))];
    }),
  );
  if (found.length > 0) return found;
  return codes
    .filter((code) => cache.entry(code, offset) !== 0)
    .map((code) => {
      const decoded = new Decoded();
      const available = Math.min(16, pageSize - offset);
      const whole = front.decode(here.subarray(offset, offset + available), available, linear, code.mode, decoded);
      const { form, length, operands } = decoded;
      const around = { page: start, bytes: (at: number, count: number) => here.subarray(at, at + count), slot };
      if (!whole || form === undefined) return headed(code, ["interpreted: it goes on on another page"]);
      return headed(code, interpreted({ offset, length, form, operands, from: 0 }, around));
    });
}
