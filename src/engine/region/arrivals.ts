/** One way in so many from region to region is told of: a prime, so that loops do not show one of their ways only. */
export const sampled = 4093;

/** How often a way from a small region is told of before the region is looked at. */
const least = 12;

/** A region is looked at when ways from it were told of this often for each of its instructions: by then they have taken about what making it anew takes. */
const often = 1 / 6;

/** Of these, places to which one in so many leads are worth having in it. */
const worth = 16;

/** Places that are remembered of a region. */
const mostPlaces = 64;

interface Ways {
  told: number;
  readonly places: Map<number, number>;
}

/** Which ways from region to region are gone again and again. */
export class Arrivals {
  readonly #ways = new Map<number, Ways>();

  /**
   * The way from a region, by its index, to a place was gone. Where that is worth making the region anew, gives the places that should be in it, those most gone to
   * first; that is said once of a region. `size` is how many instructions it has.
   */
  told(from: number, place: number, size: number): readonly number[] | undefined {
    const ways = this.#ways.get(from) ?? { told: 0, places: new Map<number, number>() };
    this.#ways.set(from, ways);
    const { places } = ways;
    if (places.has(place) || places.size < mostPlaces) places.set(place, (places.get(place) ?? 0) + 1);
    ways.told++;
    if (ways.told !== Math.max(least, Math.ceil(size * often))) return undefined;
    const gone = [...places].filter(([, count]) => count * worth >= ways.told).sort(([, a], [, b]) => b - a);
    return gone.map(([to]) => to);
  }

  /** The region is no more. */
  forget(from: number): void {
    this.#ways.delete(from);
  }

  empty(): void {
    this.#ways.clear();
  }
}
