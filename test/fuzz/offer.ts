import type { Random } from "../campaign/random.ts";
import { has, kick, type Placed, type Plan, ringsAt } from "./drive.ts";
import { type Script, step, stride } from "./script.ts";
import type { Request, Subject } from "./subject.ts";

/** Queues which a driver sets up: of those of a console with many ports the rest has nothing to say. */
export const mostQueues = 5;
/** Behind their rings. */
export const buffersAt = 0xc000;
/** Guest memory which scripts use: cleared before each. */
export const playground = 0x1_8000;

/** Memory which no driver gives away: a descriptor behind each indirect table leads there, for a device which reads one too many. */
const nobodys = 0x800;

const next = 1;
const write = 2;
const table = 4;
const available = 0x80;
const used = 0x8000;

/** A buffer of a request. */
interface Cut {
  readonly at: number;
  readonly length: number;
  readonly writable: boolean;
}

/** Where a driver is in its rings, and which memory it has given away. */
export class Offering {
  #room = buffersAt;
  readonly #available = new Uint16Array(8);
  readonly #descriptor = new Uint16Array(8);
  readonly #wrap = new Uint8Array(8);
  readonly #ids = new Uint16Array(8);
  /** Descriptors of each ring which were filled: a second time only by a driver which does not wait for the device. */
  readonly #filled = new Uint16Array(8);

  begin(): void {
    this.#filled.fill(0);
    this.#room = buffersAt;
    this.#available.fill(0);
    this.#descriptor.fill(0);
    this.#wrap.fill(1);
    this.#ids.fill(0);
  }

  /** Cuts a request into buffers, places them and makes them available. False when there is no memory left. */
  offer(script: Script, ring: Placed, request: Request, random: Random | undefined, indirect: boolean): boolean {
    const cuts: Cut[] = [];
    const most = Math.max(1, indirect ? ring.size : Math.min(ring.size, 4));
    this.#cut(cuts, request.read.length + request.data, false, random, most - (request.write > 0 ? 1 : 0));
    this.#cut(cuts, request.write, true, random, most);
    if (cuts.length === 0) cuts.push({ at: this.#room, length: 0, writable: false });
    if (this.#room > playground - 0x1000 || cuts.length > ring.size) return false;
    this.#load(script, cuts, request);
    const { queue, little } = ring;
    this.#filled[queue] = (this.#filled[queue] as number) + (indirect ? 1 : cuts.length);
    if ((this.#filled[queue] as number) > ring.size) script.exact = false;
    const first = this.#descriptor[queue] as number;
    if (ring.packed) this.#packed(script, ring, cuts, indirect);
    else {
      if (indirect) {
        const at = this.#take(16 * cuts.length + 16);
        put(script, at + 16 * cuts.length, nobodys, 256, write, 0, little);
        for (let i = 0; i < cuts.length; i++) {
          const cut = cuts[i] as Cut;
          const last = i === cuts.length - 1;
          put(
            script,
            at + 16 * i,
            cut.at,
            cut.length,
            (cut.writable ? write : 0) | (last ? 0 : next),
            last ? 0 : i + 1,
            little,
          );
        }
        put(script, ring.descriptors + 16 * first, at, 16 * cuts.length, table, 0, little);
        this.#descriptor[queue] = (first + 1) % ring.size;
      } else
        for (let i = 0; i < cuts.length; i++) {
          const cut = cuts[i] as Cut;
          const index = this.#descriptor[queue] as number;
          const behind = (index + 1) % ring.size;
          const last = i === cuts.length - 1;
          const flags = (cut.writable ? write : 0) | (last ? 0 : next);
          put(script, ring.descriptors + 16 * index, cut.at, cut.length, flags, last ? 0 : behind, little);
          this.#descriptor[queue] = behind;
        }
      const index = this.#available[queue] as number;
      script.put16(ring.driver + 4 + 2 * (index % ring.size), first, little);
      this.#available[queue] = index + 1;
      script.put16(ring.driver + 2, index + 1, little);
    }
    return true;
  }

  #packed(script: Script, ring: Placed, cuts: readonly Cut[], indirect: boolean): void {
    const { queue } = ring;
    const id = this.#ids[queue] as number;
    this.#ids[queue] = (id + 1) % ring.size;
    if (indirect) {
      const at = this.#take(16 * cuts.length + 16);
      put(script, at + 16 * cuts.length, nobodys, 256, 0, write, true);
      for (const [i, cut] of cuts.entries())
        put(script, at + 16 * i, cut.at, cut.length, 0, cut.writable ? write : 0, true);
      this.#putPacked(script, ring, at, 16 * cuts.length, id, table);
    } else
      for (const [i, cut] of cuts.entries())
        this.#putPacked(
          script,
          ring,
          cut.at,
          cut.length,
          id,
          (cut.writable ? write : 0) | (i === cuts.length - 1 ? 0 : next),
        );
  }

  #putPacked(script: Script, ring: Placed, at: number, length: number, id: number, flags: number): void {
    const { queue } = ring;
    const index = this.#descriptor[queue] as number;
    const mark = this.#wrap[queue] === 1 ? available : used;
    put(script, ring.descriptors + 16 * index, at, length, id, flags | mark, true);
    if (index + 1 === ring.size) this.#wrap[queue] = (this.#wrap[queue] as number) ^ 1;
    this.#descriptor[queue] = (index + 1) % ring.size;
  }

  #cut(cuts: Cut[], length: number, writable: boolean, random: Random | undefined, most: number): void {
    let left = length;
    while (left > 0) {
      const whole = random === undefined || cuts.length + 1 >= most || random.below(3) > 0;
      const part = whole ? left : random.below(left + 1);
      cuts.push({ at: this.#take(part), length: part, writable });
      left -= part;
      if (cuts.length > 64) return;
    }
  }

  #load(script: Script, cuts: readonly Cut[], { read, data, byte }: Request): void {
    let from = 0;
    for (const { at, length, writable } of cuts) {
      if (writable) return;
      // Whole words; what is behind the buffer's end is nobody's yet.
      const given = Math.min(length, Math.max(0, read.length - from));
      if (data > 0 && given < length) script.add(step.fill, at + given, length - given, byte, 0);
      for (let i = 0; i < given; i += 4) {
        if (i + 4 <= given || data === 0) script.put(at + i, word(read, from + i), true);
        else for (let b = i; b < given; b++) script.add(step.fill, at + b, 1, read[from + b] as number, 0);
      }
      from += length;
    }
  }

  #take(length: number): number {
    const at = this.#room;
    this.#room = (at + length + 15) & ~15;
    return at;
  }
}

function word(bytes: readonly number[], at: number): number {
  if (at + 4 > bytes.length)
    return ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16)) >>> 0;
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  return low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
}

/** A descriptor of either format: the two halves of its last word are flags and next, or ID and flags. */
function put(
  script: Script,
  at: number,
  address: number,
  length: number,
  first: number,
  second: number,
  little: boolean,
): void {
  script.put(at, little ? address : 0, little);
  script.put(at + 4, little ? 0 : address, little);
  script.put(at + 8, length, little);
  script.put16(at + 12, first, little);
  script.put16(at + 14, second, little);
}

const addresses = [
  0,
  1,
  0xf_fff0,
  0x10_0000,
  0xffff_fffe,
  0xffff_ffff,
  0xe040_4000,
  0xfee0_0000,
  0x8000_0000,
  ringsAt,
  buffersAt,
];
const words = [
  0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 0x7f, 0x80, 0xff, 0x100, 0x1000, 0x7fff, 0x8000, 0xffff, 0x1_0000,
];

/** A value which somebody has got wrong before. */
export function nasty(random: Random): number {
  switch (random.below(4)) {
    case 0:
      return random.pick(addresses);
    case 1:
      return random.word();
    case 2:
      return 16 * random.below(playground / 16);
    default:
      return random.pick(words);
  }
}

/** Steps of a hostile guest: chains which make sense or not, kicks, time, and stray accesses. */
export function attack(
  script: Script,
  random: Random,
  subject: Subject,
  plan: Plan,
  offering: Offering,
  bars: readonly { readonly index: number; readonly size: number }[],
): void {
  for (let rounds = 1 + random.below(3); rounds > 0; rounds--) {
    const ring = random.pick(plan.queues);
    const from = script.length;
    for (let chains = 1 + random.below(3); chains > 0; chains--) {
      const request = subject.request(random, ring.queue, ring.little);
      if (!offering.offer(script, ring, request, random, has(plan, "indirect") && random.once(3))) break;
    }
    if (random.once(2)) mutate(script, random, from);
    if (random.once(6)) scribble(script, random, ring);
    if (!random.once(8)) kick(script, plan, ring.queue);
    if (random.once(4)) script.add(step.event, random.below(6), random.word(), 0, 0);
    if (!random.once(4)) script.advance(random.pick([0, 1_000, 30_000, 60_000, 200_000, 2_000_000]));
    if (random.once(6)) stray(script, random, bars);
    if (random.once(12)) stray(script, random, bars);
  }
}

/** Changes some of the numbers written to memory since `from`. */
function mutate(script: Script, random: Random, from: number): void {
  script.exact = false;
  const count = (script.length - from) / stride;
  if (count === 0) return;
  for (let n = 1 + random.below(4); n > 0; n--) {
    // Descriptors and the ring stand at the end, the bytes of requests before them.
    const nth = random.once(2) ? count - 1 - random.below(Math.min(count, 12)) : random.below(count);
    const at = from + nth * stride;
    const before = script.steps[at + 2] as number;
    const value = random.once(3) ? ((1 << random.below(16)) ^ before) >>> 0 : nasty(random);
    const code = script.steps[at];
    if (code === step.put) script.steps[at + 2] = value;
    else if (code === step.put16) script.steps[at + 2] = value & 0xffff;
  }
}

/** Writes over the parts of a ring. */
function scribble(script: Script, random: Random, ring: Placed): void {
  script.exact = false;
  for (let n = 1 + random.below(6); n > 0; n--) {
    const base = random.pick([ring.descriptors, ring.driver, ring.device]);
    const value = random.once(2) ? nasty(random) : random.below(2 * ring.size);
    script.put16(base + 2 * random.below(40), value, ring.little);
  }
}

const widths = [1, 2, 4] as const;

/** An access to some register. */
export function stray(
  script: Script,
  random: Random,
  bars: readonly { readonly index: number; readonly size: number }[],
): void {
  const bar = random.pick(bars);
  const width = random.pick(widths);
  switch (random.below(6)) {
    case 0:
      script.exact = false;
      script.configWrite(random.below(256), width, nasty(random));
      break;
    case 1:
      script.add(step.configRead, 0, random.below(256), width, 0);
      break;
    case 2:
    case 3:
      script.exact = false;
      script.write(bar.index, random.once(3) ? random.below(bar.size) : random.below(64), width, nasty(random));
      break;
    case 4:
      script.exact = false;
      script.write(
        bar.index,
        random.pick([0x3000 + 4 * random.below(5), 8, 12, 14, 16, 18, 20, 0x14, 0x16, 0x18, 0x1c, 0x3a]),
        width,
        random.below(16),
      );
      break;
    default:
      script.read(bar.index, random.below(bar.size), width);
  }
}
