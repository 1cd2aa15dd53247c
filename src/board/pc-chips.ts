import type { IrqLine } from "../bus/line.ts";
import type { AddressSpace } from "../bus/space.ts";
import type { Device } from "../bus/state.ts";
import type { BusTarget } from "../bus/target.ts";
import { CoprocessorError } from "../devices/coprocessor-error.ts";
import { DebugConsole, ExitRegister, PostCode } from "../devices/debug-ports.ts";
import { I8042 } from "../devices/i8042.ts";
import { I8254, i8254Frequency } from "../devices/i8254/i8254.ts";
import { Mc146818 } from "../devices/mc146818.ts";
import { SystemControlPortA } from "../devices/reset-ports.ts";
import { Uart16550 } from "../devices/uart16550.ts";
import type { Clock } from "../time/clock.ts";
import type { Trace } from "../trace/trace.ts";
import type { Requests } from "./board.ts";
import { priority } from "./common.ts";
import { MachineError } from "./options.ts";
import type { DeviceSpec, PcSpec } from "./spec.ts";

export interface ChipWires {
  readonly ports: AddressSpace;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly requests: Requests;
  /** RAM in bytes. */
  readonly memory: number;
  /** A new input of an ISA interrupt. */
  isa(irq: number): IrqLine;
}

/** The chips of a PC that stand for themselves: each is made from its line of the description and put at its ports. */
export class PcChips {
  readonly devices: Device[] = [];
  readonly uarts = new Map<string, Uart16550>();
  /** Where FERR# goes, on boards that have it. */
  coprocessorError: CoprocessorError | undefined;
  readonly #spec: PcSpec;
  readonly #wires: ChipWires;

  constructor(spec: PcSpec, wires: ChipWires) {
    this.#spec = spec;
    this.#wires = wires;
    for (const chip of spec.devices) this.#make(chip);
  }

  #map(name: string, address: number, size: number, target: BusTarget): void {
    this.#wires.ports.map(address, size, target, { name, priority: priority.chip });
  }

  #make(chip: DeviceSpec): void {
    const { clock, isa, requests } = this.#wires;
    const trace = this.#wires.trace.channel(chip.kind);
    switch (chip.kind) {
      case "uart16550": {
        this.#onPorts(chip);
        this.#uart(chip);
        return;
      }
      case "i8254": {
        if (chip.clock !== i8254Frequency)
          throw new MachineError(`machine ${this.#spec.name}: ${chip.name} runs at ${i8254Frequency} Hz in a PC`);
        const timer = new I8254({ clock, irq: isa(chip.irq), trace });
        this.#map(chip.name, chip.address, 4, timer.registers);
        this.#map(chip.name, chip.systemControl, 1, timer.systemControlPort);
        this.devices.push(timer);
        return;
      }
      case "mc146818": {
        const rtc = new Mc146818({ clock, irq: isa(chip.irq), trace, startTime: this.#spec.time.epoch });
        rtc.setMemorySize(this.#wires.memory, 0);
        this.#map(chip.name, chip.address, 2, rtc.registers);
        this.devices.push(rtc);
        return;
      }
      case "i8042": {
        const keyboard = new I8042({ irq: isa(chip.irq), reset: () => requests.reset("the 8042"), trace });
        const portA = new SystemControlPortA({ reset: () => requests.reset("port 92") });
        this.#map(chip.name, chip.data, 1, keyboard.data);
        this.#map(chip.name, chip.command, 1, keyboard.control);
        this.#map(chip.name, chip.fastA20, 1, portA.registers);
        this.devices.push(keyboard, portA);
        return;
      }
      case "coprocessor-error": {
        this.coprocessorError = new CoprocessorError({ irq: isa(chip.irq) });
        this.#map(chip.name, chip.address, 1, this.coprocessorError.registers);
        this.devices.push(this.coprocessorError);
        return;
      }
      case "exit": {
        this.#onPorts(chip);
        const exit = new ExitRegister({ exit: (status) => requests.exit(status) });
        this.#map(chip.name, chip.address, 4, exit.registers);
        this.devices.push(exit);
        return;
      }
      case "debug-console": {
        const console = new DebugConsole({ write: (byte) => requests.debug(byte) });
        this.#map(chip.name, chip.address, 1, console.registers);
        this.devices.push(console);
        return;
      }
      case "post-code": {
        const post = new PostCode({ trace });
        this.#map(chip.name, chip.address, 1, post.registers);
        this.devices.push(post);
        return;
      }
      // Made where what they hang on is made: interrupts, PCI, firmware's files.
      case "i8259":
      case "lapic":
      case "ioapic":
      case "reset-control":
      case "fw-cfg":
        return;
      default:
        throw new MachineError(`machine ${this.#spec.name}: a PC has no ${chip.kind}`);
    }
  }

  #uart(chip: Extract<DeviceSpec, { kind: "uart16550" }>): void {
    const isConsole = chip.name === this.#spec.console;
    const gate = gated(this.#wires.isa(chip.irq));
    const uart = new Uart16550({
      name: chip.name,
      clock: this.#wires.clock,
      irq: gate.line,
      out2: gate.enable,
      transmit: (byte) => {
        if (isConsole) this.#wires.requests.console(byte);
      },
      trace: this.#wires.trace.channel("uart16550"),
      frequency: chip.clock,
    });
    this.#map(chip.name, chip.address, 8, uart.registers);
    this.uarts.set(chip.name, uart);
    this.devices.push(uart);
  }

  #onPorts(chip: { readonly name: string; readonly bus: "ports" | "memory" }): void {
    if (chip.bus !== "ports") throw new MachineError(`machine ${this.#spec.name}: ${chip.name} of a PC is on ports`);
  }
}

/** A line that passes only while another is high: a PC's UART interrupts through OUT2. */
function gated(out: IrqLine): { line: IrqLine; enable: IrqLine } {
  let level = false;
  let enabled = false;
  const update = () => out.set(level && enabled);
  return {
    line: {
      set(next) {
        level = next;
        update();
      },
    },
    enable: {
      set(next) {
        enabled = next;
        update();
      },
    },
  };
}
