/** One processor's part of the campaign: what a case is, who runs it, when two answers are the same. */
export interface Target<Case, Answer> {
  readonly name: string;
  /** How many of the skipped cases each known difference explains, by its name. */
  readonly tally?: ReadonlyMap<string, number>;
  /** Case `number` of a seed. */
  make(seed: number, number: number): Case;
  /** The outside oracle. Undefined for a case at which it died. */
  ask(cases: readonly Case[]): Promise<(Answer | undefined)[]>;
  /** Our machine. */
  run(c: Case): Answer;
  verdict(c: Case, is: Answer, should: Answer): "same" | "different" | "skipped";
  /** Cases that are a little less than this one, the boldest first. */
  smaller(c: Case): Case[];
  describe(c: Case, is: Answer, should: Answer | undefined): string[];
}

export interface Plan {
  readonly seed: number;
  /** Number of the first case. */
  readonly from: number;
  readonly cases: number;
  /** Stop after so many seconds. */
  readonly seconds: number;
  readonly batch: number;
  readonly progress?: (done: number) => void;
}

export interface Outcome {
  /** Cases compared, those that were skipped among them. */
  readonly done: number;
  readonly skipped: number;
  readonly seconds: number;
  /** Report of the first difference, if there was one. */
  readonly difference: readonly string[] | undefined;
}

/** Runs cases until the first difference, or as many as the plan says. The oracle works on the next batch meanwhile. */
export async function campaign<C, A>(target: Target<C, A>, plan: Plan): Promise<Outcome> {
  const begin = performance.now();
  const elapsed = () => (performance.now() - begin) / 1000;
  const last = plan.from + plan.cases;
  let skipped = 0;
  const prepare = (from: number) => {
    const cases = Array.from({ length: Math.min(plan.batch, last - from) }, (_, k) => target.make(plan.seed, from + k));
    return { from, cases, answers: target.ask(cases) };
  };
  let next = plan.cases > 0 ? prepare(plan.from) : undefined;
  let done = 0;
  while (next !== undefined) {
    const { from, cases } = next;
    const answers = await next.answers;
    const behind = from + cases.length;
    next = behind < last && elapsed() < plan.seconds ? prepare(behind) : undefined;
    for (const [k, c] of cases.entries()) {
      const should = answers[k];
      const is = target.run(c);
      const result = should === undefined ? "different" : target.verdict(c, is, should);
      if (result === "skipped") skipped++;
      if (result !== "different") continue;
      await next?.answers;
      const difference = await report(target, c, plan.seed, from + k);
      return { done: done + k + 1, skipped, seconds: elapsed(), difference };
    }
    done += cases.length;
    plan.progress?.(done);
  }
  return { done, skipped, seconds: elapsed(), difference: undefined };
}

async function report<C, A>(target: Target<C, A>, found: C, seed: number, number: number): Promise<string[]> {
  const least = await shrink(target, found);
  const [should] = await target.ask([least]);
  return [
    `${target.name}: case ${number} of seed ${seed} differs; the least that does:`,
    ...target.describe(least, target.run(least), should),
  ];
}

/** Takes away from a case for as long as it still differs. */
export async function shrink<C, A>(target: Target<C, A>, found: C): Promise<C> {
  let least = found;
  for (let round = 0; round < 20; round++) {
    const candidates = target.smaller(least);
    const answers = await target.ask(candidates);
    const better = candidates.find((c, k) => {
      const should = answers[k];
      return should !== undefined && target.verdict(c, target.run(c), should) === "different";
    });
    if (better === undefined) return least;
    least = better;
  }
  return least;
}
