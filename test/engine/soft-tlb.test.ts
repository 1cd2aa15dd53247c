import { describe, expect, it } from "vitest";
import { GuestMemory } from "../../src/bus/guest-memory.ts";
import { Ram } from "../../src/bus/ram.ts";
import { AddressSpace } from "../../src/bus/space.ts";
import { engineMemory } from "../../src/engine/engine.ts";
import { layOut, map, tlb } from "../../src/engine/layout.ts";
import type { Mmu } from "../../src/engine/stops.ts";
import { SoftTlb } from "../../src/engine/virtual-memory.ts";
import { engineSlots, SlotTable } from "../../src/ir/slots.ts";

const page = 4096;
const arenaSize = 1 << 16;
/** A virtual page that lies where its bytes do in the guest memory has nothing added to it, and is in no map: from here on there is none. */
const first = 0x4000_0000;

/** Every virtual page is one of two pages of memory, which hold 1 and 2; every second one is global. */
function machine() {
  const guest = new GuestMemory(engineMemory({ arenaSize }) + (1 << 16));
  const layout = layOut(guest, arenaSize);
  const ram = new Ram(guest, "ram", 2 * page);
  const space = new AddressSpace("memory", 2 ** 32);
  space.map(0, ram.size, ram, { name: "ram" });
  for (const frame of [0, 1]) ram.write(frame * page, 4, frame + 1);
  let frame = 0;
  const mmu: Mmu = {
    slots: engineSlots(new SlotTable()),
    fault: {},
    translate: (address, _access, _user, into) => {
      into.physical = frame * page + (address % page);
      into.writable = true;
      into.global = (address / page) % 2 >= 1;
      into.watched = false;
      return true;
    },
  };
  const words = new Int32Array(guest.memory.buffer);
  const memory = new SoftTlb(guest, space, mmu, layout);
  return {
    memory,
    /** Every page is the other one of the two from now on. */
    turn: () => {
      frame = 1 - frame;
    },
    /** Of what is one of the two pages, stores come to the slow path from now on. */
    watch: () => {
      memory.watch((ram.backing.base + frame * page) / page);
    },
    /** How many pages the maps behind the TLBs hold. */
    mapped: (maps: readonly number[] = [map.read, map.write]) => {
      let all = 0;
      for (const start of layout.tlb)
        for (const which of maps) for (let k = 0; k < 1 << 20; k++) if (words[((start + which) >> 2) + k] !== 0) all++;
      return all;
    },
  };
}

describe.each([1, 10, 8192, 12_000, 18_000, tlb.entries])("a TLB with %i pages in it", (count) => {
  const read = ({ memory }: ReturnType<typeof machine>, k: number) => {
    memory.slow.read(first + k * page, 4, 0);
    return memory.read(first + k * page, 4);
  };
  const pages = Array.from({ length: count }, (_, k) => k);

  it("knows none of them behind a flush, and neither do its maps", () => {
    const m = machine();
    for (const k of pages) expect(read(m, k)).toBe(1);
    m.turn();
    expect(pages.every((k) => m.memory.read(first + k * page, 4) === 1)).toBe(true);
    m.memory.flush();
    expect(m.mapped()).toBe(0);
    expect(pages.every((k) => m.memory.read(first + k * page, 4) === 2)).toBe(true);
  });

  it("knows the global ones behind a flush that spares them, and none behind the next one that does not", () => {
    const m = machine();
    for (const k of pages) read(m, k);
    m.turn();
    m.memory.flush(true);
    for (const k of pages) expect(m.memory.read(first + k * page, 4)).toBe(k % 2 === 1 ? 1 : 2);
    m.memory.flush(true);
    m.memory.flush();
    expect(m.mapped()).toBe(0);
    expect(pages.every((k) => m.memory.read(first + k * page, 4) === 2)).toBe(true);
  });

  it.each([
    ["which spares global pages", true],
    ["of all", false],
  ])("answers for no store to a page that is watched, behind a flush %s as well", (_which, keepGlobal) => {
    const m = machine();
    for (const k of pages) read(m, k);
    m.memory.flush(keepGlobal);
    m.watch();
    for (const k of pages) read(m, k);
    expect(m.mapped([map.write])).toBe(count);
    m.turn();
    m.watch();
    expect(m.mapped([map.write])).toBe(count);
    m.turn();
    m.watch();
    expect(m.mapped([map.write])).toBe(0);
    expect(m.mapped([map.read])).toBe(count);
  });
});
