import { dataAt } from "../support/x86-vectors.ts";
import { Random } from "./random.ts";
import { byMnemonic, type Opcode, opcodes, undefinedAtWorst, watchedFlags, type X86Case } from "./x86-case.ts";
import { floating } from "./x86-floating.ts";
import { type Fpu, Numbers, offset } from "./x86-fpu-state.ts";
import { Maker, someValue } from "./x86-maker.ts";
import { longestPiece, piece } from "./x86-transfers.ts";

/*
 * Cases by number. So many in a row are a family: the same code, which is what takes time to make, write and translate, on other values.
 */

export type Kind = "integer" | "float";

export const familySize = 64;
/** Of so many families regions run one, when both executors take part. */
const translatedOf = 8;

const integers = byMnemonic(opcodes);
const plain = [0, 0xff, 0x80, 0x7f, 1];
const mnemonics = [...integers.keys()];

function integerCode(m: Maker): boolean {
  const { random } = m;
  let writes = false;
  const count = random.once(2) ? 1 : 2 + random.below(5);
  const chosen = Array.from({ length: count }, () =>
    random.pick(integers.get(random.pick(mnemonics)) as readonly Opcode[]),
  );
  for (const { row } of chosen) m.suit(row);
  const special = random.once(5) ? random.below(count) : -1;
  for (const [k, opcode] of chosen.entries()) {
    if (m.room < longestPiece + 4) break;
    if (k === special) writes = piece(m) || writes;
    else m.add(opcode.row.mnemonic, m.encode(opcode, { first: m.elements.length === 0 }));
    // What is undefined must not be looked at by the next one.
    if (k < count - 1 && undefinedAtWorst(opcode.row.mnemonic) !== 0) m.add("cmp", [0x39, 0xc0 | random.below(64)]);
  }
  return writes;
}

interface Family {
  readonly number: number;
  readonly seed: number;
  readonly kind: Kind;
  readonly maker: Maker;
  readonly writable: boolean;
}

function makeFamily(seed: number, number: number, kind: Kind): Family {
  const random = new Random(seed, number);
  const maker = new Maker(random, kind === "integer" || random.once(8));
  let writable = false;
  if (kind === "integer") writable = integerCode(maker);
  else floating(maker);
  return { number, seed, kind, maker, writable };
}

let last: Family | undefined;

/** States of the x87 and SSE to choose from: one takes long to make. */
class Pool {
  readonly images: readonly Fpu[];

  constructor(seed: number) {
    const numbers = new Numbers(new Random(seed, -1));
    this.images = Array.from({ length: 2048 }, () => numbers.fpu());
  }

  /** The words of one, the registers of another, and single registers of others still. */
  take(random: Random): Fpu {
    const image = random.pick(this.images).slice();
    image.set(random.pick(this.images).subarray(0, offset.st));
    for (let k = 0; k < 4; k++) {
      const at = offset.st + 16 * random.below(16);
      const from = offset.st + 16 * (random.below(8) + (at < offset.xmm ? 0 : 8));
      image.set(random.pick(this.images).subarray(from, from + 16), at);
    }
    return image;
  }

  /** 64 bytes of numbers. */
  memory(random: Random, into: Uint8Array, upTo: number): void {
    for (let k = 0; k < 64; k += 16) {
      const from = offset.st + 16 * random.below(16);
      const bytes = random.pick(this.images).subarray(from, from + 16);
      // What a register of the x87 leaves empty is filled by the end of another.
      into.set(bytes.subarray(0, Math.max(0, Math.min(16, upTo - k))), k);
      if (from < offset.xmm && k + 16 <= upTo) into.set(random.pick(this.images).subarray(282, 288), k + 10);
    }
  }
}

const pools = new Map<number, Pool>();
export function pool(seed: number): Pool {
  let found = pools.get(seed);
  if (found === undefined) {
    found = new Pool(seed);
    pools.set(seed, found);
  }
  return found;
}

/** Case `number` of a seed. */
export function x86Case(seed: number, number: number, kind: Kind = "integer"): X86Case {
  const which = Math.floor(number / familySize);
  if (last === undefined || last.number !== which || last.seed !== seed || last.kind !== kind)
    last = makeFamily(seed, which, kind);
  const { maker, writable } = last;
  const random = new Random(seed ^ 0x5bd1e995, number);
  return {
    elements: maker.elements,
    registers: maker.registers.map((value, k) => vary(random, maker, k, value)),
    flags: random.word() & watchedFlags,
    memory: memory(random, last),
    eip: maker.eip,
    selectors: maker.selectors,
    writable,
    fpu: kind === "float" ? pool(seed).take(random) : undefined,
    translated: which % translatedOf === 0,
  };
}

/** Another value, where no address depends on it, or an address near by. */
function vary(random: Random, maker: Maker, k: number, value: number): number {
  if ((maker.fixed >> k) & 1) {
    const pointer = value - dataAt < 0x1000 || value < 0x100;
    return maker.exact || k === 4 || !pointer || !random.once(4) ? value : (value + random.below(9) - 4) >>> 0;
  }
  if (random.once(3)) return (dataAt + random.below(60) - maker.base(3)) >>> 0;
  return someValue(random);
}

function memory(random: Random, { maker, kind, seed }: Family): Uint8Array {
  const bytes = maker.memory.slice();
  // What the code looks for stays where it is.
  const upTo = maker.pinned;
  if (kind === "float") pool(seed).memory(random, bytes, upTo);
  else if (random.once(4)) for (let k = 0; k < upTo; k++) bytes[k] = random.pick(plain);
  else {
    const view = new DataView(bytes.buffer);
    const whole = upTo & ~3;
    for (let k = 0; k < whole; k += 4) view.setUint32(k, random.word(), true);
    for (let k = whole; k < upTo; k++) bytes[k] = random.below(256);
  }
  return bytes;
}
