import { type GuestMemory, pageSize } from "../../bus/guest-memory.ts";
import { Decoded, type FrontEnd } from "../../ir/frontend.ts";
import type { CodeCache, CodePage } from "../code-cache.ts";
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
  const bytes = guest.bytes.subarray(page * pageSize, (page + 1) * pageSize);
  const around = { page: (linear & -pageSize) >>> 0, bytes, slot };
  const codes = cache.all(page);
  const headed = ({ mode }: CodePage, lines: readonly string[]) => [`mode 0x${mode.toString(16)}`, ...lines];
  const found = codes.flatMap((code) =>
    code.regions
      .filter(({ discovery }) => covers(discovery, offset))
      .map((region) => headed(code, listing(regions.list(code, region), around))),
  );
  if (found.length > 0) return found;
  return codes
    .filter((code) => cache.entry(code, offset) !== 0)
    .map((code) => {
      const decoded = new Decoded();
      const available = Math.min(16, pageSize - offset);
      const whole = front.decode(bytes.subarray(offset, offset + available), available, linear, code.mode, decoded);
      const { form, length, operands } = decoded;
      if (!whole || form === undefined) return headed(code, ["interpreted: it goes on on another page"]);
      return headed(code, interpreted({ offset, length, form, operands }, around));
    });
}
