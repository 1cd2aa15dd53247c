import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { pc } from "../../machines/pc.ts";
import { CharacterFifo, sinkTo } from "../../src/backend/character.ts";
import { Loopback } from "../../src/backend/loopback.ts";
import { MemoryBlock } from "../../src/backend/memory-block.ts";
import type { IrqMode, Layout } from "../../src/board/options.ts";
import { find } from "./guests.ts";
import { Linux, quick } from "./linux.ts";

const layouts = ["legacy", "modern", "transitional"] as const satisfies Layout[];
const irqs = ["msix", "msix-shared", "intx"] as const satisfies IrqMode[];
/** Every pair of both. */
const pairs = layouts.flatMap((layout) => irqs.map((irq) => ({ layout, irq })));

const sectors = 512;

/** A small disk of its own bytes for each pair. */
function disks() {
  return pairs.map((pair, i) => {
    const bytes = Uint8Array.from({ length: sectors * 512 }, (_, at) => (at >>> 9) * 7 + at * 3 + i * 11);
    // A disk's name has 20 letters.
    const serial = `${pair.layout.slice(0, 5)}-${pair.irq}`;
    return { ...pair, backend: new MemoryBlock(bytes, serial), bytes, serial };
  });
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Every layout with every way to interrupt, disks, entropy, consoles and cards side by side in one machine. */
async function sideBySide(name: "pc" | "pc-pae" | "ppce500" | "ppce500-smp", append: string) {
  const guest = find(name);
  if (guest === undefined) throw new Error(`no ${name}`);
  const drives = disks();
  const spoken: number[] = [];
  const linux = Linux.start(guest, {
    append,
    drives,
    spec: {
      virtio: [...pairs.map((pair) => ({ kind: "rng" as const, ...pair })), { kind: "console" }],
    },
    networks: layouts.map((layout) => ({ backend: new Loopback(), layout })),
    virtioConsole: { output: sinkTo((bytes) => spoken.push(...bytes)), input: new CharacterFifo() },
  });
  await linux.up();
  return { linux, drives, spoken };
}

/** @param messages whether the guest takes messages at all. */
async function tryDevices({ linux, drives, spoken }: Awaited<ReturnType<typeof sideBySide>>, messages: boolean) {
  for (const [i, { layout, irq, bytes, serial }] of drives.entries()) {
    const name = `vd${String.fromCharCode(97 + i)}`;
    const label = `${name} ${layout} ${irq}`;
    expect([label, (await linux.sh(`cat /sys/block/${name}/size /sys/block/${name}/serial`)).split(/\s+/)]).toEqual([
      label,
      [String(sectors), serial],
    ]);
    const vectors = await linux.sh(`ls /sys/block/${name}/device/../msi_irqs 2>/dev/null | wc -l`);
    expect([label, Number(vectors)]).toEqual([label, messages && irq !== "intx" ? 2 : 0]);
    expect([label, await linux.sh(`dd if=/dev/${name} bs=64k iflag=direct 2>/dev/null | sha256sum`)]).toEqual([
      label,
      `${sha256(bytes)}  -\n`,
    ]);
    await linux.sh(`dd if=/dev/zero bs=512 count=3 seek=5 of=/dev/${name} oflag=direct conv=fsync 2>/dev/null`);
    expect([label, bytes.subarray(5 * 512, 8 * 512).every((byte) => byte === 0)]).toEqual([label, true]);
    expect(bytes[8 * 512 + 1]).not.toBe(0);
    const { [`blk${i}.messages`]: sent = 0, [`blk${i}.pins`]: pins = 0 } = linux.stats();
    expect([label, sent > 0, pins > 0]).toEqual([label, messages && irq !== "intx", !(messages && irq !== "intx")]);
  }

  const sources = (await linux.sh("cat /sys/class/misc/hw_random/rng_available")).trim().split(/\s+/);
  expect(sources.filter((name) => name.startsWith("virtio_rng")).length).toBe(pairs.length);
  for (const source of sources) {
    await linux.sh(`echo ${source} > /sys/class/misc/hw_random/rng_current`);
    expect(
      await linux.sh("cat /sys/class/misc/hw_random/rng_current; dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c"),
    ).toBe(`${source}\n64\n`);
  }

  await linux.sh("echo over hvc0 > /dev/hvc0");
  expect(new TextDecoder().decode(Uint8Array.from(spoken))).toMatch(/over hvc0/);

  for (const i of layouts.keys()) {
    // What is sent comes back: the cards are joined to themselves.
    await linux.sh(
      `ifconfig eth${i} 10.0.${i}.1 netmask 255.255.255.0 up; arping -c 3 -w 3 -I eth${i} 10.0.${i}.2 >/dev/null`,
    );
    const counts = await linux.sh(
      `cat /sys/class/net/eth${i}/statistics/tx_packets /sys/class/net/eth${i}/statistics/rx_packets`,
    );
    const [sent = 0, received = 0] = counts.trim().split(/\s+/).map(Number);
    expect([i, sent >= 3, received >= 3]).toEqual([i, true, true]);
  }

  expect(linux.reports.filter((line) => line.startsWith("lint"))).toEqual([]);
  expect(linux.stats()).toMatchObject({ "messages-dropped": 0, "dma-refused": 0 });
}

const all = process.env.BARZERO_LINUX === "all";

describe.each(["ppce500", "ppce500-smp"] as const)("the devices of %s under Linux", (name) => {
  it.skipIf(find(name) === undefined || !(all || name === "ppce500")).each([
    ["with messages", "", true],
    ["with pci=nomsi", "pci=nomsi", false],
  ] as const)("work in every layout, %s, and nothing is broken or missing", async (_how, append, messages) => {
    const started = await sideBySide(name, append);
    await using linux = started.linux;
    await tryDevices(started, messages);
    expect(linux.reports).toEqual([]);
  });
});

describe("the devices of pc under Linux", () => {
  it.skipIf(find("pc") === undefined || !(all || find("pc-pae") === undefined))(
    "work in every layout, with ACPI and messages",
    async () => {
      const started = await sideBySide("pc", quick);
      await using linux = started.linux;
      await tryDevices(started, true);
      await timers(linux);
    },
  );

  it.skipIf(find("pc-pae") === undefined).each([
    ["with ACPI and messages", "", true, true],
    ...(all
      ? ([
          ["without ACPI, by the MP table", "acpi=off", true, true],
          ["without an I/O APIC", "noapic", true, true],
          ["without either", "acpi=off noapic", true, true],
          ["with pci=nomsi", "pci=nomsi", false, true],
          ["without APIC timers", "nolapic_timer", true, false],
          ["without a local APIC", "nolapic", false, false],
        ] as const)
      : []),
  ] as const)("work in every layout under the PAE kernel, %s", async (_how, append, messages, apicTimer) => {
    const started = await sideBySide("pc-pae", `${quick} ${append}`);
    await using linux = started.linux;
    await tryDevices(started, messages);
    if (apicTimer) await timers(linux);
  });

  /** The local APIC's timer ticks, and TSC and PM timer agree on what a second is. */
  async function timers(linux: Linux): Promise<void> {
    const ticks = async () => Number(/LOC: +(\d+)/.exec(await linux.sh("cat /proc/interrupts"))?.[1]);
    const clocks = (await linux.sh("cat /sys/devices/system/clocksource/clocksource0/available_clocksource"))
      .trim()
      .split(" ");
    expect(clocks).toContain("tsc");
    expect(await linux.sh("dmesg | grep -c 'MHz processor'")).toBe("1\n");
    // Against the PM timer, which ACPI tells of.
    if (clocks.includes("acpi_pm")) {
      const said = await linux.sh("dmesg | grep 'Refined TSC'");
      // What it counts while it waits for the PM timer is right to some thousandths of a per cent.
      expect(Number(/ (\d+\.\d{3}) MHz/.exec(said)?.[1])).toBeCloseTo(pc.cpu.tscClock / 1e6, 0);
    }
    for (const clock of clocks) {
      await linux.sh(`echo ${clock} > /sys/devices/system/clocksource/clocksource0/current_clocksource`);
      const before = await ticks();
      const begin = linux.machine.clock.now;
      const seconds = await linux.sh(
        "a=$(cut -d' ' -f1 /proc/uptime); sleep 2; b=$(cut -d' ' -f1 /proc/uptime); echo $a $b",
      );
      const [a = 0, b = 0] = seconds.trim().split(" ").map(Number);
      expect([clock, Math.abs((linux.machine.clock.now - begin) / 1e9 - (b - a)) < 0.3]).toEqual([clock, true]);
      expect(await ticks()).toBeGreaterThan(before);
    }
  }
});

describe.each(["ppce500", "pc"] as const)("an overlay device under Linux on %s", (name) => {
  const wanted = name === "ppce500" || all;
  it.skipIf(find(name) === undefined || !wanted)("is left alone", async () => {
    const guest = find(name);
    if (guest === undefined) return;
    await using linux = Linux.start(guest, {
      append: quick,
      layout: "overlay",
      drives: [{ backend: new MemoryBlock(new Uint8Array(2 ** 20), "overlay") }],
    });
    await linux.up();
    expect(await linux.sh("ls /sys/bus/virtio/devices | wc -l")).toBe("0\n");
    expect(await linux.sh("cat /sys/bus/pci/devices/*/vendor | grep -c 0x1af4")).toBe("3\n");
    const { "blk0.messages": messages, "blk0.pins": pins } = linux.stats();
    expect([messages, pins]).toEqual([0, 0]);
    linux.console.send("exit\n");
    expect(await linux.exit).toBe(0);
  });
});
