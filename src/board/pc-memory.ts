import { GuestMemory } from "../bus/guest-memory.ts";
import { Ram } from "../bus/ram.ts";
import { AddressSpace, type Mapping } from "../bus/space.ts";
import { allOnes, type BusTarget, type Width } from "../bus/target.ts";
import { engineMemory } from "../engine/engine.ts";
import { type PamSegment, pamSegments } from "../pci/i440fx.ts";
import { priority, slack } from "./common.ts";
import { MachineError } from "./options.ts";
import { makeRom, type Rom } from "./rom.ts";
import type { PcSpec } from "./spec.ts";

/** Where conventional memory ends and extended memory begins; the video memory which would lie between is not there. */
const conventionalEnd = 0xa_0000;
const extendedStart = 0x10_0000;

/** The guest memory of a PC. The engine takes the first part of it, so RAM is made behind that. */
export function pcGuestMemory(memory: number, rom: Rom): GuestMemory {
  return new GuestMemory(engineMemory() + memory + rom.size + slack);
}

/** RAM and ROM where a PC has them, with the segments below 1 MiB which the host bridge can turn over to RAM. */
export class PcMemory {
  readonly space: AddressSpace;
  readonly ram: Ram;
  readonly #rom: Ram;
  readonly #alias: { readonly address: number; readonly size: number };
  readonly #segments = new Map<number, Mapping>();

  constructor(spec: PcSpec, guest: GuestMemory, space: AddressSpace, memory: number, rom: Rom) {
    const { address, size } = rom;
    const { alias } = spec.firmware;
    if (alias !== undefined && alias.size > size)
      throw new MachineError(`machine ${spec.name}: the ROM's alias is larger than the ROM`);
    this.space = space;
    this.ram = new Ram(guest, "ram", memory);
    this.#rom = makeRom(guest, rom);
    this.#alias = alias ?? { address: 0, size: 0 };

    space.map(0, conventionalEnd, this.ram, { name: "ram", priority: priority.ram });
    if (memory > extendedStart)
      space.map(extendedStart, memory - extendedStart, this.ram, {
        name: "ram",
        priority: priority.ram,
        offset: extendedStart,
      });
    space.map(address, size, this.#rom, { name: "rom", priority: priority.rom });
    if (alias !== undefined)
      space.map(alias.address, alias.size, this.#rom, {
        name: "rom",
        priority: priority.rom,
        offset: size - alias.size,
      });
    for (const segment of pamSegments) {
      const options = { name: "shadow ram", priority: priority.ram, enabled: false };
      this.#segments.set(
        segment.base,
        space.map(segment.base, segment.size, this.#target(segment, true, true), options),
      );
    }
  }

  /** The host bridge says where reads and writes of a segment go. */
  turn(segment: PamSegment, readRam: boolean, writeRam: boolean): void {
    const target = this.#target(segment, readRam, writeRam);
    this.#segments.get(segment.base)?.update({ enabled: readRam || writeRam, target });
  }

  /** What answers in a segment: RAM, or RAM for one direction and what lies under it for the other. */
  #target({ base, size }: PamSegment, readRam: boolean, writeRam: boolean): BusTarget {
    const ram = this.ram;
    const read = (offset: number, width: Width) =>
      readRam ? ram.read(base + offset, width) : this.#beneath(base + offset, width);
    const write = (offset: number, width: Width, value: number) => {
      if (writeRam) ram.write(base + offset, width, value);
    };
    if (!readRam) return { read, write };
    return { read, write, backing: { base: ram.backing.base + base, size, writable: writeRam } };
  }

  /** ROM does not change for being written, and below its alias there is nothing. */
  #beneath(address: number, width: Width): number {
    const offset = address - this.#alias.address;
    if (offset < 0 || offset + width > this.#alias.size) return allOnes(width);
    return this.#rom.read(this.#rom.size - this.#alias.size + offset, width);
  }
}

/** The address spaces of a PC: memory with so many address lines, and 64 KiB of ports. */
export function pcSpaces(spec: PcSpec): { memory: AddressSpace; ports: AddressSpace } {
  return {
    memory: new AddressSpace("memory", 2 ** spec.addressBits),
    ports: new AddressSpace("ports", 0x1_0000),
  };
}
