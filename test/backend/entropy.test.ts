import { expect, it } from "vitest";
import { SeededEntropy } from "../../src/backend/entropy.ts";

it("gives the sequence which xoshiro128** has from the state 1, 2, 3, 4", () => {
  // The reference program's first outputs for this state; the first is rotl(2 * 5, 7) * 9 by hand.
  const entropy = new SeededEntropy(0);
  entropy.words.set([1, 2, 3, 4]);
  expect([entropy.next(), entropy.next(), entropy.next(), entropy.next()]).toEqual([11520, 0, 5927040, 70819200]);
});

it("gives the same bytes for one seed and others for another", () => {
  const bytes = (seed: number, length: number) => {
    const into = new Uint8Array(length);
    new SeededEntropy(seed).fill(into);
    return [...into];
  };
  expect(bytes(1, 64)).toEqual(bytes(1, 64));
  expect(bytes(1, 64)).not.toEqual(bytes(2, 64));
  expect(bytes(1, 7)).toEqual(bytes(1, 64).slice(0, 7));
});

it("spreads its bytes evenly", () => {
  const into = new Uint8Array(256 * 1000);
  new SeededEntropy(42).fill(into);
  const counts = new Float64Array(256);
  for (const byte of into) counts[byte] = (counts[byte] as number) + 1;
  let chiSquared = 0;
  for (const count of counts) chiSquared += (count - 1000) ** 2 / 1000;
  // 255 degrees of freedom: 160 to 370 holds for all but one seed in ten thousand or so.
  expect(chiSquared).toBeGreaterThan(160);
  expect(chiSquared).toBeLessThan(370);
});
