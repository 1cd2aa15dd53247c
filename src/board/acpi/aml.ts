/**
 * ACPI machine language, as much of it as the PC's DSDT says (ACPI 6.4 chapter 20). A term is its encoded bytes.
 */
export type Aml = readonly number[];

const little = (value: number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, i) => Math.floor(value / 2 ** (8 * i)) & 0xff);

/** A constant, in the shortest of its forms (20.2.3). */
export function integer(value: number): Aml {
  if (value === 0 || value === 1) return [value];
  if (value <= 0xff) return [0x0a, value];
  if (value <= 0xffff) return [0x0b, ...little(value, 2)];
  if (value <= 0xffff_ffff) return [0x0c, ...little(value, 4)];
  return [0x0e, ...little(value, 8)];
}

/** A name or path: four characters a segment, filled up with underscores (20.2.2). `\` and `^` may stand in front. */
export function path(name: string): Aml {
  const prefix = /^(\\|\^*)/.exec(name)?.[0] ?? "";
  const rest = name.slice(prefix.length);
  const segments = rest === "" ? [] : rest.split(".");
  const bytes = [...prefix].map((c) => c.charCodeAt(0));
  if (segments.length === 0) bytes.push(0);
  else if (segments.length === 2) bytes.push(0x2e);
  else if (segments.length > 2) bytes.push(0x2f, segments.length);
  for (const segment of segments) {
    if (!/^[A-Z_][A-Z0-9_]{0,3}$/.test(segment)) throw new RangeError(`${segment} is no ACPI name`);
    for (const c of segment.padEnd(4, "_")) bytes.push(c.charCodeAt(0));
  }
  return bytes;
}

/** The length of a package, which counts its own bytes too (20.2.4). */
function packageLength(content: number): number[] {
  if (content + 1 <= 0x3f) return [content + 1];
  for (let extra = 1; extra <= 3; extra++) {
    const total = content + 1 + extra;
    if (total < 2 ** (4 + 8 * extra)) return [(extra << 6) | (total & 0xf), ...little(Math.floor(total / 16), extra)];
  }
  throw new RangeError("an AML package of 256 MiB");
}

function packaged(opcode: Aml, ...parts: readonly Aml[]): Aml {
  const content = parts.flat();
  return [...opcode, ...packageLength(content.length), ...content];
}

export const scope = (name: string, ...terms: readonly Aml[]): Aml => packaged([0x10], path(name), ...terms);
export const device = (name: string, ...terms: readonly Aml[]): Aml => packaged([0x5b, 0x82], path(name), ...terms);
export const named = (name: string, value: Aml): Aml => [0x08, ...path(name), ...value];
export const packageOf = (...elements: readonly Aml[]): Aml => packaged([0x12], [elements.length], ...elements);
export const buffer = (bytes: Aml): Aml => packaged([0x11], integer(bytes.length), bytes);

/** A serialized method of `count` arguments. */
export const method = (name: string, count: number, ...terms: readonly Aml[]): Aml =>
  packaged([0x14], path(name), [count | 8], ...terms);

export const returns = (value: Aml): Aml => [0xa4, ...value];
export const store = (value: Aml, target: Aml): Aml => [0x70, ...value, ...target];
export const and = (a: Aml, b: Aml, target: Aml = [0]): Aml => [0x7b, ...a, ...b, ...target];
export const or = (a: Aml, b: Aml, target: Aml = [0]): Aml => [0x7d, ...a, ...b, ...target];
export const when = (condition: Aml, ...terms: readonly Aml[]): Aml => packaged([0xa0], condition, ...terms);
export const dwordField = (source: Aml, byte: number, name: string): Aml => [
  0x8a,
  ...source,
  ...integer(byte),
  ...path(name),
];
/** The first argument of a method. */
export const arg0: Aml = [0x68];

/** A window on PCI configuration space (20.2.5.2). */
export const pciConfigRegion = (name: string, offset: number, length: number): Aml => [
  0x5b,
  0x80,
  ...path(name),
  2,
  ...integer(offset),
  ...integer(length),
];

/** Fields of a region, accessed by bytes; other bits of a byte are preserved. */
export const byteFields = (region: string, names: readonly string[]): Aml =>
  packaged([0x5b, 0x81], path(region), [1], ...names.map((name) => [...path(name), 8]));

/** The compressed form of a name like PNP0A03: three letters of 5 bits and four hex digits, the high byte first (6.1.5). */
export function eisaId(id: string): Aml {
  const letter = (i: number) => id.charCodeAt(i) - 0x40;
  const letters = (letter(0) << 10) | (letter(1) << 5) | letter(2);
  const product = Number.parseInt(id.slice(3), 16);
  return [0x0c, letters >>> 8, letters & 0xff, product >>> 8, product & 0xff];
}
