import { describe, expect, it } from "vitest";
import type { BlockBackend, Done } from "../../../src/backend/block.ts";
import { MemoryBlock } from "../../../src/backend/memory-block.ts";
import { ramSize } from "../../support/bench.ts";
import { blkHeader } from "../../support/blk.ts";
import { sameBytes, scatter } from "../../support/bytes.ts";
import type { Buffer, DriverRing } from "../../support/ring.ts";
import { ModernDriver } from "../../support/virtio-driver.ts";
import { bits, type Options, patternDisk, plugBlk } from "../../support/virtio-function.ts";

const all = bits.version1 | bits.blkFlush | bits.blkConfigWce | bits.blkDiscard | bits.blkWriteZeroes | bits.indirect;
/** Request types and status bytes (virtio 1.2 section 5.2.6). */
const type = { in: 0, out: 1, scsi: 2, flush: 4, getId: 8, lifetime: 10, discard: 11, writeZeroes: 13, erase: 14 };
const ok = 0;
const ioError = 1;
const unsupported = 2;

/** A disk which notes what is asked of it, and can fail or be late. */
class NotingDisk extends MemoryBlock {
  readonly log: string[] = [];
  fail = false;
  late: (() => void)[] | undefined;

  override read(offset: number, into: Uint8Array, done: Done): void {
    this.#note(`read ${offset}+${into.length}`, done, (d) => super.read(offset, into, d));
  }
  override write(offset: number, from: Uint8Array, done: Done): void {
    this.#note(`write ${offset}+${from.length}`, done, (d) => super.write(offset, from, d));
  }
  override flush(done: Done): void {
    this.#note("flush", done, (d) => super.flush(d));
  }
  override discard(offset: number, length: number, done: Done): void {
    this.#note(`discard ${offset}+${length}`, done, (d) =>
      MemoryBlock.prototype.writeZeroes.call(this, offset, length, d),
    );
  }
  #note(text: string, done: Done, operation: (done: Done) => void): void {
    this.log.push(text);
    const run = () => (this.fail ? done(false) : operation(done));
    if (this.late === undefined) run();
    else this.late.push(run);
  }
}

function start<T extends BlockBackend>(disk: T, features: bigint = all, options: Options = {}) {
  const plugged = plugBlk(disk, options);
  const driver = new ModernDriver(plugged.bench, plugged.fn);
  const [ring] = driver.start(features & driver.offered(), [64]) as [DriverRing];
  /** Offers one request, waits for it and gives the used length and the status byte. */
  const request = (kind: number, sector: number | bigint, buffers: readonly Buffer[] = []) => {
    const offered = ring.offer([{ read: blkHeader(kind, sector) }, ...buffers, { write: 1 }]);
    driver.kick(0);
    plugged.bench.clock.advance(100_000_000);
    const [used] = ring.used();
    const written = ring.written(offered);
    return { length: used?.length, status: written.at(-1), data: written.subarray(0, -1) };
  };
  return { ...plugged, disk, driver, ring, request };
}

function ranges(...list: [sector: number, sectors: number, flags: number][]): Buffer {
  const bytes = new Uint8Array(16 * list.length);
  const fields = new DataView(bytes.buffer);
  for (const [i, [sector, sectors, flags]] of list.entries()) {
    fields.setBigUint64(16 * i, BigInt(sector), true);
    fields.setUint32(16 * i + 8, sectors, true);
    fields.setUint32(16 * i + 12, flags, true);
  }
  return { read: bytes };
}

const noting = (sectors = 64) => new NotingDisk(patternDisk(sectors).bytes);

describe("a block device", () => {
  it("reads sectors into as many buffers as there are", () => {
    const { disk, request } = start(patternDisk());
    const { length, status, data } = request(type.in, 3, [{ write: 100 }, { write: 412 }, { write: 512 }]);
    expect([length, status]).toEqual([1025, ok]);
    expect(data).toEqual(disk.bytes.subarray(3 * 512, 5 * 512));
  });

  it("writes sectors from as many buffers as there are, and only them", () => {
    const { disk, request } = start(patternDisk());
    const before = disk.bytes.slice();
    const bytes = Uint8Array.from({ length: 1024 }, (_, i) => 255 - (i & 0xff));
    const { length, status } = request(type.out, 7, [{ read: bytes.subarray(0, 1) }, { read: bytes.subarray(1) }]);
    expect([length, status]).toEqual([1, ok]);
    before.set(bytes, 7 * 512);
    expect(disk.bytes).toEqual(before);
  });

  it("takes a header and a status which are split, or in one buffer with the data (ANY_LAYOUT)", () => {
    const { bench, disk, driver, ring } = start(patternDisk());
    const header = blkHeader(type.in, 1);
    const split = ring.offer([{ read: header.subarray(0, 3) }, { read: header.subarray(3) }, { write: 513 }]);
    driver.kick(0);
    bench.clock.advance(1e6);
    expect(ring.written(split)).toEqual(new Uint8Array([...disk.bytes.subarray(512, 1024), ok]));
    const joined = new Uint8Array(16 + 512).fill(0xab);
    joined.set(blkHeader(type.out, 2));
    ring.offer([{ read: joined }, { write: 1 }]);
    driver.kick(0);
    bench.clock.advance(1e6);
    expect(disk.bytes.subarray(1024, 1536).every((byte) => byte === 0xab)).toBe(true);
  });

  it("gives its ID, 20 bytes, cut or filled up with zeroes", () => {
    const { request } = start(new MemoryBlock(new Uint8Array(512), "disk.img"));
    const { length, status, data } = request(type.getId, 0, [{ write: 20 }]);
    expect([length, status, new TextDecoder().decode(data)]).toEqual([21, ok, `disk.img${"\0".repeat(12)}`]);
    const long = start(new MemoryBlock(new Uint8Array(512), "a name of more than twenty bytes\n\u0100"));
    expect(new TextDecoder().decode(long.request(type.getId, 0, [{ write: 20 }]).data)).toBe("a name of more than ");
  });

  it("flushes when it is asked to", () => {
    const { disk, request } = start(noting());
    expect(request(type.flush, 0)).toMatchObject({ length: 1, status: ok });
    expect(disk.log).toEqual(["flush"]);
  });

  it("flushes after each write when the driver did not accept FLUSH, or has turned the cache off (5.2.6.2)", () => {
    const sector = { read: new Uint8Array(512) };
    const without = start(noting(), bits.version1);
    without.request(type.out, 0, [sector]);
    expect(without.disk.log).toEqual(["write 0+512", "flush"]);

    const cached = start(noting());
    cached.request(type.out, 0, [sector]);
    expect(cached.disk.log).toEqual(["write 0+512"]);
    cached.bench.memory.write(cached.driver.config + 32, 1, 0);
    cached.request(type.out, 1, [sector]);
    expect(cached.disk.log).toEqual(["write 0+512", "write 512+512", "flush"]);
  });

  it("discards and zeroes ranges, the latter with or without unmap", () => {
    const { disk, request } = start(noting());
    expect(request(type.discard, 0, [ranges([2, 3, 0], [10, 1, 0])]).status).toBe(ok);
    expect(request(type.writeZeroes, 0, [ranges([20, 2, 0], [30, 1, 1])]).status).toBe(ok);
    expect(disk.log).toEqual(["discard 1024+1536", "discard 5120+512"]);
    expect(disk.bytes.subarray(20 * 512, 22 * 512).every((byte) => byte === 0)).toBe(true);
    expect(disk.bytes.subarray(22 * 512, 23 * 512).some((byte) => byte !== 0)).toBe(true);
    expect(disk.bytes.subarray(30 * 512, 31 * 512).every((byte) => byte === 0)).toBe(true);
  });

  it("answers an error of the disk's with IOERR and goes on", () => {
    const { disk, request } = start(noting());
    disk.fail = true;
    expect(request(type.in, 0, [{ write: 512 }])).toMatchObject({ length: 1, status: ioError });
    expect(request(type.out, 0, [{ read: new Uint8Array(512) }])).toMatchObject({ length: 1, status: ioError });
    expect(request(type.flush, 0)).toMatchObject({ status: ioError });
    disk.fail = false;
    expect(request(type.in, 0, [{ write: 512 }])).toMatchObject({ length: 513, status: ok });
  });

  it("ends a request 50 us after it began, and 2 ns later for each byte", () => {
    const { bench, driver, ring } = start(patternDisk());
    ring.offer([{ read: blkHeader(type.in, 0) }, { write: 512 }, { write: 1 }]);
    driver.kick(0);
    bench.clock.advance(50_000 + 2 * 512 - 1);
    expect(ring.usedIndex).toBe(0);
    bench.clock.advance(1);
    expect(ring.usedIndex).toBe(1);
  });

  it("moves the bytes of requests one after the other, as on one wire", () => {
    const { bench, driver, ring } = start(patternDisk());
    for (let i = 0; i < 4; i++) ring.offer([{ read: blkHeader(type.in, 0) }, { write: 8192 }, { write: 1 }]);
    driver.kick(0);
    const times: number[] = [];
    for (let i = 0; i < 200; i++) {
      bench.clock.advance(1000);
      for (const _ of ring.used()) times.push(bench.clock.now);
    }
    expect(times).toEqual([67_000, 83_000, 100_000, 116_000]);
  });

  it("lets time wait for a late host, and then ends at the modelled time", () => {
    const { bench, disk, driver, ring } = start(noting());
    disk.late = [];
    const offered = ring.offer([{ read: blkHeader(type.in, 5) }, { write: 512 }, { write: 1 }]);
    driver.kick(0);
    bench.clock.advance(1e9);
    expect([bench.clock.now, bench.clock.holds, ring.usedIndex]).toEqual([51_024, 1, 0]);
    for (const answer of disk.late) answer();
    expect([bench.clock.now, bench.clock.holds, ring.usedIndex]).toEqual([51_024, 0, 1]);
    expect(ring.written(offered)[0]).toBe(disk.bytes[5 * 512]);
  });

  it("ends requests when the disk has done them where time is the host's own", () => {
    const { bench, disk, driver, ring } = start(noting());
    bench.clock.isHostTime = true;
    for (let i = 0; i < 3; i++) ring.offer([{ read: blkHeader(type.in, 0) }, { write: 8192 }, { write: 1 }]);
    driver.kick(0);
    bench.clock.advance(0);
    expect(ring.used()).toHaveLength(3);
    disk.late = [];
    ring.offer([{ read: blkHeader(type.in, 0) }, { write: 8192 }, { write: 1 }]);
    driver.kick(0);
    bench.clock.advance(1e9);
    expect([bench.clock.now, ring.used()]).toEqual([1e9, []]);
    for (const answer of disk.late) answer();
    bench.clock.advance(0);
    expect(ring.used()).toHaveLength(1);
  });

  it("takes on 32 MiB at once and the rest when there is room again", () => {
    const { bench, disk, driver, ring } = start(new NotingDisk(new Uint8Array(32 * 2 ** 20)));
    const megabytes12 = 12 * 2 ** 20;
    const one = (head: number) => {
      // The same small buffer many times, so that it fits in RAM: 254 pieces are not needed to make 12 MiB.
      ring.descriptor(head, 0xe_0000, 16, 1, head + 1);
      for (let i = 0; i < 16; i++) ring.descriptor(head + 1 + i, 0x1_8000, megabytes12 / 16, 1 | 2, head + 2 + i);
      ring.descriptor(head + 17, 0xe_1000, 1, 2, 0);
      ring.makeAvailable(head);
    };
    bench.ram.load(0xe_0000, blkHeader(type.in, 0));
    // RAM is 1 MiB: pieces of 768 KiB from 0x18000 are inside.
    for (const head of [0, 20, 40]) one(head);
    driver.kick(0);
    expect(disk.log).toHaveLength(2);
    bench.clock.advance(1e9);
    expect(disk.log).toHaveLength(3);
    expect(ring.usedIndex).toBe(3);
  });

  it("saves what it has in a list of named fields, and is as new after a reset", () => {
    const { fn, driver, ring } = start(patternDisk());
    // The function itself comes first and its counts last: its BARs were given addresses.
    const saved = (parts: typeof fn.parts) => parts.slice(1, -1).map((part) => [part.name, part.state.save()]);
    const fresh = saved(plugBlk(patternDisk()).fn.parts);
    ring.offer([{ read: blkHeader(type.in, 0) }, { write: 512 }, { write: 1 }]);
    driver.kick(0);
    for (const part of fn.parts) part.reset();
    expect(saved(fn.parts)).toEqual(fresh);
  });
});

describe("a block device which is saved with requests in hand", () => {
  /** Everything of one bench put into another of the same make. */
  function carry(from: ReturnType<typeof start>, to: ReturnType<typeof plugBlk>): void {
    to.bench.ram.load(0, from.bench.ram.contents());
    to.bench.clock.advance(from.bench.clock.now);
    for (const [i, part] of to.fn.parts.entries()) part.state.restore(from.fn.parts[i]?.state.save() ?? {});
    for (const part of to.fn.parts) part.restored?.();
  }

  it("ends them when and as it would have, and goes on", () => {
    const a = start(noting(), all, { queueSize: 64 });
    const b = plugBlk(new NotingDisk(a.disk.bytes.slice()), { queueSize: 64 });
    a.ring.offer([{ read: blkHeader(type.in, 3) }, { write: 2048 }, { write: 1 }]);
    a.ring.offer([{ read: blkHeader(type.out, 9) }, { read: new Uint8Array(512).fill(0xee) }, { write: 1 }]);
    a.ring.offer([{ read: blkHeader(type.flush, 0) }, { write: 1 }], { indirect: true });
    a.driver.kick(0);
    a.bench.clock.advance(20_000);
    carry(a, b);
    for (let i = 0; i < 100; i++) {
      a.bench.clock.advance(1000);
      b.bench.clock.advance(1000);
      expect(sameBytes(b.bench.ram.contents(), a.bench.ram.contents())).toBe(true);
      expect(b.bench.line).toBe(a.bench.line);
    }
    expect(a.ring.usedIndex).toBe(3);
    expect(b.fn.parts.map((part) => part.state.save())).toEqual(a.fn.parts.map((part) => part.state.save()));
  });

  it("keeps the one which waited for room", () => {
    const a = start(new NotingDisk(new Uint8Array(32 * 2 ** 20)));
    for (const head of [0, 20, 40]) {
      a.bench.ram.load(0xe_0000, blkHeader(type.in, 0));
      a.ring.descriptor(head, 0xe_0000, 16, 1, head + 1);
      for (let i = 0; i < 16; i++) a.ring.descriptor(head + 1 + i, 0x1_8000, 0xc_0000, 1 | 2, head + 2 + i);
      a.ring.descriptor(head + 17, 0xe_1000, 1, 2, 0);
      a.ring.makeAvailable(head);
    }
    a.driver.kick(0);
    const b = plugBlk(new NotingDisk(new Uint8Array(32 * 2 ** 20)));
    carry(a, b);
    for (const { bench } of [a, b]) bench.clock.advance(1e9);
    expect(a.ring.usedIndex).toBe(3);
    expect(sameBytes(b.bench.ram.contents(), a.bench.ram.contents())).toBe(true);
  });
});

describe("a block device and wrong requests (case 29)", () => {
  it("case 29: answers IOERR for sectors beyond the disk, and touches none of them", () => {
    const { disk, request } = start(noting());
    for (const [sector, length] of [
      [64, 512],
      [63, 1024],
      [0, 65 * 512],
      [2 ** 53, 512],
      [0xffff_ffff_ffff_ffffn, 512],
      [0x007f_ffff_ffff_ffffn, 512],
      [2n ** 55n, 512],
    ] as const) {
      expect(request(type.in, sector, [{ write: length }])).toMatchObject({ length: 1, status: ioError });
      expect(request(type.out, sector, [{ read: new Uint8Array(length) }])).toMatchObject({ status: ioError });
      expect(request(type.discard, 0, [ranges([63, 2, 0])])).toMatchObject({ status: ioError });
    }
    expect(disk.log).toEqual([]);
  });

  it("case 29: answers IOERR for a length which is no number of sectors", () => {
    const { disk, request } = start(noting());
    for (const length of [1, 511, 513]) {
      expect(request(type.in, 0, [{ write: length }])).toMatchObject({ length: 1, status: ioError });
      expect(request(type.out, 0, [{ read: new Uint8Array(length) }])).toMatchObject({ status: ioError });
    }
    expect(disk.log).toEqual([]);
  });

  it("case 29: answers UNSUPP for a type it does not know", () => {
    const { request } = start(patternDisk());
    for (const kind of [type.scsi, 3, 5, type.lifetime, type.erase, 0x8000_0000, 0xffff_ffff])
      expect(request(kind, 0)).toMatchObject({ length: 1, status: unsupported });
  });

  it("case 29: answers UNSUPP for discard and write-zeroes which were not accepted", () => {
    const { request } = start(patternDisk(), bits.version1);
    expect(request(type.discard, 0, [ranges([0, 1, 0])]).status).toBe(unsupported);
    expect(request(type.writeZeroes, 0, [ranges([0, 1, 0])]).status).toBe(unsupported);
  });

  it("case 29: answers IOERR to every change of a read-only disk, and changes nothing (5.2.6.2)", () => {
    const disk = new NotingDisk(patternDisk().bytes, "sealed", true);
    const { driver, request } = start(disk);
    expect(driver.offered() & (bits.blkReadOnly | bits.blkDiscard | bits.blkConfigWce)).toBe(bits.blkReadOnly);
    expect(request(type.out, 0, [{ read: new Uint8Array(512) }]).status).toBe(ioError);
    expect(request(type.discard, 0, [ranges([0, 1, 0])]).status).toBe(ioError);
    expect(request(type.writeZeroes, 0, [ranges([0, 1, 0])]).status).toBe(ioError);
    expect(disk.log).toEqual([]);
    expect(request(type.in, 0, [{ write: 512 }]).status).toBe(ok);
  });

  it("case 29: answers IOERR for a flush of a sector and for an ID of other than 20 bytes", () => {
    const { request } = start(patternDisk());
    expect(request(type.flush, 1).status).toBe(ioError);
    for (const length of [0, 19, 21, 512]) expect(request(type.getId, 0, [{ write: length }]).status).toBe(ioError);
  });

  it("case 29: answers IOERR for too many ranges, parts of one, none, or too long a one; UNSUPP for flags", () => {
    const { disk, request } = start(noting());
    const five = ranges([0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0]);
    expect(request(type.discard, 0, [five]).status).toBe(ioError);
    expect(request(type.discard, 0, [{ read: new Uint8Array(15) }]).status).toBe(ioError);
    expect(request(type.discard, 0).status).toBe(ioError);
    expect(request(type.writeZeroes, 0, [ranges([0, 16385, 0])]).status).toBe(ioError);
    expect(request(type.discard, 0, [ranges([0, 1, 1])]).status).toBe(unsupported);
    expect(request(type.writeZeroes, 0, [ranges([0, 1, 2])]).status).toBe(unsupported);
    expect(disk.log).toEqual([]);
  });

  it("case 9: gives a chain without a place for the status back with length 0 and goes on (policy R2)", () => {
    const { bench, disk, driver, ring, request } = start(noting());
    ring.offer([{ read: blkHeader(type.out, 0) }, { read: new Uint8Array(512) }]);
    ring.offer([{ read: blkHeader(type.in, 0) }]);
    const noRam = ring.offer([{ read: blkHeader(type.in, 0) }, { write: 512 }, { write: 1 }]);
    ring.descriptor(noRam.head + 2, 2 ** 33, 1, 2, 0);
    driver.kick(0);
    bench.clock.advance(1e6);
    expect(ring.used().map((u) => u.length)).toEqual([0, 0, 0]);
    expect(disk.log).toEqual([]);
    expect(request(type.in, 0, [{ write: 512 }]).status).toBe(ok);
  });

  it("case 9: answers IOERR for a header which is short or not in RAM", () => {
    const { bench, driver, ring } = start(patternDisk());
    const short = ring.offer([{ read: blkHeader(type.in, 0).subarray(0, 15) }, { write: 513 }]);
    const away = ring.offer([{ read: blkHeader(type.in, 0) }, { write: 512 }, { write: 1 }]);
    ring.descriptor(away.head, 2 ** 33, 16, 1, away.head + 1);
    driver.kick(0);
    bench.clock.advance(1e6);
    expect([ring.written(short).at(-1), ring.written(away).at(-1)]).toEqual([ioError, ioError]);
    expect(ring.used().map((u) => u.length)).toEqual([1, 1]);
  });

  it("case 9: does not write data to a buffer which the driver gave to be read", () => {
    const { request, bench } = start(patternDisk());
    const { length, status } = request(type.in, 1, [{ read: new Uint8Array(512).fill(0x77) }]);
    expect([length, status]).toEqual([1, ok]);
    expect(bench.ram.contents().includes(0x77)).toBe(true);
  });

  it("case 3: answers IOERR for data outside of RAM, and writes nothing of it to disk or memory", () => {
    const { bench, disk, driver, ring } = start(noting());
    const out = ring.offer([{ read: blkHeader(type.out, 0) }, { read: new Uint8Array(512) }, { write: 1 }]);
    ring.descriptor(out.head + 1, 2 ** 20 - 256, 512, 1, out.head + 2);
    const into = ring.offer([{ read: blkHeader(type.in, 0) }, { write: 512 }, { write: 512 }, { write: 1 }]);
    ring.descriptor(into.head + 2, 2 ** 20 - 256, 512, 3, into.head + 3);
    driver.kick(0);
    bench.clock.advance(1e6);
    expect([ring.written(out).at(-1), ring.written(into).at(-1)]).toEqual([ioError, ioError]);
    expect(disk.log).toEqual([]);
    expect(
      ring
        .written(into)
        .subarray(0, 512)
        .every((byte) => byte === 0),
    ).toBe(true);
  });
});

describe("a block device over a disk which can fill several places", () => {
  class VectoredDisk extends NotingDisk {
    readv(offset: number, into: readonly Uint8Array[]): boolean {
      this.log.push(`readv ${offset}+${into.map(({ length }) => length)}`);
      scatter(this.bytes.subarray(offset), into);
      return !this.fail;
    }
  }

  /** The status of a request whose sector lies half behind the end of RAM. */
  function outsideOfRam({ bench, ring, driver }: ReturnType<typeof start>, kind: number): number | undefined {
    bench.ram.load(0x6_0000, blkHeader(kind, 0));
    ring.descriptor(40, 0x6_0000, 16, 1, 41);
    ring.descriptor(41, ramSize - 256, 512, kind === type.in ? 3 : 1, 42);
    ring.descriptor(42, 0x6_1000, 1, 2, 0);
    ring.makeAvailable(40);
    driver.kick(0);
    bench.clock.advance(1e9);
    return bench.ram.contents()[0x6_1000];
  }

  it("has it fill the driver's own buffers, and writes from one of its own", () => {
    const { disk, request } = start(new VectoredDisk(patternDisk().bytes));
    const { length, status, data } = request(type.in, 3, [{ write: 100 }, { write: 412 }, { write: 512 }]);
    expect([length, status]).toEqual([1025, ok]);
    expect(data).toEqual(disk.bytes.subarray(3 * 512, 5 * 512));
    expect(request(type.out, 5, [{ read: data.subarray(0, 200) }, { read: data.subarray(200) }]).status).toBe(ok);
    expect(disk.bytes.subarray(5 * 512, 7 * 512)).toEqual(data);
    expect(disk.log).toEqual(["readv 1536+100,412,512", "write 2560+1024"]);
  });

  it("has it take what it writes from there, where it can do that too", () => {
    class Both extends VectoredDisk {
      writev(offset: number, from: readonly Uint8Array[]): boolean {
        this.log.push(`writev ${offset}+${from.map(({ length }) => length)}`);
        if (!this.fail) this.bytes.set(Buffer.concat(from), offset);
        return !this.fail;
      }
    }
    const started = start(new Both(patternDisk().bytes));
    const { disk, request } = started;
    const data = new Uint8Array(1024).map((_, i) => i * 7);
    const buffers = [{ read: data.subarray(0, 200) }, { read: data.subarray(200) }];
    expect(request(type.out, 5, buffers)).toMatchObject({ length: 1, status: ok });
    expect(disk.bytes.subarray(5 * 512, 7 * 512)).toEqual(data);
    disk.fail = true;
    expect(request(type.out, 5, buffers)).toMatchObject({ length: 1, status: ioError });
    expect(disk.log).toEqual(["writev 2560+200,824", "writev 2560+200,824"]);
    // And is not asked for what lies outside of RAM.
    expect([outsideOfRam(started, type.out), disk.log.length]).toEqual([ioError, 2]);
  });

  it("is as fast as that disk is, where time is the host's own: 4 GB/s are no reason to make a driver wait", () => {
    const { bench, ring, driver } = start(new VectoredDisk(new Uint8Array(2 ** 20)));
    bench.clock.isHostTime = true;
    bench.ram.load(0x6_0000, blkHeader(type.in, 0));
    ring.descriptor(0, 0x6_0000, 16, 1, 1);
    for (let i = 1; i <= 32; i++) ring.descriptor(i, 0x2_0000, 8192, 1 | 2, i + 1);
    ring.descriptor(33, 0x6_1000, 1, 2, 0);
    for (let i = 0; i < 100; i++) {
      ring.makeAvailable(0);
      driver.kick(0);
      bench.clock.advance(0);
      expect(ring.used(), `request ${i}`).toEqual([{ head: 0, length: 2 ** 18 + 1 }]);
      bench.clock.advance(65_536);
    }
  });

  it("passes on its error, and does not ask for what would lie outside of RAM", () => {
    const started = start(new VectoredDisk(patternDisk().bytes));
    const { disk, request } = started;
    disk.fail = true;
    expect(request(type.in, 0, [{ write: 512 }])).toMatchObject({ status: ioError, length: 1 });
    disk.log.length = 0;
    expect([outsideOfRam(started, type.in), disk.log]).toEqual([ioError, []]);
  });

  it("fills them again, with what is on the disk by then, in a machine that was restored in between", () => {
    const { bench, ring, driver, device, disk } = start(new VectoredDisk(patternDisk().bytes));
    const offered = ring.offer([{ read: blkHeader(type.in, 0) }, { write: 512 }, { write: 1 }]);
    driver.kick(0);
    device.restored();
    bench.clock.advance(1e9);
    expect(ring.used()).toEqual([{ head: offered.head, length: 513 }]);
    expect(ring.written(offered).at(-1)).toBe(ok);
    expect(disk.log).toEqual(["readv 0+512", "readv 0+512"]);
  });
});

describe("a block device and a request of more than 16 MiB", () => {
  const megabyte = 2 ** 20;

  /** A disk whose half megabytes are told by their first byte, and a request for 32 of them into the same half of RAM, and 64 KiB. */
  function large(direction: "in" | "out", hostTime = false) {
    const bytes = new Uint8Array(20 * megabyte);
    for (let i = 0; i < 40; i++) bytes[(i * megabyte) / 2] = i + 1;
    const started = start(new NotingDisk(bytes));
    const { bench, ring } = started;
    bench.clock.isHostTime = hostTime;
    bench.ram.load(0x6_0000, blkHeader(type[direction], 0));
    const chained = direction === "in" ? 3 : 1;
    ring.descriptor(0, 0x6_0000, 16, 1, 1);
    for (let i = 1; i < 33; i++) ring.descriptor(i, 0x8_0000, megabyte / 2, chained, i + 1);
    ring.descriptor(33, 0x7_0000, 0x1_0000, chained, 34);
    ring.descriptor(34, 0x6_1000, 1, 2, 0);
    bench.ram.load(0x6_1000, Uint8Array.of(0xff));
    ring.makeAvailable(0);
    started.driver.kick(0);
    return started;
  }

  it("reads it in pieces, each at its modelled time, and says how much it was at the end", () => {
    const { bench, ring, disk } = large("in");
    const piece = 16 * megabyte;
    bench.clock.advance(50_000 + 2 * piece);
    expect([ring.usedIndex, bench.ram.contents()[0x7_0000]]).toEqual([0, 0]);
    bench.clock.advance(50_000 + 2 * 0x1_0000);
    expect([ring.used()[0]?.length, bench.ram.contents()[0x6_1000]]).toEqual([piece + 0x1_0000 + 1, ok]);
    expect([bench.ram.contents()[0x7_0000], bench.ram.contents()[0x8_0000]]).toEqual([33, 32]);
    expect(disk.log).toEqual([`read 0+${piece}`, `read ${piece}+65536`]);
  });

  it("waits for later pieces also where time is the host's own, so that many of them do not hold the host", () => {
    const { bench, ring, disk } = large("in", true);
    const piece = 16 * megabyte;
    bench.clock.advance(0);
    expect([disk.log, ring.usedIndex]).toEqual([[`read 0+${piece}`, `read ${piece}+65536`], 0]);
    bench.clock.advance(50_000 + 2 * 0x1_0000);
    expect(ring.usedIndex).toBe(1);
  });

  it("writes it in pieces", () => {
    const { bench, ring, disk } = large("out");
    bench.clock.advance(1e9);
    expect([ring.used()[0]?.length, bench.ram.contents()[0x6_1000]]).toEqual([1, ok]);
    expect(disk.log).toEqual([`write 0+${16 * megabyte}`, `write ${16 * megabyte}+65536`]);
  });

  it("lets others in between, and says IOERR when the disk does for a later piece", () => {
    const { bench, ring, disk, driver } = large("in");
    ring.descriptor(40, 0x6_2000, 16, 1, 41);
    bench.ram.load(0x6_2000, blkHeader(type.in, 3));
    ring.descriptor(41, 0x6_3000, 512, 3, 42);
    ring.descriptor(42, 0x6_1001, 1, 2, 0);
    ring.makeAvailable(40);
    driver.kick(0);
    disk.fail = true;
    bench.clock.advance(1e9);
    expect(ring.used().map(({ length }) => length)).toEqual([513, 16 * megabyte + 1]);
    expect([...bench.ram.contents().subarray(0x6_1000, 0x6_1002)]).toEqual([ioError, ok]);
  });

  it("touches no disk for one with a byte outside of RAM", () => {
    const started = start(new NotingDisk(new Uint8Array(20 * megabyte)));
    const { bench, ring, disk } = started;
    bench.ram.load(0x6_0000, blkHeader(type.out, 0));
    ring.descriptor(0, 0x6_0000, 16, 1, 1);
    for (let i = 1; i < 34; i++) ring.descriptor(i, 0x8_0000, megabyte / 2, 1, i + 1);
    ring.descriptor(34, megabyte - 256, 512, 1, 35);
    ring.descriptor(35, 0x6_1000, 1, 2, 0);
    ring.makeAvailable(0);
    started.driver.kick(0);
    bench.clock.advance(1e9);
    expect([bench.ram.contents()[0x6_1000], disk.log]).toEqual([ioError, []]);
  });

  it("goes on with the same piece after it was saved and restored", () => {
    const a = large("in");
    a.bench.clock.advance(40_000_000);
    expect(a.disk.log).toHaveLength(2);
    const b = plugBlk(new NotingDisk(a.disk.bytes.slice()));
    b.bench.ram.load(0, a.bench.ram.contents());
    b.bench.clock.advance(a.bench.clock.now);
    for (const [i, part] of b.fn.parts.entries()) part.state.restore(a.fn.parts[i]?.state.save() ?? {});
    for (const part of b.fn.parts) part.restored?.();
    for (const { bench } of [a, b]) bench.clock.advance(1e9);
    expect(sameBytes(b.bench.ram.contents(), a.bench.ram.contents())).toBe(true);
    expect(a.ring.usedIndex).toBe(1);
  });
});

describe("a block device's configuration", () => {
  it("has a geometry and a topology of single sectors, and sets no limit to a buffer (5.2.4)", () => {
    const { bench, fn } = plugBlk(new MemoryBlock(new Uint8Array(131_072 * 512)), { queueSize: 256 });
    const driver = new ModernDriver(bench, fn);
    const offered = driver.offered();
    // SIZE_MAX, SEG_MAX, GEOMETRY, BLK_SIZE, TOPOLOGY (section 5.2.3).
    expect([1n, 2n, 4n, 6n, 10n].map((n) => (offered >> n) & 1n)).toEqual([0n, 1n, 1n, 1n, 1n]);
    expect([driver.readConfig(0, 4), driver.readConfig(12, 4), driver.readConfig(20, 4)]).toEqual([131_072, 254, 512]);
    // 16 heads of 63 sectors.
    expect([driver.readConfig(16, 2), driver.readConfig(18, 1), driver.readConfig(19, 1)]).toEqual([130, 16, 63]);
    expect([driver.readConfig(24, 1), driver.readConfig(25, 1), driver.readConfig(26, 2)]).toEqual([0, 0, 1]);
  });
});
