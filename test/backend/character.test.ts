import { expect, it } from "vitest";
import { CharacterFifo, sinkTo } from "../../src/backend/character.ts";

it("a full FIFO takes no more and loses nothing", () => {
  const fifo = new CharacterFifo(4);
  expect(fifo.offer(new Uint8Array([1, 2, 3]))).toBe(3);
  expect(fifo.offer(new Uint8Array([4, 5]))).toBe(1);
  expect(fifo.room).toBe(0);
  const some = new Uint8Array(2);
  expect(fifo.read(some)).toBe(2);
  expect([...some]).toEqual([1, 2]);
  expect(fifo.offer(new Uint8Array([5, 6, 7]))).toBe(2);
  const rest = new Uint8Array(9);
  expect(fifo.read(rest)).toBe(4);
  expect([...rest.subarray(0, 4)]).toEqual([3, 4, 5, 6]);
  expect(fifo.read(rest)).toBe(0);
});

it("a FIFO tells when bytes come to where there were none, and only then", () => {
  const fifo = new CharacterFifo(4);
  let told = 0;
  fifo.onAvailable = () => told++;
  fifo.offer(new Uint8Array(0));
  fifo.offer(new Uint8Array(1));
  fifo.offer(new Uint8Array(1));
  expect(told).toBe(1);
  fifo.read(new Uint8Array(4));
  fifo.offer(new Uint8Array(1));
  expect(told).toBe(2);
});

it("a sink to a function always has room", () => {
  const got: number[] = [];
  const sink = sinkTo((bytes) => got.push(...bytes));
  sink.write(new Uint8Array([1, 2]));
  expect(sink.room).toBe(Number.POSITIVE_INFINITY);
  expect(got).toEqual([1, 2]);
});
