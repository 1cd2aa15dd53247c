import { expect, it } from "vitest";
import type { BlockBackend, Done } from "../../src/backend/block.ts";
import { MemoryBlock } from "../../src/backend/memory-block.ts";
import { OverlayBlock } from "../../src/backend/overlay-block.ts";
import { ReadOnlyBlock } from "../../src/backend/read-only-block.ts";
import { scatter } from "../support/bytes.ts";
import { blockConformance } from "./conformance.ts";

/** A disk whose answers come later, as a browser's do. */
class LateBlock extends MemoryBlock {
  override read(offset: number, into: Uint8Array, done: Done): void {
    super.read(offset, into, (ok) => setImmediate(done, ok));
  }
}

/** A disk which can fill several places, as a file can. */
class VectoredBlock extends MemoryBlock {
  readv(offset: number, into: readonly Uint8Array[]): boolean {
    const whole = new Uint8Array(into.reduce((sum, { length }) => sum + length, 0));
    let good = false;
    this.read(offset, whole, (ok) => {
      good = ok;
    });
    scatter(whole, into);
    return good;
  }
}

const disk = (size: number, fill: number) => new MemoryBlock(new Uint8Array(size).fill(fill));

blockConformance("MemoryBlock", disk);
blockConformance("OverlayBlock", (size, fill) => new OverlayBlock(new ReadOnlyBlock(disk(size, fill))));
blockConformance(
  "OverlayBlock over a disk which can fill several places",
  (size, fill) => new OverlayBlock(new ReadOnlyBlock(new VectoredBlock(new Uint8Array(size).fill(fill)))),
);
blockConformance(
  "OverlayBlock over a late disk",
  (size, fill) => new OverlayBlock(new LateBlock(new Uint8Array(size).fill(fill), "late", true)),
);

it("an overlay leaves what is under it as it is, and keeps whole clusters of what was changed", () => {
  const under = disk(200_000, 5);
  const overlay = new OverlayBlock(under);
  overlay.write(65530, new Uint8Array(12).fill(1), () => {});
  expect(under.bytes.every((byte) => byte === 5)).toBe(true);
  expect(overlay.kept).toBe(2 * 65536);
  expect(overlay.readOnly).toBe(false);
});

it("an overlay passes on an error from below, and keeps nothing of the write that met it", () => {
  const broken: BlockBackend = {
    ...new ReadOnlyBlock(disk(65536, 0)),
    size: 65536,
    id: "broken",
    readOnly: true,
    read: (_offset, _into, done) => done(false),
    write: (_offset, _from, done) => done(false),
    flush: (done) => done(true),
    discard: (_offset, _length, done) => done(false),
    writeZeroes: (_offset, _length, done) => done(false),
  };
  const overlay = new OverlayBlock(broken);
  const answers: boolean[] = [];
  overlay.write(1, new Uint8Array(2), (ok) => answers.push(ok));
  overlay.read(0, new Uint8Array(2), (ok) => answers.push(ok));
  expect(answers).toEqual([false, false]);
  expect(overlay.kept).toBe(0);
});

it("a read-only wrapper refuses every change and reads as what it wraps", () => {
  const under = disk(1024, 3);
  const wrapped = new ReadOnlyBlock(under);
  const answers: boolean[] = [];
  const note = (ok: boolean) => answers.push(ok);
  wrapped.write(0, new Uint8Array(1), note);
  wrapped.discard(0, 1, note);
  wrapped.writeZeroes(0, 1, note);
  expect(answers).toEqual([false, false, false]);
  const byte = new Uint8Array(1);
  wrapped.read(0, byte, note);
  wrapped.flush(note);
  expect([wrapped.readOnly, byte[0], ...answers.slice(3)]).toEqual([true, 3, true, true]);
});

it("an overlay and a read-only wrapper fill several places where what they wrap can, and not where it has to wait", () => {
  for (const wrap of [
    (under: BlockBackend) => new OverlayBlock(under),
    (under: BlockBackend) => new ReadOnlyBlock(under),
  ]) {
    expect(wrap(new LateBlock(new Uint8Array(512))).readv).toBeUndefined();
    expect(wrap(new VectoredBlock(new Uint8Array(512))).readv?.(0, [new Uint8Array(2), new Uint8Array(510)])).toBe(
      true,
    );
  }
});

it("a read-only memory disk refuses every change", () => {
  const answers: boolean[] = [];
  const sealed = new MemoryBlock(new Uint8Array(512), "sealed", true);
  sealed.write(0, new Uint8Array([1]), (ok) => answers.push(ok));
  sealed.writeZeroes(0, 1, (ok) => answers.push(ok));
  expect(answers).toEqual([false, false]);
});
