import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Msix } from "../../src/pci/msix.ts";
import { header } from "../../src/pci/registers.ts";
import { capabilityOffsets, pciConformance } from "./conformance.ts";
import { aFunction, pciMachine } from "./fixture.ts";

const base = 0xe000_0000;
const enable = 0x8000;
const functionMask = 0x4000;

function make(vectors = 4) {
  const machine = pciMachine();
  const fn = aFunction();
  const msix = new Msix(fn, { vectors, bar: 1 });
  machine.bus.plug(3, 0, fn);
  fn.writeConfig(0x14, 4, base);
  fn.writeConfig(header.command, 2, 0x0006);
  const capability = capabilityOffsets(fn)[0]!;
  const control = (value: number) => fn.writeConfig(capability + 2, 2, value);
  const { memory } = machine;
  /** Gives a vector an address at the interrupt chip, data 0x40 + vector, and its mask. */
  const program = (vector: number, masked = false) => {
    memory.write(base + 16 * vector, 4, 0xfee0_0000 + 0x10 * vector);
    memory.write(base + 16 * vector + 4, 4, 0);
    memory.write(base + 16 * vector + 8, 4, 0x40 + vector);
    memory.write(base + 16 * vector + 12, 4, masked ? 1 : 0);
  };
  const sent = () => machine.messages.splice(0).map((m) => m.data);
  const pending = () => memory.read(base + msix.pbaOffset, 4);
  return { ...machine, fn, msix, capability, control, program, sent, pending };
}

pciConformance("a function with MSI-X", () => make().fn);

describe("the MSI-X capability (PCI 3.0 section 6.8.2)", () => {
  it("gives the table size less one, and where table and pending bits are", () => {
    const { fn, capability, msix } = make(5);
    expect(fn.readConfig(capability, 1)).toBe(0x11);
    expect(fn.readConfig(capability + 2, 2)).toBe(4);
    expect(fn.readConfig(capability + 4, 4)).toBe(0 | 1);
    expect(fn.readConfig(capability + 8, 4)).toBe(msix.pbaOffset | 1);
  });

  it("lets software change enable and function mask alone", () => {
    const { fn, capability } = make(5);
    for (let at = 0; at < 12; at += 4) fn.writeConfig(capability + at, 4, 0xffff_ffff);
    expect(fn.readConfig(capability + 2, 2)).toBe(enable | functionMask | 4);
    expect(fn.readConfig(capability + 4, 4)).toBe(1);
  });

  it("has room for 1 to 2048 vectors", () => {
    for (const vectors of [1, 64, 128, 129, 2048]) {
      const { msix, memory, fn } = make(vectors);
      expect(msix.pbaOffset).toBeGreaterThanOrEqual(vectors * 16);
      expect(msix.size).toBeGreaterThanOrEqual(msix.pbaOffset + Math.ceil(vectors / 64) * 8);
      expect(memory.read(base + 16 * (vectors - 1) + 12, 4)).toBe(1);
      expect(fn.bars[0]!.size).toBe(msix.size);
    }
    expect(() => make(0)).toThrow(RangeError);
    expect(() => make(2049)).toThrow(RangeError);
  });

  it("tells its listeners when the enable bit changes, by write, reset and restore", () => {
    const { msix, control, fn } = make();
    const seen: boolean[] = [];
    msix.onEnable((on) => void seen.push(on));
    control(enable);
    control(enable | functionMask);
    control(0);
    control(enable);
    const saved = fn.state.save();
    fn.reset();
    fn.state.restore(saved);
    fn.restored();
    expect(seen).toEqual([true, false, true, false, true]);
    expect(msix.enabled).toBe(true);
  });

  it("keeps the interrupt pin low while it is enabled (section 6.8.3.3)", () => {
    const { fn, control, levels } = make();
    fn.setInterrupt(true);
    control(enable);
    expect(levels.get("3.1")).toBe(false);
    control(0);
    expect(levels.get("3.1")).toBe(true);
  });
});

describe("the MSI-X table", () => {
  it("has every vector masked after reset (section 6.8.2.9)", () => {
    const { memory, msix, program } = make();
    program(0);
    msix.reset();
    for (let v = 0; v < 4; v++)
      expect([0, 4, 8, 12].map((at) => memory.read(base + 16 * v + at, 4))).toEqual([0, 0, 0, 1]);
  });

  it("takes 8-byte accesses as well as 4-byte ones", () => {
    const { memory } = make();
    memory.write64(base + 16, 0x0000_0001_fee0_1000n);
    expect(memory.read(base + 20, 4)).toBe(1);
    expect(memory.read64(base + 16)).toBe(0x0000_0001_fee0_1000n);
  });

  it("changes the bytes a narrower write names", () => {
    const { memory } = make();
    memory.write(base + 8, 4, 0x11223344);
    memory.write(base + 9, 1, 0xaa);
    memory.write(base + 10, 2, 0xbbcc);
    expect(memory.read(base + 8, 4)).toBe(0xbbccaa44);
    expect(memory.read(base + 9, 2)).toBe(0xccaa);
  });

  it("has addresses that are multiples of 4, and nothing but the mask bit in the vector control", () => {
    const { memory } = make();
    memory.write(base, 4, 0xffff_ffff);
    memory.write(base + 12, 4, 0xffff_fffe);
    expect([memory.read(base, 4), memory.read(base + 12, 4)]).toEqual([0xffff_fffc, 0]);
  });

  it("ends where the last vector does; the rest of the BAR reads 0 and cannot be written", () => {
    const { memory, msix } = make();
    for (let at = 64; at < msix.size; at += 4) {
      memory.write(base + at, 4, 0xffff_ffff);
      expect(memory.read(base + at, 4)).toBe(0);
    }
  });
});

describe("an MSI-X vector", () => {
  it("sends its address and data when it is notified", () => {
    const { msix, control, program, messages } = make();
    program(2);
    control(enable);
    msix.notify(2);
    expect(messages).toEqual([{ offset: 0x20, data: 0x42 }]);
  });

  it("sends nothing while MSI-X is off, or when it does not exist (hostile cases 24 and 25)", () => {
    const { msix, control, program, sent, pending, bus } = make();
    program(0);
    msix.notify(0);
    control(enable);
    for (const vector of [4, 0xffff, -1, 2 ** 31, Number.NaN]) msix.notify(vector);
    expect([sent(), pending(), bus.path.state.now.messagesDropped]).toEqual([[], 0, 0]);
  });

  it("is kept pending while it is masked and sent once when the mask goes (section 6.8.3.4)", () => {
    const { msix, control, program, sent, pending, memory } = make();
    program(1, true);
    control(enable);
    msix.notify(1);
    msix.notify(1);
    expect([sent(), pending(), msix.isPending(1)]).toEqual([[], 2, true]);
    memory.write(base + 28, 4, 0);
    expect([sent(), pending()]).toEqual([[0x41], 0]);
    memory.write(base + 28, 4, 1);
    memory.write(base + 28, 4, 0);
    expect(sent()).toEqual([]);
  });

  it("is unmasked by a byte write as well", () => {
    const { msix, control, program, sent, memory } = make();
    program(1, true);
    control(enable);
    msix.notify(1);
    memory.write(base + 28, 1, 0);
    expect(sent()).toEqual([0x41]);
  });

  it("waits behind the function mask, and behind both masks for both (section 6.8.2.3)", () => {
    const { msix, control, program, sent, pending } = make();
    program(0);
    program(3, true);
    control(enable | functionMask);
    msix.notify(0);
    msix.notify(3);
    expect([sent(), pending()]).toEqual([[], 9]);
    control(enable);
    expect([sent(), pending()]).toEqual([[0x40], 8]);
    program(3);
    expect([sent(), pending()]).toEqual([[0x43], 0]);
  });

  it("goes to the address which its entry has when it is sent, not when it became pending (hostile case 25)", () => {
    const { msix, control, program, messages, memory } = make();
    program(0, true);
    control(enable);
    msix.notify(0);
    memory.write(base, 4, 0xfee0_0550);
    memory.write(base + 8, 4, 0x99);
    memory.write(base + 12, 4, 0);
    expect(messages).toEqual([{ offset: 0x550, data: 0x99 }]);
  });

  it("keeps what is pending while MSI-X is off, and loses it at a reset", () => {
    const { msix, control, program, sent, pending, fn } = make();
    program(0);
    control(enable | functionMask);
    msix.notify(0);
    control(0);
    expect([sent(), pending()]).toEqual([[], 1]);
    control(enable);
    expect(sent()).toEqual([0x40]);
    control(enable | functionMask);
    msix.notify(0);
    for (const part of fn.parts) part.reset();
    fn.writeConfig(0x14, 4, base);
    fn.writeConfig(header.command, 2, 6);
    program(0);
    control(enable);
    expect([sent(), pending()]).toEqual([[], 0]);
  });

  it("cannot be made pending by software: the pending bits are read-only (section 6.8.2.10)", () => {
    const { memory, msix, control, sent, pending } = make();
    control(enable);
    memory.write(base + msix.pbaOffset, 4, 0xf);
    expect([pending(), sent()]).toEqual([0, []]);
  });

  it("aimed at its own table is dropped and does no harm (hostile case 24)", () => {
    const { memory, msix, control, bus } = make();
    memory.write(base, 4, base + 12);
    memory.write(base + 12, 4, 0);
    control(enable);
    msix.notify(0);
    expect(bus.path.state.now.messagesDropped).toBe(1);
  });

  it("is dropped while the function is no bus master", () => {
    const { fn, msix, control, program, sent, bus } = make();
    program(0);
    control(enable);
    fn.writeConfig(header.command, 2, 2);
    msix.notify(0);
    expect([sent(), bus.path.state.now.messagesDropped]).toEqual([[], 1]);
  });
});

describe("any order of masks and events", () => {
  it("sends each event at once or when its last mask goes, never twice and never while masked", () => {
    type Step = readonly ["notify" | "mask" | "unmask", number] | readonly ["control", number];
    const step = fc.oneof(
      fc.tuple(fc.constantFrom("notify" as const, "mask" as const, "unmask" as const), fc.nat(69)),
      fc.tuple(fc.constant("control" as const), fc.constantFrom(0, enable, functionMask, enable | functionMask)),
    ) as fc.Arbitrary<Step>;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const m = make(70);
        for (let v = 0; v < 70; v++) m.program(v, true);
        const masked = new Set(Array.from({ length: 70 }, (_, v) => v));
        const waiting = new Set<number>();
        const expected: number[] = [];
        let bits = 0;
        const open = (v: number) => bits === enable && !masked.has(v);
        for (const [what, n] of steps) {
          if (what === "notify") {
            m.msix.notify(n);
            if (open(n)) expected.push(0x40 + n);
            else if ((bits & enable) !== 0) waiting.add(n);
          } else if (what === "control") {
            m.control(n);
            bits = n;
          } else {
            m.memory.write(base + 16 * n + 12, 4, what === "mask" ? 1 : 0);
            if (what === "mask") masked.add(n);
            else masked.delete(n);
          }
          for (const v of [...waiting].sort((a, b) => a - b)) {
            if (!open(v)) continue;
            waiting.delete(v);
            expected.push(0x40 + v);
          }
          for (let v = 0; v < 70; v++) if (m.msix.isPending(v) !== waiting.has(v)) throw new Error(`vector ${v}`);
        }
        expect(m.sent()).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });
});
