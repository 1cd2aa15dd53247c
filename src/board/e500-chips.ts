import { type IrqLine, SharedLine } from "../bus/line.ts";
import type { AddressSpace } from "../bus/space.ts";
import type { Device } from "../bus/state.ts";
import { type BusTarget, bigEndian } from "../bus/target.ts";
import { ExitRegister } from "../devices/debug-ports.ts";
import { GpioMpc8xxx } from "../devices/gpio-mpc8xxx.ts";
import { Guts } from "../devices/guts.ts";
import { Mpic, mpicMsiir } from "../devices/mpic/mpic.ts";
import { SpinTable } from "../devices/spin-table.ts";
import { Uart16550 } from "../devices/uart16550.ts";
import type { Clock } from "../time/clock.ts";
import type { Trace } from "../trace/trace.ts";
import type { Requests } from "./board.ts";
import { priority } from "./common.ts";
import { findDevice } from "./find-device.ts";
import { MachineError } from "./options.ts";
import type { DeviceSpec, E500Spec } from "./spec.ts";

export interface E500ChipWires {
  readonly memory: AddressSpace;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly requests: Requests;
  /** Processor and system version, which the global utilities repeat. */
  readonly versions: { readonly pvr: number; readonly svr: number };
  /** The processor's external interrupt pin changed. */
  attention(): void;
  /** Its critical input, a level. */
  critical(level: boolean): void;
}

/** The chips in the CCSR block, at the addresses of the description. All their registers are memory. */
export class E500Chips {
  readonly devices: Device[] = [];
  readonly uarts = new Map<string, Uart16550>();
  readonly mpic: Mpic;
  readonly #spec: E500Spec;
  readonly #wires: E500ChipWires;
  readonly #lines = new Map<number, SharedLine>();

  constructor(spec: E500Spec, wires: E500ChipWires) {
    this.#spec = spec;
    this.#wires = wires;
    const chip = findDevice(spec, "mpic");
    if (chip.msiir !== mpicMsiir)
      throw new MachineError(`machine ${spec.name}: an MPIC takes messages at 0x${mpicMsiir.toString(16)}`);
    this.mpic = new Mpic({
      clock: wires.clock,
      timerClock: chip.timerClock,
      int: { set: () => wires.attention() },
      critical: { set: (level) => wires.critical(level) },
      trace: wires.trace.channel("irq"),
    });
    this.#map(chip.name, chip.address, 0x4_0000, this.mpic.registers);
    for (const other of spec.devices) this.#make(other);
    // Last, so that what the others do to their lines at a reset is not forgotten.
    this.devices.push(this.mpic);
  }

  /** A new input of an interrupt source: chips may share one. */
  irq(source: number): IrqLine {
    let line = this.#lines.get(source);
    if (line === undefined) {
      line = new SharedLine(this.mpic.input(source));
      this.#lines.set(source, line);
    }
    return line.input();
  }

  #map(name: string, address: number, size: number, target: BusTarget): void {
    const { ccsr } = this.#spec;
    if (address < ccsr.address || address + size > ccsr.address + ccsr.size)
      throw new MachineError(`machine ${this.#spec.name}: ${name} lies outside of the CCSR block`);
    this.#wires.memory.map(address, size, target, { name, priority: priority.chip });
  }

  #make(chip: DeviceSpec): void {
    const { clock, requests } = this.#wires;
    const trace = this.#wires.trace.channel(chip.kind);
    switch (chip.kind) {
      case "uart16550": {
        const isConsole = chip.name === this.#spec.console;
        const uart = new Uart16550({
          name: chip.name,
          clock,
          irq: this.irq(chip.irq),
          transmit: (byte) => {
            if (isConsole) requests.console(byte);
          },
          trace,
          frequency: chip.clock,
        });
        this.#map(chip.name, chip.address, 8, uart.registers);
        this.uarts.set(chip.name, uart);
        this.devices.push(uart);
        return;
      }
      case "guts": {
        const guts = new Guts({ ...this.#wires.versions, reset: () => requests.reset("RSTCR"), trace });
        this.#map(chip.name, chip.address, 0x1000, guts.registers);
        this.devices.push(guts);
        return;
      }
      case "gpio": {
        const gpio = new GpioMpc8xxx({
          irq: this.irq(chip.irq),
          output: (pin, level) => {
            if (pin === chip.powerOffPin && level) requests.exit(0);
          },
          trace,
        });
        this.#map(chip.name, chip.address, 0x1000, gpio.registers);
        this.devices.push(gpio);
        return;
      }
      case "exit": {
        const exit = new ExitRegister({ exit: (status) => requests.exit(status) });
        this.#map(chip.name, chip.address, 4, bigEndian(exit.registers));
        this.devices.push(exit);
        return;
      }
      case "spin-table": {
        const table = new SpinTable(1);
        this.#wires.memory.map(chip.address, table.size, table.registers, {
          name: chip.name,
          priority: priority.chip,
        });
        this.devices.push(table);
        return;
      }
      // Made before and after, with what they hang on.
      case "mpic":
      case "fw-cfg":
        return;
      default:
        throw new MachineError(`machine ${this.#spec.name}: a ppce500 has no ${chip.kind}`);
    }
  }
}
