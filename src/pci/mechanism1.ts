import { type Device, State } from "../bus/state.ts";
import { allOnes, type BusTarget, type Width } from "../bus/target.ts";
import type { PciBus } from "./bus.ts";

/** Bits of CONFIG_ADDRESS that are there: enable, bus, device, function, register. */
export const configAddressBits = 0x80ff_fffc;

/** Reads what a CONFIG_ADDRESS selects. @param lane the first byte of the access, 0 to 3. */
export function readSelected(bus: PciBus, address: number, lane: number, width: Width): number {
  if (address < 0x8000_0000) return allOnes(width);
  const devfn = (address >>> 8) & 0xff;
  return bus.readConfig((address >>> 16) & 0xff, devfn >>> 3, devfn & 7, (address & 0xfc) + lane, width);
}

/** The same for writes. */
export function writeSelected(bus: PciBus, address: number, lane: number, width: Width, value: number): void {
  if (address < 0x8000_0000) return;
  const devfn = (address >>> 8) & 0xff;
  bus.writeConfig((address >>> 16) & 0xff, devfn >>> 3, devfn & 7, (address & 0xfc) + lane, width, value);
}

/**
 * Configuration mechanism 1: eight ports at 0xCF8 (PCI 3.0 section 3.2.2.3.2).
 *
 * CONFIG_ADDRESS answers 4-byte accesses alone; any other passes on to ordinary ports, of which the
 * reset control register at 0xCF9 is the one that exists. CONFIG_DATA takes 1, 2 and 4 bytes; with
 * the enable bit clear there is nothing behind it.
 */
export class ConfigMechanism1 implements Device, BusTarget {
  readonly name = "config-mechanism-1";
  readonly state = new State("config-mechanism-1", { address: 0 });
  readonly #bus: PciBus;
  readonly #resetControl: BusTarget | undefined;

  /** @param resetControl the byte register at 0xCF9, which is its offset 0. */
  constructor(bus: PciBus, resetControl?: BusTarget) {
    this.#bus = bus;
    this.#resetControl = resetControl;
  }

  read(offset: number, width: Width): number {
    if (offset >= 4) return readSelected(this.#bus, this.state.now.address, offset - 4, width);
    if (offset === 0 && width === 4) return this.state.now.address;
    if (offset === 1 && width === 1) return this.#resetControl?.read(0, 1) ?? 0xff;
    return allOnes(width);
  }

  write(offset: number, width: Width, value: number): void {
    if (offset >= 4) writeSelected(this.#bus, this.state.now.address, offset - 4, width, value);
    else if (offset === 0 && width === 4) this.state.now.address = (value & configAddressBits) >>> 0;
    else if (offset === 1 && width === 1) this.#resetControl?.write(0, 1, value);
  }

  reset(): void {
    this.state.reset();
  }
}
