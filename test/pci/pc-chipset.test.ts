import { describe, expect, it } from "vitest";
import type { BusTarget, Width } from "../../src/bus/target.ts";
import { I440fx, type PamSegment, pamSegments } from "../../src/pci/i440fx.ts";
import { ConfigMechanism1 } from "../../src/pci/mechanism1.ts";
import { Piix3, pirqOf } from "../../src/pci/piix3.ts";
import { Piix4Pm } from "../../src/pci/piix4-pm.ts";
import { pciConformance } from "./conformance.ts";
import { aFunction, line, pciMachine } from "./fixture.ts";

function make() {
  const machine = pciMachine();
  const pam: string[] = [];
  const at = ({ base, size }: PamSegment) => `${base.toString(16)}+${size.toString(16)}`;
  const i440fx = new I440fx(
    (segment, read, write) => void pam.push(`${at(segment)} ${read ? "r" : "-"}${write ? "w" : "-"}`),
  );
  const irqs = new Array<boolean>(16).fill(false);
  const piix3 = new Piix3((n) =>
    line((level) => {
      irqs[n] = level;
    }),
  );
  const positions: string[] = [];
  const pm = new Piix4Pm((base, enabled) => void positions.push(`${base.toString(16)} ${enabled}`));
  machine.bus.plug(0, 0, i440fx.function);
  machine.bus.plug(1, 0, piix3.function);
  machine.bus.plug(1, 3, pm.function);
  const high = () => irqs.flatMap((level, n) => (level ? [n] : []));
  return { ...machine, i440fx, pam, piix3, high, pm, positions };
}

pciConformance("the i440FX", () => make().i440fx.function);
pciConformance("the PIIX3", () => make().piix3.function);
pciConformance("the PIIX4's power management", () => make().pm.function);

describe("the functions of a PC's chip set", () => {
  it("are known by their exact identities, the second device having several functions", () => {
    const { bus } = make();
    const words = (device: number, fn: number) => [0, 8, 0x0c].map((at) => bus.readConfig(0, device, fn, at, 4));
    expect(words(0, 0)).toEqual([0x1237_8086, 0x060000_02, 0]);
    expect(words(1, 0)).toEqual([0x7000_8086, 0x060100_00, 0x0080_0000]);
    expect(words(1, 3)).toEqual([0x7113_8086, 0x068000_03, 0]);
    expect(bus.readConfig(0, 1, 1, 0, 4)).toBe(0xffff_ffff);
  });

  it("have memory and bus master hard-wired in the i440FX, ports too in the PIIX3", () => {
    const { bus } = make();
    expect([bus.readConfig(0, 0, 0, 4, 2), bus.readConfig(0, 1, 0, 4, 2)]).toEqual([6, 7]);
    bus.writeConfig(0, 0, 0, 4, 2, 0);
    bus.writeConfig(0, 1, 0, 4, 2, 0);
    expect([bus.readConfig(0, 0, 0, 4, 2), bus.readConfig(0, 1, 0, 4, 2)]).toEqual([6, 7]);
  });
});

describe("the PAM registers of the i440FX", () => {
  it("divide 0xC0000 to 0xFFFFF into 13 segments", () => {
    expect(pamSegments).toHaveLength(13);
    const sorted = [...pamSegments].sort((a, b) => a.base - b.base);
    expect(sorted[0]!.base).toBe(0xc0000);
    for (const [i, s] of sorted.entries()) expect(s.base + s.size).toBe(sorted[i + 1]?.base ?? 0x100000);
  });

  it("tell which of reads and writes of a segment go to RAM", () => {
    const { i440fx, pam } = make();
    const fn = i440fx.function;
    fn.writeConfig(0x59, 1, 0x10);
    fn.writeConfig(0x5a, 1, 0x01);
    fn.writeConfig(0x5a, 1, 0x21);
    fn.writeConfig(0x5f, 1, 0x03);
    fn.writeConfig(0x5f, 1, 0x30);
    expect(pam).toEqual([
      "f0000+10000 r-",
      "c0000+4000 r-",
      "c4000+4000 -w",
      "e8000+4000 rw",
      "e8000+4000 --",
      "ec000+4000 rw",
    ]);
  });

  it("say nothing when nothing changes, and have two bits a segment", () => {
    const { i440fx, pam } = make();
    i440fx.function.writeConfig(0x59, 4, 0xffff_ffff);
    expect(i440fx.function.readConfig(0x59, 4)).toBe(0x33333330);
    expect(pam).toHaveLength(7);
    i440fx.function.writeConfig(0x59, 4, 0xffff_ffff);
    expect(pam).toHaveLength(7);
  });

  it("send everything past RAM after a reset, and what was saved after a restore", () => {
    const { i440fx, pam } = make();
    i440fx.function.writeConfig(0x59, 1, 0x30);
    const saved = i440fx.function.state.save();
    i440fx.function.reset();
    i440fx.function.state.restore(saved);
    i440fx.function.restored();
    expect(pam).toEqual(["f0000+10000 rw", "f0000+10000 --", "f0000+10000 rw"]);
  });

  it("leave the SMRAM register to what is written, its base fixed", () => {
    const fn = make().i440fx.function;
    expect(fn.readConfig(0x72, 1)).toBe(0x02);
    fn.writeConfig(0x72, 1, 0xff);
    expect(fn.readConfig(0x72, 1)).toBe(0x7a);
  });
});

describe("the PIRQ routing of the PIIX3", () => {
  it("turns each slot by one: slot 1's INTA# is PIRQA, slot 2's INTA# and slot 1's INTB# are PIRQB", () => {
    expect([pirqOf(1, 1), pirqOf(1, 2), pirqOf(2, 1), pirqOf(4, 1), pirqOf(5, 1), pirqOf(2, 4), pirqOf(0, 1)]).toEqual([
      0, 1, 1, 3, 0, 0, 3,
    ]);
  });

  it("is off after reset", () => {
    const { piix3, high } = make();
    expect(piix3.function.readConfig(0x60, 4)).toBe(0x80808080);
    piix3.intx(3, 1).set(true);
    expect(high()).toEqual([]);
  });

  it("raises the chosen interrupt while any pin of the PIRQ is high", () => {
    const { piix3, high } = make();
    piix3.function.writeConfig(0x62, 1, 11);
    const one = piix3.intx(3, 1);
    const other = piix3.intx(7, 1);
    one.set(true);
    other.set(true);
    one.set(false);
    expect(high()).toEqual([11]);
    other.set(false);
    expect(high()).toEqual([]);
  });

  it("lets PIRQs share an interrupt, which is high while either is", () => {
    const { piix3, high } = make();
    piix3.function.writeConfig(0x60, 4, 0x0a0b0a0b);
    const a = piix3.intx(1, 1);
    const c = piix3.intx(1, 3);
    a.set(true);
    c.set(true);
    a.set(false);
    expect(high()).toEqual([11]);
    c.set(false);
    expect(high()).toEqual([]);
  });

  it("moves a level which is high when it is routed anew, switched off or reset", () => {
    const { piix3, high } = make();
    piix3.intx(1, 1).set(true);
    piix3.function.writeConfig(0x60, 1, 10);
    expect(high()).toEqual([10]);
    piix3.function.writeConfig(0x60, 1, 5);
    expect(high()).toEqual([5]);
    piix3.function.writeConfig(0x60, 1, 0x85);
    expect(high()).toEqual([]);
    piix3.function.writeConfig(0x60, 1, 5);
    piix3.function.reset();
    expect(high()).toEqual([]);
  });

  it("does not reach the interrupts which are reserved", () => {
    const { piix3, high } = make();
    piix3.intx(1, 1).set(true);
    const reached = [];
    for (let irq = 0; irq < 16; irq++) {
      piix3.function.writeConfig(0x60, 1, irq);
      reached.push(...high());
    }
    expect(reached).toEqual([3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15]);
  });
});

it("DEVACTB of the PIIX4 says that SMIs are set up already, and remembers what is written (82371AB, function 3, 58h)", () => {
  const { pm } = make();
  expect(pm.function.readConfig(0x58, 4)).toBe(0x0200_0000);
  pm.function.writeConfig(0x58, 4, 0x0000_0004);
  expect(pm.function.readConfig(0x58, 4)).toBe(4);
  pm.function.reset();
  expect(pm.function.readConfig(0x58, 4)).toBe(0x0200_0000);
});

describe("PMBASE of the PIIX4", () => {
  it("says that it is 64 ports, and tells where they are once they are enabled", () => {
    const { pm, positions } = make();
    const fn = pm.function;
    expect(fn.readConfig(0x40, 4)).toBe(1);
    fn.writeConfig(0x40, 4, 0xffff_ffff);
    expect(fn.readConfig(0x40, 4)).toBe(0xffc1);
    fn.writeConfig(0x40, 4, 0x0601);
    fn.writeConfig(0x80, 1, 0xff);
    fn.writeConfig(0x80, 1, 1);
    fn.reset();
    expect(positions).toEqual(["ffc0 false", "600 false", "600 true", "0 false"]);
  });
});

describe("configuration mechanism 1 (PCI 3.0 section 3.2.2.3.2)", () => {
  function ports() {
    const { bus, ports } = pciMachine();
    const fn = aFunction();
    bus.plug(31, 0, fn);
    const writes: number[] = [];
    const reset: BusTarget = {
      read: () => 0x0e,
      write: (_o: number, _w: Width, value: number) => void writes.push(value),
    };
    const mechanism = new ConfigMechanism1(bus, reset);
    ports.map(0xcf8, 8, mechanism, { name: "config" });
    return { ports, fn, writes, mechanism };
  }

  it("selects by a 4-byte write and reads with 1, 2 and 4 bytes", () => {
    const { ports: p } = ports();
    p.write(0xcf8, 4, 0x8000_f800);
    expect([p.read(0xcfc, 4), p.read(0xcfc, 2), p.read(0xcfe, 2), p.read(0xcff, 1)]).toEqual([
      0x5678_1234, 0x1234, 0x5678, 0x56,
    ]);
  });

  it("writes the bytes of the access alone", () => {
    const { ports: p, fn } = ports();
    p.write(0xcf8, 4, 0x8000_f83c);
    p.write(0xcfc, 1, 0x0b);
    p.write(0xcfd, 1, 0xff);
    expect(fn.readConfig(0x3c, 4)).toBe(0x010b);
  });

  it("has reserved bits which read 0", () => {
    const { ports: p } = ports();
    p.write(0xcf8, 4, 0xffff_ffff);
    expect(p.read(0xcf8, 4)).toBe(0x80ff_fffc);
  });

  it("is nothing while the enable bit is clear (hostile case 28)", () => {
    const { ports: p, fn } = ports();
    p.write(0xcf8, 4, 0x0000_f83c);
    expect([p.read(0xcfc, 4), p.read(0xcfd, 2), p.read(0xcfc, 1)]).toEqual([0xffff_ffff, 0xffff, 0xff]);
    p.write(0xcfc, 1, 0x55);
    expect(fn.readConfig(0x3c, 1)).toBe(0);
  });

  it("finds all ones on bus 255 and in empty slots", () => {
    const { ports: p } = ports();
    for (const address of [0x80ff_f800, 0x8000_ff00, 0x8001_f800]) {
      p.write(0xcf8, 4, address);
      expect(p.read(0xcfc, 4)).toBe(0xffff_ffff);
    }
  });

  it("passes narrower accesses to CONFIG_ADDRESS on: a byte at 0xCF9 is the reset control register", () => {
    const { ports: p, writes } = ports();
    p.write(0xcf8, 4, 0x8000_f800);
    p.write(0xcf9, 1, 6);
    p.write(0xcf8, 2, 0);
    p.write(0xcfa, 1, 1);
    expect([p.read(0xcf9, 1), p.read(0xcf8, 1), p.read(0xcf8, 4)]).toEqual([0x0e, 0xff, 0x8000_f800]);
    expect(writes).toEqual([6]);
  });

  it("takes accesses which cross its edges without harm", () => {
    const { ports: p } = ports();
    for (let at = 0xcf5; at < 0xd00; at++)
      for (const width of [1, 2, 4] as const) {
        p.write(at, width, 0xffff_ffff);
        p.read(at, width);
      }
    p.write(0xcf8, 4, 0);
    expect(p.read(0xcf8, 4)).toBe(0);
  });
});
