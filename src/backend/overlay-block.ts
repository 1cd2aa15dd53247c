import { type BlockBackend, type Done, isInside, lengthOf } from "./block.ts";

/** What is copied at once, in bytes. */
const clusterSize = 65536;

/**
 * A disk which keeps what is written to itself and leaves the one under it as it is: copy on write, by clusters.
 *
 * The host memory it takes is bounded by the size of the disk. Operations are done one after the other, since a
 * write into part of a cluster has to wait for the rest of that cluster to be read from below.
 */
export class OverlayBlock implements BlockBackend {
  readonly readOnly = false;
  readonly readv: BlockBackend["readv"];
  readonly #under: BlockBackend;
  readonly #clusters = new Map<number, Uint8Array>();
  readonly #waiting: (() => void)[] = [];
  #busy = false;

  constructor(under: BlockBackend) {
    this.#under = under;
    if (under.readv !== undefined) this.readv = (offset, into) => this.#readv(offset, into);
  }

  get size(): number {
    return this.#under.size;
  }

  get id(): string {
    return this.#under.id;
  }

  /** How many bytes of host memory the changes take. */
  get kept(): number {
    return this.#clusters.size * clusterSize;
  }

  read(offset: number, into: Uint8Array, done: Done): void {
    this.#inTurn(isInside(this, offset, into.length), done, (end) => this.#read(offset, into, end));
  }

  write(offset: number, from: Uint8Array, done: Done): void {
    this.#inTurn(isInside(this, offset, from.length), done, (end) =>
      this.#change(offset, from.length, end, (cluster, at, start, length) =>
        cluster.set(from.subarray(start, start + length), at),
      ),
    );
  }

  flush(done: Done): void {
    this.#inTurn(true, done, (end) => end(true));
  }

  discard(offset: number, length: number, done: Done): void {
    this.writeZeroes(offset, length, done);
  }

  writeZeroes(offset: number, length: number, done: Done): void {
    this.#inTurn(isInside(this, offset, length), done, (end) =>
      this.#change(offset, length, end, (cluster, at, _start, part) => cluster.fill(0, at, at + part)),
    );
  }

  /** Begins an operation when those before it have ended; one outside of the disk is refused at once. */
  #inTurn(inside: boolean, done: Done, operation: (end: Done) => void): void {
    if (!inside) {
      done(false);
      return;
    }
    const begin = () => {
      this.#busy = true;
      operation((ok) => {
        this.#busy = false;
        done(ok);
        if (!this.#busy) this.#waiting.shift()?.();
      });
    };
    if (this.#busy || this.#waiting.length > 0) this.#waiting.push(begin);
    else begin();
  }

  /** Where nothing was changed it comes from below in one piece. */
  #readv(offset: number, into: readonly Uint8Array[]): boolean {
    const length = lengthOf(into);
    const first = Math.floor(offset / clusterSize);
    let changed = false;
    for (let number = first; number * clusterSize < offset + length; number++) changed ||= this.#clusters.has(number);
    if (!changed) return this.#under.readv?.(offset, into) === true;
    let good = isInside(this, offset, length);
    let at = offset;
    for (const view of into) {
      this.read(at, view, (ok) => {
        good &&= ok;
      });
      at += view.length;
    }
    return good;
  }

  /** Runs of clusters which have not been changed come from below in one piece each. */
  #read(offset: number, into: Uint8Array, done: Done): void {
    let left = 1;
    let good = true;
    const ended = (ok: boolean) => {
      good &&= ok;
      if (--left === 0) done(good);
    };
    for (let at = 0; at < into.length; ) {
      const number = Math.floor((offset + at) / clusterSize);
      const own = this.#clusters.get(number);
      let end = (number + 1) * clusterSize - offset;
      if (own !== undefined) {
        const from = offset + at - number * clusterSize;
        const length = Math.min(into.length, end) - at;
        into.set(own.subarray(from, from + length), at);
      } else {
        for (let next = number + 1; end < into.length && !this.#clusters.has(next); next++) end += clusterSize;
        left++;
        this.#under.read(offset + at, into.subarray(at, Math.min(into.length, end)), ended);
      }
      at = Math.min(into.length, end);
    }
    ended(true);
  }

  /** Gives each cluster of a range to `put`, after fetching from below those of which a part stays. */
  #change(
    offset: number,
    length: number,
    done: Done,
    put: (cluster: Uint8Array, at: number, start: number, length: number) => void,
  ): void {
    let left = 1;
    let good = true;
    const ended = (ok: boolean) => {
      good &&= ok;
      if (--left === 0) done(good);
    };
    for (let start = 0; start < length; ) {
      const first = start;
      const number = Math.floor((offset + first) / clusterSize);
      const at = offset + first - number * clusterSize;
      const part = Math.min(length - first, clusterSize - at);
      start += part;
      const own = this.#clusters.get(number);
      if (own !== undefined) {
        put(own, at, first, part);
        continue;
      }
      const fresh = new Uint8Array(clusterSize);
      const keep = (ok: boolean) => {
        if (ok) {
          put(fresh, at, first, part);
          this.#clusters.set(number, fresh);
        }
        ended(ok);
      };
      left++;
      const inside = Math.min(clusterSize, this.size - number * clusterSize);
      if (part >= inside) keep(true);
      else this.#under.read(number * clusterSize, fresh.subarray(0, inside), keep);
    }
    ended(true);
  }
}
