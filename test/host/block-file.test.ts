import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BlockFile } from "../../src/host/block-file.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "block-file-"));
  file = join(folder, "disk.img");
  writeFileSync(
    file,
    Uint8Array.from({ length: 8192 }, (_, i) => i * 7),
  );
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The answer to an operation, which has to come before its call returns. */
function answer(operation: (done: (ok: boolean) => void) => void): boolean {
  const answers: boolean[] = [];
  operation((ok) => answers.push(ok));
  expect(answers).toHaveLength(1);
  return answers[0] === true;
}

describe("a raw image", () => {
  test("reads what the file has at the offset", () => {
    const disk = new BlockFile(file);
    const into = new Uint8Array(3);
    expect(answer((done) => disk.read(1000, into, done))).toBe(true);
    expect([...into]).toEqual([1000 * 7, 1001 * 7, 1002 * 7].map((value) => value & 0xff));
    disk.close();
  });

  test("holds to its model for any sequence of writes", () => {
    const write = fc.record({ offset: fc.nat(9000), data: fc.uint8Array({ maxLength: 3000 }) });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 12 }), (writes) => {
        const model = readFileSync(file);
        const disk = new BlockFile(file);
        for (const { offset, data } of writes) {
          const fits = offset + data.length <= model.length;
          expect(answer((done) => disk.write(offset, data, done))).toBe(fits);
          if (fits) model.set(data, offset);
        }
        expect(answer((done) => disk.flush(done))).toBe(true);
        disk.close();
        expect(readFileSync(file).equals(model)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test("writes zeroes over more than it has at hand at once", () => {
    truncateSync(file, 300_000);
    const disk = new BlockFile(file);
    answer((done) => disk.write(0, new Uint8Array(300_000).fill(1), done));
    expect(answer((done) => disk.writeZeroes(1, 200_000, done))).toBe(true);
    disk.close();
    const bytes = readFileSync(file);
    expect(bytes.indexOf(0)).toBe(1);
    expect(bytes.lastIndexOf(0)).toBe(200_000);
  });

  test("keeps the capacity it was opened with when the file grows", () => {
    const disk = new BlockFile(file);
    truncateSync(file, 16_384);
    expect(disk.size).toBe(8192);
    expect(answer((done) => disk.read(8192, new Uint8Array(1), done))).toBe(false);
    disk.close();
  });

  test("answers false where the file was cut off behind its back", () => {
    const disk = new BlockFile(file);
    truncateSync(file, 512);
    expect(answer((done) => disk.read(0, new Uint8Array(1024), done))).toBe(false);
    disk.close();
  });

  test("fills several places with what lies one behind the other, more of them than the host takes at once too", () => {
    const disk = new BlockFile(file);
    for (const lengths of [[], [5], [3, 0, 700], Array.from({ length: 3000 }, (_, i) => i % 5)]) {
      const places = lengths.map((length) => new Uint8Array(length));
      const whole = lengths.reduce((sum, length) => sum + length, 0);
      expect(disk.readv(100, places)).toBe(true);
      expect(Buffer.concat(places).equals(readFileSync(file).subarray(100, 100 + whole))).toBe(true);
    }
    expect(disk.readv(8191, [new Uint8Array(1), new Uint8Array(1)])).toBe(false);
    truncateSync(file, 512);
    expect(disk.readv(0, [new Uint8Array(512), new Uint8Array(1)])).toBe(false);
    disk.close();
    expect(disk.readv(0, [new Uint8Array(1)])).toBe(false);
  });

  test("writes what lies in several places one behind the other, more of them than the host takes at once too", () => {
    const disk = new BlockFile(file);
    let next = 1;
    for (const lengths of [[], [5], [3, 0, 700], Array.from({ length: 3000 }, (_, i) => i % 5)]) {
      const before = readFileSync(file);
      const places = lengths.map((length) => new Uint8Array(length).fill(next++));
      expect(disk.writev(100, places)).toBe(true);
      before.set(Buffer.concat(places), 100);
      expect(readFileSync(file).equals(before)).toBe(true);
    }
    expect(disk.writev(8191, [new Uint8Array(1), new Uint8Array(1)])).toBe(false);
    disk.close();
    expect(disk.writev(0, [new Uint8Array(1)])).toBe(false);
    const readOnly = new BlockFile(file, true);
    expect(readOnly.writev(0, [new Uint8Array(1), new Uint8Array(1)])).toBe(false);
    readOnly.close();
  });

  test("answers false after it was closed, and may be closed again", () => {
    const disk = new BlockFile(file);
    disk.close();
    disk.close();
    const other = openSync(join(folder, "other"), "w+");
    expect(answer((done) => disk.write(0, new Uint8Array(512), done))).toBe(false);
    expect(answer((done) => disk.flush(done))).toBe(false);
    writeSync(other, "x");
    closeSync(other);
    expect(readFileSync(join(folder, "other"), "utf8")).toBe("x");
  });

  test("opened read-only, refuses to be written", () => {
    const before = readFileSync(file);
    const disk = new BlockFile(file, true);
    expect(disk.readOnly).toBe(true);
    expect(answer((done) => disk.write(0, new Uint8Array(512), done))).toBe(false);
    expect(answer((done) => disk.writeZeroes(0, 512, done))).toBe(false);
    expect(answer((done) => disk.discard(0, 512, done))).toBe(false);
    expect(answer((done) => disk.flush(done))).toBe(true);
    disk.close();
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test("that is missing, a directory or too small is one line which says what to do", () => {
    writeFileSync(join(folder, "small"), "x");
    expect(() => new BlockFile(join(folder, "none"))).toThrow(/^cannot open drive .*none: there is no such file; .+$/);
    expect(() => new BlockFile(folder, true)).toThrow(/^cannot open drive .*: it is not a regular file; .+$/);
    expect(() => new BlockFile(join(folder, "small"))).toThrow(/^cannot open drive .*smaller than a sector; .+$/);
  });
});
