import { CharacterFifo, type CharacterSink } from "../../src/backend/character.ts";
import type { EntropySource } from "../../src/backend/entropy.ts";
import { MemoryBlock } from "../../src/backend/memory-block.ts";
import { Blk } from "../../src/virtio/device/blk/blk.ts";
import { VirtioConsole } from "../../src/virtio/device/console/console.ts";
import { VirtioNet } from "../../src/virtio/device/net/net.ts";
import { Rng } from "../../src/virtio/device/rng.ts";
import type { VirtioDevice } from "../../src/virtio/device.ts";
import { createVirtioPci } from "../../src/virtio/pci.ts";
import type { Random } from "../campaign/random.ts";
import { Bench } from "../support/bench.ts";
import { etherFrame, ownMac, TestCable } from "../support/net.ts";
import type { Form, Request, Rig, Subject } from "./subject.ts";

const queueSize = 8;

/** Plugs a device in. `probed` and the rest are the subject's. */
function plug(form: Form, make: (bench: Bench) => VirtioDevice): Pick<Rig, "bench" | "fn" | "queueSizes"> {
  const bench = new Bench();
  const device = make(bench);
  const { layout, packed, order } = form;
  const trace = bench.trace.channel("virtio");
  const fn = createVirtioPci(device, { layout, packed, guestOrder: () => order, clock: bench.clock, trace });
  bench.plug(fn);
  return { bench, fn, queueSizes: device.queueSizes };
}

/** Appends a number of so many bytes, in either order. */
function field(into: number[], little: boolean, value: number, width: number): void {
  for (let i = 0; i < width; i++) {
    const shift = little ? i : width - 1 - i;
    into.push(shift < 4 ? (value >>> (8 * shift)) & 0xff : 0);
  }
}

function toWrite(read: readonly number[], write: number): Request {
  return { read, data: 0, byte: 0, write };
}

function same(sent: ArrayLike<number> | undefined, wanted: readonly number[]): boolean {
  return sent?.length === wanted.length && wanted.every((byte, i) => sent[i] === byte);
}

const sectors = 64;

/** A disk whose answers come when the harness says so, or at once. */
class SlowDisk extends MemoryBlock {
  slow = false;
  failing = false;
  readonly #owed: (() => void)[] = [];

  override read(offset: number, into: Uint8Array, done: (ok: boolean) => void): void {
    this.#answer(() => (this.failing ? done(false) : super.read(offset, into, done)));
  }

  override write(offset: number, from: Uint8Array, done: (ok: boolean) => void): void {
    this.#answer(() => (this.failing ? done(false) : super.write(offset, from, done)));
  }

  answer(): void {
    for (const one of this.#owed.splice(0)) one();
  }

  #answer(one: () => void): void {
    if (this.slow) this.#owed.push(one);
    else one();
  }
}

const types = [0, 0, 0, 1, 1, 4, 8, 11, 13, 2, 0x8000_0000];

function blkHeader(little: boolean, type: number, sector: number): number[] {
  const header: number[] = [];
  field(header, little, type, 4);
  field(header, little, 0, 4);
  field(header, little, sector, 8);
  return header;
}

const blk: Subject = {
  name: "blk",
  features: [0xffff, 0],
  statusLast: true,
  rig(form) {
    const disk = new SlowDisk(Uint8Array.from({ length: sectors * 512 }, (_, i) => (i >>> 9) * 3 + i));
    const plugged = plug(
      form,
      ({ clock, trace }) => new Blk("blk0", { disk, clock, trace: trace.channel("virtio"), queueSize }),
    );
    return {
      ...plugged,
      event(what) {
        if (what < 2) disk.slow = what === 1;
        else if (what === 2) disk.failing = !disk.failing;
        else disk.answer();
      },
      settle() {
        disk.slow = false;
        disk.failing = false;
        // An answer may bring the next question.
        for (let n = 0; n < 100 && plugged.bench.clock.holds > 0; n++) disk.answer();
        disk.answer();
      },
      probed(written) {
        for (let i = 0; i < 512; i++)
          if (written[i] !== disk.bytes[512 + i]) return `byte ${i} of the sector is ${written[i]}`;
        return written[512] === 0 ? undefined : `status ${written[512]}`;
      },
    };
  },
  request(random, _queue, little) {
    const type = random.once(12) ? random.word() : random.pick(types);
    const sector = random.once(5) ? random.word() : random.below(sectors + 2);
    const header = blkHeader(little, type, sector);
    if (type === 1) return { read: header, data: 512 * random.below(3), byte: random.below(256), write: 1 };
    if (type === 11 || type === 13) {
      for (let runs = 1 + random.below(2); runs > 0; runs--) {
        field(header, little, random.below(70), 8);
        field(header, little, random.below(70), 4);
        field(header, little, random.below(3), 4);
      }
      return { read: header, data: 0, byte: 0, write: 1 };
    }
    if (type === 8) return toWrite(header, random.once(4) ? random.below(64) : 21);
    return toWrite(header, type === 4 ? 1 : random.once(6) ? random.below(600) : 1 + 512 * random.below(4));
  },
  probe: { queue: 0, queues: 1, used: 513 },
  probeRequest: (_way, little) => toWrite(blkHeader(little, 0, 1), 513),
};

/** Keeps the beginning of what it is given. */
class ShortSink implements CharacterSink {
  room = Number.POSITIVE_INFINITY;
  onRoom: (() => void) | undefined;
  readonly got = new Uint8Array(16);
  count = 0;

  write(bytes: Uint8Array): void {
    if (bytes.length > this.room) throw new Error("the sink was given more than it has room for");
    this.room -= bytes.length;
    const kept = Math.min(bytes.length, this.got.length - this.count);
    for (let i = 0; i < kept; i++) this.got[this.count + i] = bytes[i] as number;
    this.count += kept;
  }
}

const text = [0x70, 0x72, 0x6f, 0x62, 0x65];

const console: Subject = {
  name: "console",
  features: [3, 0],
  statusLast: false,
  rig(form) {
    const sink = new ShortSink();
    const source = new CharacterFifo();
    const plugged = plug(
      form,
      () => new VirtioConsole("console0", { output: sink, input: source, queueSize, size: { columns: 80, rows: 24 } }),
    );
    const some = new Uint8Array(256).fill(0x61);
    const drain = new Uint8Array(4096);
    return {
      ...plugged,
      event(what, amount) {
        if (what < 3) source.offer(some.subarray(0, amount & 0xff));
        else if (what === 3) sink.room = 0;
        else {
          sink.room = amount & 0xfff;
          sink.onRoom?.();
        }
      },
      settle() {
        sink.room = Number.POSITIVE_INFINITY;
        sink.count = 0;
        source.read(drain);
      },
      probed: () => {
        const sent = sink.got.subarray(0, sink.count);
        return same(sent, text) ? undefined : `${sent.join()} was sent`;
      },
    };
  },
  request(random, queue, little) {
    const length = random.once(8) ? random.below(5000) : random.below(80);
    if (queue === 3 && !random.once(4)) {
      const port = random.once(4) ? random.word() : 0;
      const message: number[] = [];
      field(message, little, port, 4);
      field(message, little, random.below(8), 2);
      field(message, little, random.below(3), 2);
      return toWrite(message, 0);
    }
    if ((queue & 1) === 0) return toWrite([], length);
    return { read: [], data: length, byte: 0x62, write: random.once(10) ? 8 : 0 };
  },
  probe: { queue: 1, queues: 2, used: 0 },
  probeRequest: () => toWrite(text, 0),
};

/** Bytes which are not zero, at no cost. */
class PlainEntropy implements EntropySource {
  #last = 0;

  fill(into: Uint8Array): void {
    this.#last = (this.#last + 2) & 0xff;
    into.fill(this.#last | 1);
  }
}

const rng: Subject = {
  name: "rng",
  features: [0, 0],
  statusLast: false,
  rig(form) {
    const plugged = plug(form, ({ clock }) => new Rng("rng0", { entropy: new PlainEntropy(), clock, queueSize }));
    return {
      ...plugged,
      event() {},
      settle() {},
      probed: (written) => (written.some((byte) => byte !== 0) ? undefined : "there are zeroes only"),
    };
  },
  request: (random) =>
    toWrite(random.once(6) ? [1, 2, 3, 4] : [], random.once(8) ? random.below(10_000) : random.below(100)),
  probe: { queue: 0, queues: 1, used: 64 },
  probeRequest: () => toWrite([], 64),
};

const headerSizes = [10, 12, 12, 12, 20, 32];
const probeFrame = [...etherFrame([2, 0, 0, 0, 0, 0x33], 60)];

const net: Subject = {
  name: "net",
  features: [0xffff_ffff & ~(7 << 27), (1 << 25) | (1 << 28)],
  statusLast: false,
  rig(form) {
    const cable = new TestCable();
    const plugged = plug(
      form,
      ({ clock, trace }) =>
        new VirtioNet("net0", {
          network: cable,
          clock,
          trace: trace.channel("virtio"),
          mac: Uint8Array.from(ownMac),
          queueSize,
        }),
    );
    const frames = [60, 14, 200, 1514, 1518, 2000].map((length) => etherFrame(ownMac, length, 0x0800));
    frames.push(etherFrame([255, 255, 255, 255, 255, 255], 100), new Uint8Array(3));
    return {
      ...plugged,
      event(what, amount) {
        cable.sent.length = 0;
        if (what < 3) cable.bring(frames[amount % frames.length] as Uint8Array);
        else if (what === 3) cable.room = 0;
        else if (what === 4) {
          cable.room = amount & 15;
          cable.onRoom?.();
        } else {
          cable.linkUp = !cable.linkUp;
          cable.onLink?.();
        }
      },
      settle() {
        cable.sent.length = 0;
        cable.waiting.length = 0;
        cable.room = Number.POSITIVE_INFINITY;
        if (!cable.linkUp) {
          cable.linkUp = true;
          cable.onLink?.();
        }
      },
      probed: () => (same(cable.sent[0], probeFrame) ? undefined : `${cable.sent.length} frames were sent`),
    };
  },
  request(random, queue, little): Request {
    if (queue === 4 || (queue === 2 && random.once(2))) return control(random, little);
    if ((queue & 1) === 0) return toWrite([], random.once(3) ? random.below(100) : random.below(2000));
    const size = random.pick(headerSizes);
    const header = new Array(size).fill(0);
    if (random.once(4)) header[0] = random.below(256);
    if (random.once(8)) header[1] = random.below(256);
    for (let i = 2; i < size; i++) if (random.once(8)) header[i] = random.below(random.once(2) ? 4 : 256);
    const length = random.once(6) ? random.below(14) : 14 + random.below(100);
    return { read: header, data: length, byte: random.below(256), write: 0 };
  },
  probe: { queue: 1, queues: 2, used: 0 },
  probeRequest: (way) => toWrite([...new Array(way === "modern" ? 12 : 10).fill(0), ...probeFrame], 0),
};

function control(random: Random, little: boolean): Request {
  const data: number[] = [random.below(5), random.below(6)];
  const macs = random.below(4);
  if (data[0] === 1) {
    field(data, little, macs, 4);
    for (let i = 0; i < 6 * macs; i++) data.push(2);
    field(data, little, random.below(3), 4);
  } else for (let n = random.below(140); n > 0; n--) data.push(random.once(3) ? random.below(256) : 0);
  return toWrite(data, random.once(8) ? 0 : 1);
}

export const subjects: Readonly<Record<string, Subject>> = { blk, console, rng, net };
