import { describe, expect, it } from "vitest";
import { spr } from "../../../src/cpu/e500/slots.ts";
import { addi, lwz, mfspr, mtspr, nop, stw, tlbilx, tlbivax, tlbre, tlbsx, tlbwe } from "./asm.ts";
import { Bare, executors } from "./bare.ts";
import { vectors } from "./vectors-of-interrupts.ts";

const valid = 0x8000_0000;
const protect = 0x4000_0000;
const size = (log4: number) => log4 << 8;
const all = 0x3f;

interface Entry {
  readonly tlb?: 0 | 1;
  readonly entry?: number;
  readonly next?: number;
  readonly mas1?: number;
  readonly page: number;
  readonly physical: number;
  readonly rights?: number;
  readonly attributes?: number;
}

/** Sets the MAS registers and executes tlbwe at 0x100. */
function write(m: Bare, e: Entry): void {
  m.set(spr.MAS0, ((e.tlb ?? 0) << 28) | ((e.entry ?? 0) << 16) | (e.next ?? 0));
  m.set(spr.MAS1, e.mas1 ?? valid | size(1));
  m.set(spr.MAS2, e.page | (e.attributes ?? 0));
  m.set(spr.MAS3, (e.physical % 2 ** 32) | (e.rights ?? all));
  m.set(spr.MAS7, Math.floor(e.physical / 2 ** 32));
  step(m, tlbwe);
}

/** Executes one instruction at 0x100. */
function step(m: Bare, word: number): void {
  m.code(0x100, word);
  m.pc = 0x100;
  m.run(1);
}

/** Loads from an address; gives the word, or the interrupt. */
function read(m: Bare, at: number): number | string {
  m.setR(4, at);
  step(m, lwz(3, 4, 0));
  return vectors.of(m) ?? m.r(3);
}

describe.each(executors)("the TLBs, on the %s", (executor) => {
  /** The first 64 KiB are mapped to themselves by entry 0 of TLB1; 0x8000 holds a word that says so, and so on. */
  const machine = () => {
    const m = new Bare(executor);
    m.enter(0x100);
    m.front.core.reset(0, 0, 3);
    vectors.set(m);
    for (let page = 0; page < 0x2_0000; page += 0x1000) m.setWord(page + 0x800, 0xabc0_0000 | page);
    return m;
  };

  it("translate by a TLB0 entry of 4 KiB in the set which the address names, whatever TSIZE says", () => {
    const m = machine();
    write(m, { page: 0x4000_5000, physical: 0x8000, entry: 2, mas1: valid | size(7) });
    expect(read(m, 0x4000_5800)).toBe(0xabc0_8000);
    expect(read(m, 0x4000_6800)).toBe("data TLB");
  });

  it("translate by TLB1 entries of 4^n KiB", () => {
    for (const n of [1, 2, 5, 9, 10]) {
      const m = machine();
      write(m, { tlb: 1, entry: 5, mas1: valid | size(n), page: 0x8000_0000, physical: 0 });
      const bytes = 1024 * 4 ** n;
      expect(read(m, 0x8000_0800), `${bytes}`).toBe(0xabc0_0000);
      expect(read(m, 0x8000_0000 + (bytes > 0xf800 ? 0xf800 : bytes - 0x800))).toBe(
        bytes > 0xf800 ? 0xabc0_f000 : 0xabc0_0000 + bytes - 0x1000,
      );
      expect(read(m, 0x8000_0000 + bytes)).toBe("data TLB");
    }
  });

  it("map all 4 GiB by one entry, and the offset inside of the page wins over the lower bits of RPN", () => {
    const m = machine();
    write(m, { tlb: 1, entry: 0, mas1: valid | size(11), page: 0, physical: 0x7000 });
    expect(read(m, 0x800)).toBe(0xabc0_0000);
  });

  it("reach 36 bits of physical address by MAS7", () => {
    const m = machine();
    write(m, { page: 0x4000_5000, physical: 0xf_e000_4000 });
    m.setR(4, 0x4000_5004);
    // Nothing is there: all ones. RAM at the same lower bits would answer otherwise.
    m.setWord(0x4000, 1);
    expect(read(m, 0x4000_5000)).toBe(0xffff_ffff);
  });

  it("tell address spaces apart by TS: data by MSR[DS], code by MSR[IS]", () => {
    const m = machine();
    write(m, { tlb: 1, entry: 3, mas1: valid | size(3) | 0x1000, page: 0, physical: 0x1_0000 });
    m.setWord(0x1_0100, addi(3, 0, 7));
    m.msr(0x10);
    expect(read(m, 0x800)).toBe(0xabc1_0000);
    m.setWord(0x1_0100, addi(3, 0, 7));
    m.code(0x100, addi(3, 0, 8));
    m.msr(0x20);
    m.pc = 0x100;
    m.run(1);
    expect(m.r(3)).toBe(7);
    m.msr(0);
    expect(read(m, 0x800)).toBe(0xabc0_0000);
  });

  it("match a TID with PID, and TID 0 with every process", () => {
    const m = machine();
    write(m, { page: 0x4000_5000, physical: 0x8000, mas1: valid | size(1) | (7 << 16) });
    write(m, { page: 0x4000_6000, physical: 0x9000 });
    expect(read(m, 0x4000_5800)).toBe("data TLB");
    m.setR(9, 7);
    step(m, mtspr(48, 9));
    expect(read(m, 0x4000_5800)).toBe(0xabc0_8000);
    expect(read(m, 0x4000_6800)).toBe(0xabc0_9000);
    m.setR(9, 8);
    step(m, mtspr(48, 9));
    expect(read(m, 0x4000_5800)).toBe("data TLB");
    expect(read(m, 0x4000_6800)).toBe(0xabc0_9000);
  });

  it("check read, write and execute for supervisor and user apart", () => {
    const rights = { sr: 1, ur: 2, sw: 4, uw: 8, sx: 16, ux: 32 };
    const tried = (bit: number, what: "r" | "w" | "x", user: boolean) => {
      const m = machine();
      write(m, { page: 0x4000_5000, physical: 0x8000, rights: bit });
      m.setWord(0x8000, nop);
      m.code(0x100, what === "r" ? lwz(3, 4, 0) : stw(3, 4, 0));
      m.setR(4, 0x4000_5000);
      m.pc = what === "x" ? 0x4000_5000 : 0x100;
      m.msr(user ? 0x4000 : 0);
      m.run(1);
      return vectors.of(m);
    };
    for (const [name, bit] of Object.entries(rights)) {
      for (const what of ["r", "w", "x"] as const) {
        for (const user of [false, true]) {
          const allowed = name === (user ? "u" : "s") + what;
          const refusal = what === "x" ? "instruction storage" : "data storage";
          expect(tried(bit, what, user), `${name} ${what} ${user}`).toBe(allowed ? undefined : refusal);
        }
      }
    }
  });

  it("leave the registers for the next tlbwe at a miss: defaults of MAS4, the address, the process, the way to replace", () => {
    const m = machine();
    m.set(spr.MAS4, 0x0000_0104 | 0x48);
    m.set(spr.PID, 5);
    m.msr(0);
    write(m, { page: 0x4000_5000, physical: 0x8000, entry: 1, next: 2 });
    m.set(spr.MAS7, 15);
    expect(read(m, 0x7000_5abc)).toBe("data TLB");
    expect(m.get(spr.MAS0)).toBe((2 << 16) | 3);
    expect(m.get(spr.MAS1)).toBe((valid | (5 << 16) | size(1)) >>> 0);
    expect(m.get(spr.MAS2)).toBe(0x7000_5000 | 0x4c);
    expect(m.get(spr.MAS3)).toBe(0);
    expect(m.get(spr.MAS6)).toBe(5 << 16);
    expect(m.get(spr.MAS7)).toBe(0);
    expect(m.get(spr.DEAR)).toBe(0x7000_5abc);
    expect(m.get(spr.ESR)).toBe(0);
    expect(m.get(spr.SRR0)).toBe(0x100);
  });

  it("say in ESR that it was a store", () => {
    const m = machine();
    m.setR(4, 0x7000_0000);
    step(m, stw(3, 4, 0));
    expect([vectors.of(m), m.get(spr.ESR)]).toEqual(["data TLB", 0x0080_0000]);
  });

  it("miss for code with the address space of MSR[IS] in MAS1 and MAS6, and leave DEAR and ESR alone", () => {
    const m = machine();
    m.set(spr.DEAR, 0x1234);
    m.set(spr.ESR, 0x55);
    m.msr(0x20);
    m.pc = 0x6000_0000;
    m.run(1);
    expect(vectors.of(m)).toBe("instruction TLB");
    expect([m.get(spr.MAS1) & 0x1000, m.get(spr.MAS6) & 1, m.get(spr.MAS2) & 0xffff_f000]).toEqual([
      0x1000, 1, 0x6000_0000,
    ]);
    expect([m.get(spr.DEAR), m.get(spr.ESR), m.get(spr.SRR0)]).toEqual([0x1234, 0x55, 0x6000_0000]);
  });

  it("forget an entry that is overwritten", () => {
    const m = machine();
    write(m, { page: 0x4000_5000, physical: 0x8000 });
    expect(read(m, 0x4000_5800)).toBe(0xabc0_8000);
    write(m, { page: 0x4008_5000, physical: 0x9000 });
    expect(read(m, 0x4000_5800)).toBe("data TLB");
    expect(read(m, 0x4008_5800)).toBe(0xabc0_9000);
    write(m, { page: 0x4008_5000, physical: 0xa000 });
    expect(read(m, 0x4008_5800)).toBe(0xabc0_a000);
    write(m, { page: 0x4008_5000, physical: 0xa000, mas1: size(1) });
    expect(read(m, 0x4008_5800)).toBe("data TLB");
  });

  it("hold four ways of a set", () => {
    const m = machine();
    for (let way = 0; way < 4; way++)
      write(m, { page: 0x4000_5000 + way * 0x8_0000, physical: 0x8000 + way * 0x1000, entry: way });
    for (let way = 0; way < 4; way++) expect(read(m, 0x4000_5800 + way * 0x8_0000)).toBe(0xabc0_8000 + way * 0x1000);
  });

  it("are read by tlbre as they were written", () => {
    const m = machine();
    write(m, {
      tlb: 1,
      entry: 9,
      mas1: valid | protect | (3 << 16) | 0x1000 | size(4),
      page: 0x9000_0000,
      physical: 0xc_1234_0000,
      attributes: 0x1a,
    });
    for (const slot of [spr.MAS1, spr.MAS2, spr.MAS3, spr.MAS7]) m.set(slot, 0);
    step(m, tlbre);
    expect(m.get(spr.MAS1)).toBe((valid | protect | (3 << 16) | 0x1000 | size(4)) >>> 0);
    expect([m.get(spr.MAS2), m.get(spr.MAS3), m.get(spr.MAS7)]).toEqual([0x9000_001a, 0x1234_003f, 0xc]);
  });

  it("have no IPROT and one size in TLB0, and tlbre gives the set's next way", () => {
    const m = machine();
    write(m, { mas1: valid | protect | size(6), page: 0x4000_5000, physical: 0x8000, entry: 3, next: 2 });
    m.set(spr.MAS1, 0);
    m.set(spr.MAS0, 3 << 16);
    step(m, tlbre);
    expect(m.get(spr.MAS1)).toBe((valid | size(1)) >>> 0);
    expect(m.get(spr.MAS0)).toBe((3 << 16) | 2);
  });

  it("are searched by tlbsx for the process and space of MAS6", () => {
    const m = machine();
    write(m, { page: 0x4000_5000, physical: 0x8000, mas1: valid | size(1) | (7 << 16), entry: 1 });
    m.set(spr.MAS6, 7 << 16);
    m.setR(6, 0x4000_5123);
    step(m, tlbsx(0, 6));
    expect(m.get(spr.MAS1)).toBe((valid | size(1) | (7 << 16)) >>> 0);
    expect([m.get(spr.MAS0) & 0xffff_0000, m.get(spr.MAS2), m.get(spr.MAS3)]).toEqual([1 << 16, 0x4000_5000, 0x803f]);
    m.set(spr.MAS6, 6 << 16);
    step(m, tlbsx(0, 6));
    expect(m.get(spr.MAS1) & valid).toBe(0);
    m.set(spr.MAS6, 0);
    m.setR(6, 0x8000);
    step(m, tlbsx(0, 6));
    expect([m.get(spr.MAS0), m.get(spr.MAS1)]).toEqual([0x1000_0000, (valid | size(3)) >>> 0]);
  });

  const filled = () => {
    const m = machine();
    write(m, { page: 0x4000_5000, physical: 0x8000, mas1: valid | size(1) | (7 << 16), entry: 0 });
    write(m, { page: 0x4000_6000, physical: 0x9000, entry: 0 });
    write(m, { tlb: 1, entry: 4, page: 0x5000_0000, physical: 0x4000, mas1: valid | size(2) | (7 << 16) });
    write(m, { tlb: 1, entry: 5, page: 0x6000_0000, physical: 0x4000, mas1: valid | protect | size(2) | (7 << 16) });
    m.setR(9, 7);
    step(m, mtspr(48, 9));
    m.set(spr.MAS6, 7 << 16);
    return m;
  };
  const present = (m: Bare) =>
    [0x4000_5800, 0x4000_6800, 0x5000_0800, 0x6000_0800].map((at) => typeof read(m, at) === "number");

  it("lose by tlbivax what translates an address, in the TLB which EA[60] names", () => {
    const m = filled();
    expect(present(m)).toEqual([true, true, true, true]);
    m.setR(6, 0x4000_5000);
    step(m, tlbivax(0, 6));
    expect(present(m)).toEqual([false, true, true, true]);
    m.setR(6, 0x5000_3000);
    step(m, tlbivax(0, 6));
    expect(present(m)).toEqual([false, true, true, true]);
    m.setR(6, 0x5000_3008);
    step(m, tlbivax(0, 6));
    expect(present(m)).toEqual([false, true, false, true]);
  });

  it("lose all of a TLB by tlbivax with EA[61], but for protected entries", () => {
    const m = filled();
    m.setR(6, 4);
    step(m, tlbivax(0, 6));
    expect(present(m)).toEqual([false, false, true, true]);
    // Entry 0 of TLB1 holds the code under test; it is not protected.
    write(m, { tlb: 1, entry: 0, page: 0, physical: 0, mas1: valid | protect | size(3) });
    m.setR(6, 12);
    step(m, tlbivax(0, 6));
    expect(present(m)).toEqual([false, false, false, true]);
  });

  it("lose by tlbilx one page of a process, a process, or all", () => {
    const m = filled();
    write(m, { tlb: 1, entry: 0, page: 0, physical: 0, mas1: valid | protect | size(3) });
    m.setR(6, 0x4000_6000);
    step(m, tlbilx(3, 0, 6));
    expect(present(m)).toEqual([true, true, true, true]);
    m.setR(6, 0x4000_5fff);
    step(m, tlbilx(3, 0, 6));
    expect(present(m)).toEqual([false, true, true, true]);
    const other = filled();
    write(other, { tlb: 1, entry: 0, page: 0, physical: 0, mas1: valid | protect | size(3) });
    step(other, tlbilx(1, 0, 0));
    other.set(spr.MAS6, 7 << 16);
    expect(present(other)).toEqual([false, true, false, true]);
    step(other, tlbilx(0, 0, 0));
    expect(present(other)).toEqual([false, false, false, true]);
  });

  it("lose by tlbilx what a process has that does not run, and show it when it does again", () => {
    const m = filled();
    write(m, { tlb: 1, entry: 0, page: 0, physical: 0, mas1: valid | protect | size(3) });
    expect(present(m)).toEqual([true, true, true, true]);
    m.setR(9, 8);
    step(m, mtspr(48, 9));
    m.set(spr.MAS6, 7 << 16);
    step(m, tlbilx(1, 0, 0));
    expect(present(m)).toEqual([false, true, false, false]);
    m.setR(9, 7);
    step(m, mtspr(48, 9));
    expect(present(m)).toEqual([false, true, false, true]);
  });

  it("are emptied by MMUCSR0, which then reads 0", () => {
    const m = filled();
    m.setR(9, 4);
    step(m, mtspr(1012, 9));
    step(m, mfspr(9, 1012));
    expect(m.r(9)).toBe(0);
    expect(present(m)).toEqual([false, false, true, true]);
  });

  it("describe themselves: 512 entries of 4 ways, 64 of any", () => {
    const m = machine();
    step(m, mfspr(3, 688));
    step(m, mfspr(4, 689));
    step(m, mfspr(5, 1015));
    expect([m.r(3), m.r(4), m.r(5)]).toEqual([0x0411_0200, 0x401c_c040, 0]);
  });

  it("say that a little-endian page is one too many", () => {
    const m = machine();
    write(m, { page: 0x4000_5000, physical: 0x8000, attributes: 1 });
    expect(m.wires.reports[0]).toContain("little-endian");
  });

  it("come back with the state", () => {
    const m = filled();
    const saved = m.front.tlb.save();
    m.front.tlb.reset();
    m.front.tlb.restore(saved);
    m.front.restored();
    expect(present(m)).toEqual([true, true, true, true]);
  });
});
