import { LoadError } from "../loader/load-error.ts";

/**
 * Flattened device trees, version 17 (Devicetree Specification 0.4, chapter 5). All of it is big-endian.
 */
export interface FdtNode {
  /** With its unit address; empty for the root. */
  readonly name: string;
  readonly properties: Readonly<Record<string, Uint8Array>>;
  readonly children: readonly FdtNode[];
}

/** A range of memory which the operating system must leave alone. */
export interface FdtReservation {
  readonly address: number;
  readonly size: number;
}

const magic = 0xd00d_feed;
const headerSize = 40;
const token = { beginNode: 1, endNode: 2, property: 3, nop: 4, end: 9 } as const;

/** Limits for what is read: a tree from outside may be anything. */
const largest = 1 << 20;
const deepest = 64;

/** 32-bit cells. */
export function cells(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value);
  return bytes;
}

/** The two cells of a 64-bit number. */
export function wide(value: number): readonly [high: number, low: number] {
  return [Math.floor(value / 2 ** 32), value % 2 ** 32];
}

/** Strings, each with its zero. */
export function strings(...values: readonly string[]): Uint8Array {
  return new TextEncoder().encode(`${values.join("\0")}\0`);
}

/** A property without a value: it is there or not. */
export const present = new Uint8Array(0);

/** @param bootCpu the physical identifier of the processor which boots. */
export function writeFdt(root: FdtNode, reservations: readonly FdtReservation[] = [], bootCpu = 0): Uint8Array {
  const structure = new Words();
  const names = new NameBlock();
  const add = (node: FdtNode): void => {
    structure.word(token.beginNode).bytes(strings(node.name));
    for (const [name, value] of Object.entries(node.properties))
      structure.word(token.property).word(value.length).word(names.offset(name)).bytes(value);
    for (const child of node.children) add(child);
    structure.word(token.endNode);
  };
  add(root);
  structure.word(token.end);

  const reserved = new Words();
  for (const { address, size } of [...reservations, { address: 0, size: 0 }])
    reserved.word(...wide(address)).word(...wide(size));
  const structureAt = headerSize + reserved.length;
  const namesAt = structureAt + structure.length;
  const total = namesAt + names.bytes().length;
  const header = [
    magic,
    total,
    structureAt,
    namesAt,
    headerSize,
    17,
    16,
    bootCpu,
    names.bytes().length,
    structure.length,
  ];
  const tree = new Uint8Array(total);
  tree.set(cells(...header));
  tree.set(reserved.done(), headerSize);
  tree.set(structure.done(), structureAt);
  tree.set(names.bytes(), namesAt);
  return tree;
}

/** @throws LoadError when it is not a device tree of version 16 or 17, or is broken. */
export function readFdt(bytes: Uint8Array): { root: FdtNode; reservations: readonly FdtReservation[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < headerSize || view.getUint32(0) !== magic) throw new LoadError("not a device tree");
  const total = view.getUint32(4);
  if (total > bytes.length || total > largest) throw new LoadError("a device tree which is cut short, or too large");
  if (view.getUint32(20) < 16 || view.getUint32(24) > 17) throw new LoadError("a device tree of an unknown version");
  const word = (at: number): number => {
    if (at + 4 > total) throw new LoadError("a device tree which is cut short");
    return view.getUint32(at);
  };
  const text = (at: number): string => {
    const end = bytes.indexOf(0, at);
    if (at >= total || end < 0 || end >= total) throw new LoadError("a device tree with a name without an end");
    return new TextDecoder().decode(bytes.subarray(at, end));
  };
  const names = word(12);
  let at = word(8);
  const node = (depth: number): FdtNode => {
    if (depth > deepest) throw new LoadError("a device tree which is too deep");
    const name = text(at);
    at = align(bytes.indexOf(0, at) + 1);
    const properties: Record<string, Uint8Array> = Object.create(null);
    const children: FdtNode[] = [];
    for (;;) {
      const kind = word(at);
      at += 4;
      if (kind === token.endNode) return { name, properties: { ...properties }, children };
      if (kind === token.beginNode) children.push(node(depth + 1));
      else if (kind === token.property) {
        const length = word(at);
        if (at + 8 + length > total) throw new LoadError("a device tree which is cut short");
        properties[text(names + word(at + 4))] = bytes.slice(at + 8, at + 8 + length);
        at = align(at + 8 + length);
      } else if (kind !== token.nop) throw new LoadError("a device tree with an unknown token");
    }
  };
  const reservations: FdtReservation[] = [];
  for (let entry = word(16); ; entry += 16) {
    const address = word(entry) * 2 ** 32 + word(entry + 4);
    const size = word(entry + 8) * 2 ** 32 + word(entry + 12);
    if (address === 0 && size === 0) break;
    reservations.push({ address, size });
  }
  while (word(at) === token.nop) at += 4;
  if (word(at) !== token.beginNode) throw new LoadError("a device tree without a root");
  at += 4;
  return { root: node(0), reservations };
}

function align(at: number): number {
  return (at + 3) & ~3;
}

class Words {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  word(...values: readonly number[]): this {
    for (const byte of cells(...values)) this.#bytes.push(byte);
    return this;
  }

  /** Bytes, and zeros up to the next word. */
  bytes(values: Uint8Array): this {
    for (const byte of values) this.#bytes.push(byte);
    while (this.#bytes.length % 4 !== 0) this.#bytes.push(0);
    return this;
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** Property names, each once. */
class NameBlock {
  readonly #offsets = new Map<string, number>();
  #text = "";

  offset(name: string): number {
    let offset = this.#offsets.get(name);
    if (offset === undefined) {
      offset = this.#text.length;
      this.#offsets.set(name, offset);
      this.#text += `${name}\0`;
    }
    return offset;
  }

  bytes(): Uint8Array {
    return new TextEncoder().encode(this.#text);
  }
}
