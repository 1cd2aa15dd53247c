import type { Report } from "./rules.ts";

/**
 * Descriptors which the device was shown and has not used must stay as they are (virtio 1.2 section 3.3.1). Seen from one notification to the next,
 * as long as the device has used nothing in between: then everything that was shown is still the device's.
 */
export class ExposedDescriptors {
  readonly #shown = new Map<number, string>();
  #used = Number.NaN;

  /** A notification comes, and so far the device has used so much. Gives whether what was shown before still counts. */
  begin(used: number): void {
    if (used !== this.#used) this.#shown.clear();
    this.#used = used;
  }

  /** A descriptor which the device may look at from now on. */
  show(index: number, words: string): void {
    if (!this.#shown.has(index)) this.#shown.set(index, words);
  }

  /** Looks at all which were shown before. */
  check(now: (index: number) => string, queue: number, report: Report): void {
    for (const [index, words] of this.#shown) {
      if (now(index) === words) continue;
      report("exposed", `queue ${queue} has another descriptor ${index} than it showed the device before`);
      this.#shown.set(index, now(index));
    }
  }

  forget(): void {
    this.#shown.clear();
    this.#used = Number.NaN;
  }
}
