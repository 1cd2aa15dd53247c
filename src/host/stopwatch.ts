/** A clock which can be held: a machine under a debugger does not find hours gone by when it goes on. */
export class Stopwatch {
  readonly #wall: () => number;
  #behind = 0;
  #stoppedAt: number | undefined;

  /** @param wall nanoseconds of a clock that never goes back. */
  constructor(wall: () => number) {
    this.#wall = wall;
  }

  get now(): number {
    return (this.#stoppedAt ?? this.#wall()) - this.#behind;
  }

  stop(): void {
    this.#stoppedAt ??= this.#wall();
  }

  start(): void {
    if (this.#stoppedAt === undefined) return;
    this.#behind += this.#wall() - this.#stoppedAt;
    this.#stoppedAt = undefined;
  }
}
