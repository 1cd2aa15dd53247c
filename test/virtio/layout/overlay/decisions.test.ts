import { describe, expect, it } from "vitest";
import { blkHeader } from "../../../support/blk.ts";
import { at, badFeature, OverlayDriver, ringAlign, ringSize, separateConfig } from "../../../support/overlay-driver.ts";
import { disableMsix, enableMsix, findCapabilities, LegacyDriver } from "../../../support/virtio-driver.ts";
import { bits, plugConsole, plugRng } from "../../../support/virtio-function.ts";
import { blk, reads, settle } from "./fixture.ts";

/** The names are those of docs/overlay.md, which has the reasons. */

/** The bytes of BAR0 or BAR1, ISR and doorbell left out. */
const map = (driver: OverlayDriver, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => driver.read(from + i, 1));

describe("D1: SEPARATE_CONFIG is bit 25", () => {
  it("is offered in word 0, whose bits 26 and 31 stay free", () => {
    const { bar0 } = blk();
    const word = bar0.read(at.hostFeatures, 4);
    expect(word & separateConfig).toBe(separateConfig);
    expect(word & ((1 << 26) | (1 << 31))).toBe(0);
  });
});

describe("D2: the latch is set at once and cleared by a reset alone", () => {
  it("takes effect with the write to offset 4, through either BAR, before DRIVER_OK", () => {
    for (const bar of ["bar0", "bar1"] as const) {
      const device = blk();
      expect(device.bar0.read(24, 4)).toBe(0);
      expect(device.bar0.read(20, 4)).toBe(64);
      device[bar].write(at.guestFeatures, 4, separateConfig);
      expect(device.bar0.read(20, 4)).toBe(0xffff_ffff);
      device.bar0.write(at.hostFeatureSelect, 4, 3);
      expect(device.bar0.read(24, 4)).toBe(3);
    }
  });

  it("is cleared by 0 to status, and by a reset of the function", () => {
    const { fn, bar0 } = blk();
    bar0.begin();
    bar0.write(at.status, 1, 0);
    expect(bar0.read(20, 4)).toBe(64);
    bar0.begin();
    for (const value of [3, 7, 128]) bar0.write(at.status, 1, value);
    expect(bar0.read(20, 4)).toBe(0xffff_ffff);
    for (const part of fn.parts) if (part.name.includes("overlay")) part.reset();
    expect(fn.readBar(0, 20, 4)).toBe(64);
  });

  it("is not set by a bit which was not offered", () => {
    const { bar0 } = blk({ withheld: 1n << 25n });
    bar0.write(at.guestFeatures, 4, separateConfig);
    expect(bar0.read(20, 4)).toBe(64);
  });
});

describe("D3: unlatched, everything in BAR0 from 20 or 24 on is configuration", () => {
  it("shows no register there, however short the configuration is", () => {
    for (const plugged of [plugRng({ layout: "overlay" }), plugConsole({ layout: "overlay" }), blk()]) {
      const { bench, fn, device } = plugged;
      const bar0 = new OverlayDriver(bench, fn, 0);
      const bar1 = new OverlayDriver(bench, fn, 1);
      bar1.write(at.hostFeatureSelect, 4, 0x1111_1111);
      bar1.write(at.guestFeatureSelect, 4, 0x2222_2222);
      bar1.write(at.queuePfnHi, 4, 0x3333_3333);
      const size = fn.bars.find((bar) => bar.index === 0)?.size ?? 0;
      const config = Array.from({ length: size }, (_, i) => device.config.read(i, "little"));
      expect(map(bar0, 20, size)).toEqual(config.slice(0, size - 20));
      enableMsix(bench, fn);
      expect(map(bar0, 24, size)).toEqual(config.slice(0, size - 24));
    }
  });

  it("lets no write through to the registers below it", () => {
    const { bar0, bar1 } = blk();
    for (let offset = 20; offset < 40; offset++) bar0.write(offset, 1, 0x55);
    expect([at.hostFeatureSelect, at.guestFeatureSelect, at.queuePfnHi].map((r) => bar1.read(r, 4))).toEqual([0, 0, 0]);
    expect([at.configVector, at.queueVector].map((r) => bar1.read(r, 2))).toEqual([0xffff, 0xffff]);
  });
});

describe("D4: the configuration is BAR2, and BAR3 in ports, latched or not", () => {
  it("shows the same bytes in both", () => {
    const { bench, fn, device, bar0 } = blk();
    const base = (bar: number, low: number) => fn.peek(0x10 + 4 * bar, 4) - low;
    const expected = Array.from({ length: 64 }, (_, i) => device.config.read(i, "little"));
    for (const latch of [false, true]) {
      bar0.begin({ latch });
      expect(expected.map((_, i) => bench.memory.read(base(2, 0) + i, 1))).toEqual(expected);
      expect(expected.map((_, i) => bench.ports.read(base(3, 1) + i, 1))).toEqual(expected);
    }
    bench.memory.write(base(2, 0) + 32, 1, 0);
    expect(bench.ports.read(base(3, 1) + 32, 1)).toBe(0);
  });

  it("is not in BAR0 once the latch is set, nor ever in BAR1", () => {
    const { fn, bar0, bar1 } = blk();
    expect(map(bar1, 40, 128)).toEqual(new Array(88).fill(0));
    bar0.begin();
    const size = fn.bars.find((bar) => bar.index === 0)?.size ?? 0;
    expect(map(bar0, 40, size)).toEqual(new Array(size - 40).fill(0));
    // writeback, the one field which a driver may write, is at 32: from here, from 20 and from 24.
    for (const offset of [40 + 32, 52, 56]) {
      bar0.write(offset, 1, 0);
      bar1.write(offset, 1, 0);
    }
    expect(fn.readBar(2, 32, 1)).toBe(1);
  });
});

describe("D5: configuration and rings stay in the guest's byte order, the registers little-endian", () => {
  it("has a big-endian guest's capacity big-endian in BAR0, BAR2 and BAR3, latched or not", () => {
    const { fn, bar0 } = blk({}, "big");
    const capacity = [0, 0, 0, 0, 0, 0, 0, 64];
    expect(map(bar0, 20, 28)).toEqual(capacity);
    bar0.begin();
    for (const bar of [2, 3]) expect(capacity.map((_, i) => fn.readBar(bar, i, 1))).toEqual(capacity);
    expect(fn.readBar(2, 4, 4)).toBe(0x4000_0000);
    expect(bar0.read(at.queueSize, 2)).toBe(256);
  });

  it("reads a disk for either order through either BAR", () => {
    for (const order of ["little", "big"] as const)
      for (const bar of ["bar0", "bar1"] as const) {
        const device = blk({}, order);
        const [ring] = device[bar].start(1);
        expect(reads(device.bench, device[bar], ring)).toBe(true);
      }
  });

  it("does so for a driver which never writes a feature", () => {
    const { bench, bar0 } = blk({}, "big");
    bar0.begin({ latch: false });
    expect(reads(bench, bar0, bar0.place(0, 256))).toBe(true);
  });

  it("samples the order when the device is reset", () => {
    let order: "little" | "big" = "big";
    const { fn, bar1 } = blk({ guestOrder: () => order });
    order = "little";
    expect(fn.readBar(2, 7, 1)).toBe(64);
    bar1.write(at.status, 1, 0);
    expect(fn.readBar(2, 0, 1)).toBe(64);
  });
});

describe("D6: the MSI-X table is in BAR4", () => {
  it("is named by its capability, and leaves BAR1 to the mirror", () => {
    const { bench, fn, bar1 } = blk();
    const [capability = 0] = findCapabilities(fn, 0x11);
    expect([fn.readConfig(capability + 4, 4) & 7, fn.readConfig(capability + 8, 4) & 7]).toEqual([4, 4]);
    const [ring] = bar1.start(1, { msix: true });
    expect(reads(bench, bar1, ring)).toBe(true);
    expect(bench.taken()).toEqual([101]);
  });
});

describe("D7: identity and a capability tell what the function is", () => {
  it("has a device ID which legacy and modern drivers do not look for", () => {
    for (const [{ fn }, device] of [
      [blk(), 0x10f2],
      [plugConsole({ layout: "overlay" }), 0x10f3],
      [plugRng({ layout: "overlay" }), 0x10f4],
    ] as const) {
      expect([fn.readConfig(0, 2), fn.readConfig(2, 2)]).toEqual([0x1af4, device]);
      expect(fn.readConfig(0x2e, 2)).toBe(device - 0x10f0);
    }
  });

  it("has a legacy identity only as overlay-legacy, where a legacy driver finds all it knows", () => {
    const { bench, fn } = blk({ layout: "overlay-legacy" });
    expect([fn.readConfig(2, 2), fn.readConfig(8, 1), fn.readConfig(0x2e, 2)]).toEqual([0x1001, 0, 2]);
    const legacy = new LegacyDriver(bench, fn);
    const [ring] = legacy.start(Number(bits.indirect | bits.eventIndex), 1, { msix: true });
    expect(reads(bench, new OverlayDriver(bench, fn, 0), ring)).toBe(true);
    expect(legacy.read(24, 4)).toBe(64);
  });

  it("says in a capability of an own type which BAR is what and how long the file is", () => {
    const described = (space?: "ports" | "memory") => {
      const { fn } = blk(space === undefined ? {} : { space });
      const capabilities = findCapabilities(fn, 9);
      expect(capabilities).toHaveLength(1);
      return Array.from({ length: 7 }, (_, i) => fn.readConfig((capabilities[0] as number) + 2 + i, 1));
    };
    expect(described()).toEqual([12, 0xb0, 0, 1, 2, 3, 40]);
    expect(described("ports")).toEqual([12, 0xb0, 0, 0xff, 0xff, 3, 40]);
    expect(described("memory")).toEqual([12, 0xb0, 0xff, 1, 2, 0xff, 40]);
  });

  it("has the BARs of the spaces which its registers may be in", () => {
    const bars = (space?: "ports" | "memory") =>
      blk(space === undefined ? {} : { space })
        .fn.bars.map(({ index, kind }) => `${index} ${kind}`)
        .sort();
    expect(bars()).toEqual(["0 io", "1 memory32", "2 memory32", "3 io", "4 memory32"]);
    expect(bars("ports")).toEqual(["0 io", "3 io", "4 memory32"]);
    expect(bars("memory")).toEqual(["1 memory32", "2 memory32", "4 memory32"]);
  });

  it("is driven by either of the two spaces alone", () => {
    const ports = blk({ space: "ports" });
    const memory = blk({ space: "memory" });
    expect(reads(ports.bench, ports.bar0, ports.bar0.start(1, { msix: true })[0])).toBe(true);
    expect(reads(memory.bench, memory.bar1, memory.bar1.start(1, { msix: true })[0])).toBe(true);
  });
});

describe("D8: vector registers can be written and read while MSI-X is disabled", () => {
  it("keeps what is written, in BAR1 and in a latched BAR0, and uses it once MSI-X is enabled", () => {
    const { bench, fn, bar0, bar1 } = blk();
    const [ring] = bar0.start(1);
    bar1.write(at.queueVector, 2, 1);
    expect([bar1.read(at.queueVector, 2), bar0.read(at.queueVector, 2)]).toEqual([1, 1]);
    expect(reads(bench, bar0, ring)).toBe(true);
    expect([bench.taken(), bench.line]).toEqual([[], true]);
    bar0.read(at.isr, 1);
    enableMsix(bench, fn);
    expect(reads(bench, bar0, ring)).toBe(true);
    expect([bench.taken(), bench.line]).toEqual([[101], false]);
  });

  it("reads no vector for one which the table has not, and for a function without MSI-X", () => {
    for (const [device, vector] of [
      [blk(), 2],
      [blk({ vectors: 0 }), 0],
    ] as const) {
      device.bar1.write(at.configVector, 2, vector);
      device.bar1.write(at.queueVector, 2, vector);
      expect([at.configVector, at.queueVector].map((r) => device.bar1.read(r, 2))).toEqual([0xffff, 0xffff]);
    }
  });
});

describe("D9: there are four words of features; selects beyond them read 0 and write nothing", () => {
  it("for every select", () => {
    const { device, bar1 } = blk();
    for (const select of [4, 5, 0x8000_0000, 0xffff_ffff]) {
      bar1.write(at.hostFeatureSelect, 4, select);
      bar1.write(at.guestFeatureSelect, 4, select);
      expect(bar1.read(at.hostFeatureSelect, 4)).toBe(select);
      expect(bar1.read(at.hostFeatures, 4)).toBe(0);
      bar1.write(at.guestFeatures, 4, 0xffff_ffff);
      expect(bar1.read(at.guestFeatures, 4)).toBe(0);
    }
    for (let word = 0; word < 4; word++) {
      bar1.write(at.guestFeatureSelect, 4, word);
      expect(bar1.read(at.guestFeatures, 4)).toBe(0);
    }
    expect(device.features).not.toBe(0n);
  });
});

describe("D10: selects are 0 after reset and one for all", () => {
  it("shows the selected word to whoever reads offset 0, an unlatched BAR0 too, until a reset", () => {
    const { bar0, bar1 } = blk();
    const word0 = bar0.read(at.hostFeatures, 4);
    bar1.write(at.hostFeatureSelect, 4, 3);
    expect(bar0.read(at.hostFeatures, 4)).toBe(ringAlign.bit);
    bar0.write(at.status, 1, 0);
    expect([bar0.read(at.hostFeatures, 4), bar1.read(at.hostFeatureSelect, 4)]).toEqual([word0, 0]);
  });
});

describe("D11: word 1 can be accepted through BAR1 before the latch, and does not set it", () => {
  it("looks at word 0 for the latch, whatever is selected", () => {
    const { bar0, bar1 } = blk();
    bar1.write(at.guestFeatureSelect, 4, 1);
    bar1.write(at.guestFeatures, 4, (separateConfig | ringSize.bit) >>> 0);
    expect(bar0.read(20, 4)).toBe(64);
    bar1.write(at.queueNum, 2, 16);
    expect(bar1.read(at.queueNum, 2)).toBe(16);
    bar1.write(at.guestFeatureSelect, 4, 0);
    expect(bar0.read(at.guestFeatures, 4)).toBe(0);
  });
});

describe("D12: queue_pfn_hi belongs to the selected queue and is written first; queue_pfn starts the queue", () => {
  it("keeps a half for each queue", () => {
    const { bench, fn } = plugConsole({ layout: "overlay" });
    const bar1 = new OverlayDriver(bench, fn, 1);
    for (const queue of [0, 1]) {
      bar1.write(at.queueSel, 2, queue);
      bar1.write(at.queuePfnHi, 4, queue + 7);
    }
    expect(bar1.read(at.queuePfnHi, 4)).toBe(8);
    bar1.write(at.queueSel, 2, 0);
    expect(bar1.read(at.queuePfnHi, 4)).toBe(7);
    bar1.write(at.queueSel, 2, 16);
    bar1.write(at.queuePfnHi, 4, 9);
    expect([bar1.read(at.queuePfnHi, 4), bar1.read(at.queueSize, 2)]).toEqual([0, 0]);
  });

  it("starts nothing by the high half, and does not move a queue which is placed", () => {
    const { bench, bar1 } = blk();
    bar1.begin();
    bar1.write(at.queuePfnHi, 4, 0);
    expect(bar1.read(at.queuePfn, 4)).toBe(0);
    const ring = bar1.place(0, 256);
    bar1.write(at.queuePfnHi, 4, 1);
    expect(bar1.read(at.queuePfnHi, 4)).toBe(0);
    expect(reads(bench, bar1, ring)).toBe(true);
  });

  it("never takes a ring above 16 TiB for the one whose low half it shares", () => {
    for (const high of [1, 0x10, 0xf_ffff]) {
      const { bench, bar1 } = blk();
      bar1.begin();
      bar1.write(at.queuePfnHi, 4, high);
      const ring = bar1.place(0, 256);
      expect(bar1.read(at.queuePfn, 4)).toBe(0x10);
      expect(reads(bench, bar1, ring)).toBe(false);
      expect(ring.usedIndex).toBe(0);
      // Legacy's status has no bit for it, the trace does.
      expect(bench.lines.filter((line) => line.includes("is broken"))).toHaveLength(1);
      expect(reads(bench, bar1, bar1.start(1)[0])).toBe(true);
    }
  });

  it("refuses what is no address of 64 bits: the queue stays down", () => {
    const { bench, bar1 } = blk();
    bar1.begin();
    for (const high of [0x10_0000, 0xffff_ffff]) {
      bar1.write(at.queuePfnHi, 4, high);
      const ring = bar1.place(0, 256);
      expect(bar1.read(at.queuePfn, 4)).toBe(0);
      expect(reads(bench, bar1, ring)).toBe(false);
    }
    bar1.write(at.queuePfnHi, 4, 0);
    expect(reads(bench, bar1, bar1.place(0, 256))).toBe(true);
  });
});

describe("D13: 0 in queue_pfn gives the queue up, whatever the high half holds", () => {
  it("and sets high half, size and alignment back", () => {
    const { bench, bar1 } = blk();
    bar1.begin();
    bar1.accept(ringSize.word, ringSize.bit);
    bar1.accept(ringAlign.word, ringAlign.bit);
    bar1.write(at.queueNum, 2, 8);
    bar1.write(at.queueAlign, 2, 4);
    const ring = bar1.place(0, 8, 4);
    expect(reads(bench, bar1, ring)).toBe(true);
    bar1.write(at.queuePfn, 4, 0);
    expect(reads(bench, bar1, ring)).toBe(false);
    bar1.write(at.queuePfnHi, 4, 5);
    bar1.write(at.queuePfn, 4, 0);
    expect([bar1.read(at.queuePfn, 4), bar1.read(at.queuePfnHi, 4)]).toEqual([0, 0]);
    expect([bar1.read(at.queueNum, 2), bar1.read(at.queueAlign, 2)]).toEqual([256, 4096]);
    expect(reads(bench, bar1, bar1.place(0, 256))).toBe(true);
  });
});

describe("D14: queue_pfn counts units of 4096 unless RING_ALIGN is accepted", () => {
  it("keeps the unit for a driver which wrote queue_align without the feature", () => {
    const { bench, bar1 } = blk();
    bar1.begin();
    bar1.write(at.queueAlign, 2, 16);
    expect(bar1.read(at.queueAlign, 2)).toBe(4096);
    expect(reads(bench, bar1, bar1.place(0, 256))).toBe(true);
  });
});

describe("D15: there is one ISR", () => {
  it("gives and clears through either BAR", () => {
    for (const [first, second] of [
      ["bar0", "bar1"],
      ["bar1", "bar0"],
    ] as const) {
      const device = blk();
      const [ring] = device.bar0.start(1);
      reads(device.bench, device.bar0, ring);
      expect(device.bench.line).toBe(true);
      expect([device[first].read(at.isr, 1), device[second].read(at.isr, 1), device.bench.line]).toEqual([1, 0, false]);
    }
  });
});

describe("D16: there is one queue_sel", () => {
  it("whichever BAR it is written through", () => {
    const { bench, fn } = plugConsole({ layout: "overlay", queueSize: 8 });
    const bar0 = new OverlayDriver(bench, fn, 0);
    const bar1 = new OverlayDriver(bench, fn, 1);
    bar0.write(at.queueSel, 2, 1);
    bar1.write(at.queuePfn, 4, 0x10);
    bar0.write(at.queueSel, 2, 0);
    expect([bar0.read(at.queuePfn, 4), bar1.read(at.queuePfn, 4)]).toEqual([0, 0]);
    bar1.write(at.queueSel, 2, 1);
    expect(bar0.read(at.queuePfn, 4)).toBe(0x10);
  });
});

describe("D17: MSI-X moves the configuration in an unlatched BAR0 and nothing else", () => {
  it("at 20 or at 24, at each access anew, until the latch is set", () => {
    const { bench, fn, bar0, bar1 } = blk();
    const capacity = [64, 0, 0, 0, 0, 0, 0, 0];
    const latched = () => [map(bar0, 20, 40), map(bar1, 20, 40), map(bar1, 40, 64)];
    for (let i = 0; i < 2; i++) {
      disableMsix(fn);
      expect(map(bar0, 20, 28)).toEqual(capacity);
      enableMsix(bench, fn);
      expect(map(bar0, 24, 32)).toEqual(capacity);
      expect([bar0.read(20, 4), bar0.read(22, 4)]).toEqual([0xffff_ffff, 0x0040_ffff]);
    }
    bar0.begin();
    const enabled = latched();
    disableMsix(fn);
    expect(latched()).toEqual(enabled);
  });
});

describe("D18: a driver which accepts the bit that nobody means gets no features and never the latch", () => {
  it("works as the oldest legacy driver does", () => {
    const { bench, bar0 } = blk();
    bar0.write(at.status, 1, 0);
    const everything = bar0.read(at.hostFeatures, 4);
    expect(everything & badFeature).toBe(badFeature);
    bar0.write(at.guestFeatures, 4, everything);
    expect(bar0.read(20, 4)).toBe(64);
    const ring = bar0.place(0, 256);
    // With event index in force this would keep the device from interrupting.
    ring.setUsedEvent(100);
    expect(reads(bench, bar0, ring)).toBe(true);
    expect(bench.line).toBe(true);
  });
});

describe("D19: BAR0 has room for the whole file, and for the configuration behind 24 bytes", () => {
  it("is 64 bytes for a device with up to 40 of configuration, 128 for a disk with 60", () => {
    const size = (fn: ReturnType<typeof blk>["fn"]) => fn.bars.find((bar) => bar.index === 0)?.size;
    expect(size(plugRng({ layout: "overlay" }).fn)).toBe(64);
    expect(size(plugConsole({ layout: "overlay" }).fn)).toBe(64);
    expect(size(blk().fn)).toBe(128);
  });
});

describe("D20: a partial write to the features is merged, and the latch looks at what came of it", () => {
  it("latches by the one byte which has the bit, and keeps the others", () => {
    const { bar0 } = blk();
    bar0.write(at.guestFeatures, 4, 0x40);
    bar0.write(at.guestFeatures + 2, 1, 0xff);
    expect(bar0.read(20, 4)).toBe(64);
    bar0.write(at.guestFeatures + 3, 1, 2);
    expect(bar0.read(at.guestFeatures, 4)).toBe(0x02ff_0040);
    expect(bar0.read(20, 4)).toBe(0xffff_ffff);
  });
});

describe("D21: the latch stays set when the features are written again without the bit", () => {
  it("while the other features follow what is written", () => {
    const { bar0 } = blk();
    bar0.begin();
    bar0.accept(ringSize.word, ringSize.bit);
    for (const value of [0, badFeature, 0xffff_ffff]) {
      bar0.write(at.guestFeatures, 4, value);
      expect(bar0.read(20, 4)).toBe(0xffff_ffff);
    }
    bar0.write(at.queueNum, 2, 8);
    expect(bar0.read(at.queueNum, 2)).toBe(256);
    bar0.write(at.guestFeatures, 4, 0);
    bar0.write(at.queueNum, 2, 8);
    expect(bar0.read(at.queueNum, 2)).toBe(8);
  });
});

describe("D22: each register BAR has the doorbell", () => {
  it("and both ring the same queue", () => {
    const { bench, bar0, bar1 } = blk();
    const [ring] = bar0.start(1);
    expect(reads(bench, bar0, ring)).toBe(true);
    expect(reads(bench, bar1, ring)).toBe(true);
  });
});

describe("the ring which the guest chooses", () => {
  const choosing = (options = {}) => {
    const device = blk({ queueSize: 1024, ...options });
    device.bar0.begin();
    return device;
  };

  it("has its size from queue_num with RING_SIZE alone, bit 44, which only the selects reach", () => {
    const { bench, bar0 } = choosing();
    expect(bar0.offered() & (1n << 44n)).not.toBe(0n);
    bar0.write(at.queueNum, 2, 8);
    expect(bar0.read(at.queueNum, 2)).toBe(1024);
    bar0.accept(ringSize.word, ringSize.bit);
    bar0.write(at.queueNum, 2, 8);
    expect([bar0.read(at.queueNum, 2), bar0.read(at.queueSize, 2)]).toEqual([8, 1024]);
    expect(reads(bench, bar0, bar0.place(0, 8))).toBe(true);
  });

  it("has 1024 entries where the driver wants that", () => {
    const { bench, bar0 } = choosing();
    bar0.accept(ringSize.word, ringSize.bit);
    bar0.write(at.queueNum, 2, 16);
    bar0.write(at.queueNum, 2, 1024);
    const ring = bar0.place(0, 1024);
    // More at once than a ring of 256 has room for.
    for (let i = 0; i < 300; i++) ring.offer([{ read: blkHeader(0, i % 64) }, { write: 512 }, { write: 1 }]);
    bar0.kick(0);
    bench.clock.advance(1000 * settle);
    expect(ring.usedIndex).toBe(300);
  });

  it("is not of a size which is no power of two, 0 or too large, nor changed under a queue which is placed", () => {
    const { bar0 } = choosing();
    bar0.accept(ringSize.word, ringSize.bit);
    for (const size of [0, 3, 1000, 2048, 0x8000, 0xffff]) {
      bar0.write(at.queueNum, 2, size);
      expect(bar0.read(at.queueNum, 2)).toBe(1024);
    }
    bar0.write(at.queueNum, 2, 8);
    bar0.place(0, 8);
    bar0.write(at.queueNum, 2, 16);
    expect(bar0.read(at.queueNum, 2)).toBe(8);
  });

  it("has its alignment from queue_align with RING_ALIGN alone, bit 127: 222 bytes for 8 entries in place of 8192", () => {
    const { bench, bar0 } = choosing();
    expect(bar0.offered() & (1n << 127n)).not.toBe(0n);
    bar0.accept(ringSize.word, ringSize.bit);
    bar0.accept(ringAlign.word, ringAlign.bit);
    bar0.write(at.queueNum, 2, 8);
    bar0.write(at.queueAlign, 2, 4);
    expect(bar0.read(at.queueAlign, 2)).toBe(4);
    const ring = bar0.place(0, 8, 4);
    const { descriptorArea, driverArea, deviceArea } = ring.ring;
    expect([driverArea - descriptorArea, deviceArea - descriptorArea]).toEqual([128, 152]);
    expect(deviceArea + 6 + 8 * 8 - descriptorArea).toBe(222);
    // Nothing beyond: the page's other bytes stay as they are.
    bench.ram.fill(descriptorArea + 222, 4096 - 222, 0xa5);
    expect(reads(bench, bar0, ring)).toBe(true);
    const rest = bench.ram.contents().subarray(descriptorArea + 222, descriptorArea + 8192);
    expect(rest.subarray(0, 4096 - 222).every((byte) => byte === 0xa5)).toBe(true);
  });

  it("lies on any 16 bytes then: page numbers count the alignment, 16 at least", () => {
    for (const align of [4, 8, 16, 64, 4096]) {
      const { bench, bar0 } = choosing();
      bar0.accept(ringAlign.word, ringAlign.bit);
      bar0.write(at.queueAlign, 2, align);
      expect(reads(bench, bar0, bar0.place(0, 1024, align))).toBe(true);
      expect(bar0.read(at.queuePfn, 4)).toBe(0x1_0000 / Math.max(16, align));
    }
  });

  it("is not of an alignment which is no power of two, below 4 or above 4096", () => {
    const { bar0 } = choosing();
    bar0.accept(ringAlign.word, ringAlign.bit);
    for (const align of [0, 1, 2, 3, 12, 8192, 0xffff]) {
      bar0.write(at.queueAlign, 2, align);
      expect(bar0.read(at.queueAlign, 2)).toBe(4096);
    }
  });

  it("is as legacy has it for a driver which withdraws its features before it places the queue", () => {
    const { bench, bar0 } = choosing();
    bar0.accept(ringSize.word, ringSize.bit);
    bar0.accept(ringAlign.word, ringAlign.bit);
    bar0.write(at.queueNum, 2, 8);
    bar0.write(at.queueAlign, 2, 4);
    for (const word of [1, 3]) {
      bar0.write(at.guestFeatureSelect, 4, word);
      bar0.write(at.guestFeatures, 4, 0);
    }
    expect(reads(bench, bar0, bar0.place(0, 1024))).toBe(true);
  });

  it("offers neither choice when they are withheld", () => {
    const { bar0 } = choosing({ withheld: (1n << 44n) | (1n << 127n) });
    expect(bar0.offered() >> 32n).toBe(0n);
    bar0.accept(ringSize.word, ringSize.bit);
    bar0.write(at.queueNum, 2, 8);
    expect(bar0.read(at.queueNum, 2)).toBe(1024);
  });
});

describe("the overlay's interrupts", () => {
  it("come by the pin until the ISR is read", () => {
    const { bench, bar0 } = blk();
    const [ring] = bar0.start(1);
    reads(bench, bar0, ring);
    bench.clock.advance(settle);
    expect([bench.line, bar0.read(at.isr, 1), bench.line]).toEqual([true, 1, false]);
  });
});
