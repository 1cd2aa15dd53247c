import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ppce500 } from "../../machines/ppce500.ts";
import { e500Tree } from "../../src/board/e500-tree.ts";
import { cells, type FdtNode, readFdt, strings, writeFdt } from "../../src/board/fdt.ts";
import { LoadError } from "../../src/loader/load-error.ts";

const nodeTo: (depth: number) => fc.Arbitrary<FdtNode> = fc.memo((depth) =>
  fc.record({
    name: fc.stringMatching(/^[a-z0-9@,._+-]{0,12}$/),
    properties: fc.dictionary(fc.stringMatching(/^[a-z#,._?-]{1,10}$/), fc.uint8Array({ maxLength: 20 }), {
      noNullPrototype: true,
    }),
    children: depth > 1 ? fc.array(nodeTo(depth - 1), { maxLength: 3 }) : fc.constant([]),
  }),
);
const node = nodeTo(3);

describe("a flattened device tree", () => {
  it("is read as it was written", () => {
    const reservation = fc.record({ address: fc.integer({ min: 1, max: 2 ** 36 }), size: fc.nat() });
    fc.assert(
      fc.property(node, fc.array(reservation, { maxLength: 3 }), (root, reservations) => {
        expect(readFdt(writeFdt(root, reservations))).toEqual({ root, reservations });
      }),
    );
  });

  it("has the header and the tokens of version 17 (Devicetree Specification 5.2 and 5.4)", () => {
    const tree = writeFdt({ name: "", properties: { a: Uint8Array.of(1, 2, 3, 4, 5) }, children: [] });
    const words = new DataView(tree.buffer);
    expect(words.getUint32(0)).toBe(0xd00d_feed);
    expect(words.getUint32(4)).toBe(tree.length);
    expect([words.getUint32(20), words.getUint32(24)]).toEqual([17, 16]);
    const structure = words.getUint32(8);
    const expected = [1, 0, 3, 5, 0, 0x0102_0304, 0x0500_0000, 2, 9];
    expect(expected.map((_, i) => words.getUint32(structure + 4 * i))).toEqual(expected);
    expect(words.getUint32(36)).toBe(4 * expected.length);
  });

  it("that is broken anywhere is read otherwise or refused with a LoadError", () => {
    const whole = writeFdt({
      name: "",
      properties: { model: strings("x"), reg: cells(1, 2) },
      children: [{ name: "soc", properties: {}, children: [] }],
    });
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, value, cut) => {
        const bytes = whole.slice();
        bytes[at] = value;
        for (const tried of [bytes, whole.subarray(0, cut)])
          try {
            readFdt(tried);
          } catch (error) {
            expect(error).toBeInstanceOf(LoadError);
          }
      }),
      { numRuns: 2000 },
    );
  });
});

/** As the Debian compiler prints it, without what differs by intent: values of references, and what only one of the boards has. */
function comparable(root: FdtNode): Record<string, string> {
  const found: Record<string, string> = {};
  const handles = new Map<number, string>();
  const each = (at: FdtNode, path: string, see: (n: FdtNode, path: string) => void): void => {
    see(at, path);
    for (const child of at.children) each(child, `${path}/${child.name}`, see);
  };
  const word = (bytes: Uint8Array | undefined, i = 0) =>
    bytes === undefined ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(4 * i);
  each(root, "", (n, path) => {
    if (n.properties.phandle) handles.set(word(n.properties.phandle), path);
  });
  const reference = (handle: number) => `-> ${handles.get(handle)}`;
  each(root, "", (n, path) => {
    for (const [name, value] of Object.entries(n.properties)) {
      const words = () => Array.from({ length: value.length / 4 }, (_, i) => word(value, i));
      let text = [...value].map((b) => b.toString(16)).join(" ");
      if (["interrupt-parent", "fsl,msi", "phandle", "linux,phandle"].includes(name)) text = reference(word(value));
      if (name === "gpios") text = `${reference(word(value))} ${word(value, 1)} ${word(value, 2)}`;
      if (name === "interrupt-map")
        text = words()
          .map((w, i) => (i % 7 === 4 ? reference(w) : w))
          .join(" ");
      found[`${path}:${name}`] = text;
    }
  });
  return found;
}

describe("the device tree of ppce500", () => {
  const boot = { memory: 256 << 20, append: "console=ttyS0", rngSeed: new Uint8Array(32) };
  const ours = readFdt(e500Tree(ppce500, boot)).root;

  it("says where memory, the initial RAM disk and the command line are", () => {
    const tree = comparable(
      readFdt(e500Tree(ppce500, { ...boot, initrd: { start: 0x400_0000, end: 0x41a_43de } })).root,
    );
    expect(tree["/memory:reg"]).toBe("0 0 0 0 0 0 0 0 0 0 0 0 10 0 0 0");
    expect(tree["/chosen:linux,initrd-end"]).toBe("4 1a 43 de");
    expect(tree["/chosen:bootargs"]).toBe([...strings("console=ttyS0")].map((b) => b.toString(16)).join(" "));
  });

  it("is a tree to Debian's dtc, where there is one", () => {
    let said: string;
    try {
      const options = { input: e500Tree(ppce500, boot), stdio: ["pipe", "pipe", "pipe"] as ["pipe", "pipe", "pipe"] };
      said = execFileSync("dtc", ["-I", "dtb", "-O", "dts"], options).toString();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw error;
    }
    expect(said).toContain("serial@4500");
  });

  const theirs = new URL("../../../shared/images/ppce500/ppce500.dtb", import.meta.url);
  it.skipIf(!existsSync(theirs))("agrees with QEMU's in all that this board has", () => {
    const reference = comparable(readFdt(readFileSync(theirs)).root);
    const differences = Object.entries(comparable(ours))
      .filter(([name, value]) => reference[name] !== value)
      .map(([name]) => name);
    expect(differences).toEqual([":model", "/chosen:rng-seed"]);
  });
});
