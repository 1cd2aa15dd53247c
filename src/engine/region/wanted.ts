import type { CodePage } from "../code-cache.ts";

/** Hot places of a page, and how often they were asked for. */
interface Asked {
  /** The pc at the page's first byte, where it was asked for last. */
  start: number;
  /** The data TLB then. */
  tlb: number;
  times: number;
  readonly places: Set<number>;
}

/**
 * Hot places which wait until the thread that makes regions has time. Those of a page are taken together: one by one each would be made a region in place of the one before. A place which is
 * still hot asks again, and the page for which most was asked comes first.
 */
export class Wanted {
  readonly #pages = new Map<CodePage, Asked>();

  get size(): number {
    return this.#pages.size;
  }

  ask(code: CodePage, offset: number, start: number, tlb: number): void {
    const asked = this.#pages.get(code) ?? { start, tlb, times: 0, places: new Set<number>() };
    this.#pages.set(code, asked);
    asked.start = start;
    asked.tlb = tlb;
    asked.times++;
    asked.places.add(offset);
  }

  take(): (Readonly<Asked> & { readonly code: CodePage }) | undefined {
    let most: [CodePage, Asked] | undefined;
    for (const page of this.#pages) if (page[1].times > (most?.[1].times ?? 0)) most = page;
    if (most === undefined) return undefined;
    const [code, asked] = most;
    this.#pages.delete(code);
    return { ...asked, code };
  }

  /** What stood on the page is gone. */
  forget(code: CodePage): void {
    this.#pages.delete(code);
  }

  empty(): void {
    this.#pages.clear();
  }
}
