import type { AddressSpace } from "../bus/space.ts";
import { FwCfg } from "../devices/fwcfg.ts";
import { Ticks } from "../devices/ticks.ts";
import { DmaView } from "../pci/dma-view.ts";
import { Trace } from "../trace/trace.ts";
import type { Board, Requests } from "./board.ts";
import { consoleOf, makeClock, milliseconds, priority, reportUnclaimed, type WiringOptions } from "./common.ts";
import { findDevice } from "./find-device.ts";
import { fwCfgItems } from "./fw-cfg-items.ts";
import { moduleFile, moduleFileName } from "./module-file.ts";
import { PcChips } from "./pc-chips.ts";
import { pcFirmwareFiles } from "./pc-files.ts";
import { PcInterrupts } from "./pc-interrupts.ts";
import { pcKernel } from "./pc-kernel.ts";
import { PcMemory, pcGuestMemory, pcSpaces } from "./pc-memory.ts";
import { PcPci } from "./pc-pci.ts";
import { romFor } from "./rom.ts";
import type { PcSpec } from "./spec.ts";
import { VirtioSlots } from "./virtio-slots.ts";
import { X86Cpu } from "./x86-cpu.ts";

/** Wires a PC. Nothing runs before the board is complete. */
export function wirePc(spec: PcSpec, options: WiringOptions, requests: Requests): Board {
  const trace = options.trace ?? new Trace();
  const rom = romFor(spec, options.firmware);
  const guest = pcGuestMemory(options.memory, rom);
  const { memory, ports } = pcSpaces(spec);
  // Chips know the time before there is a processor to count it by.
  let cpu: X86Cpu | undefined;
  const clock = makeClock(spec, options, () => cpu?.instructions ?? 0);
  trace.time = () => clock.now;

  const tsc = new Ticks(spec.cpu.tscClock);
  const interrupts = new PcInterrupts(spec, {
    memory,
    ports,
    clock,
    trace,
    attention: () => cpu?.attention(),
    nmi: () => cpu?.nmi(),
    reset: requests.reset,
  });
  // The engine's part of the guest memory comes first, then RAM and ROM.
  cpu = new X86Cpu({
    model: options.cpu ?? spec.cpu.model,
    memory,
    guest,
    engine: {
      executor: options.exec,
      background: options.background,
      now: options.wall && milliseconds(options.wall),
    },
    interrupts,
    wires: {
      readPort: (port, width) => ports.read(port, width),
      writePort: (port, width, value) => ports.write(port, width, value),
      timestamp: () => tsc.at(clock.now),
      coprocessorError: (level) => chips.coprocessorError?.ferr(level) ?? 1,
      apicBase: () => interrupts.lapic.base,
      setApicBase: (value) => interrupts.lapic.setBase(value),
      shutdown: () => requests.reset("a triple fault"),
      report: (key, text) => trace.channel("cpu").once(key, text),
      exceptions: trace.channel("exception"),
      irq: trace.channel("irq"),
    },
  });
  const ram = new PcMemory(spec, guest, memory, options.memory, rom);

  const chips = new PcChips(spec, {
    ports,
    clock,
    trace,
    requests,
    memory: options.memory,
    isa: (n) => interrupts.isa(n),
  });
  const pci = new PcPci(spec, { memory, ports, clock, trace, guest, interrupts, ram, requests });
  const fwCfg = wireFwCfg(spec, options, pci.bus.path, ports, trace);
  const virtio = new VirtioSlots(spec, options, { bus: pci.bus, clock, trace });
  virtio.plugAll();
  reportUnclaimed(memory, trace);
  reportUnclaimed(ports, trace);

  return {
    spec,
    trace,
    clock,
    guest,
    memory,
    ports,
    ram: ram.ram,
    cpu,
    devices: [...chips.devices, ...interrupts.devices, fwCfg, ...pci.devices, ...pci.bus.devices],
    console: consoleOf(spec, chips.uarts),
    ended: () => virtio.close(),
    counts: () => ({ interrupts: interrupts.taken, ...pci.counts(), ...virtio.counts() }),
  };
}

/** The firmware configuration device with all that this machine tells its firmware. Its DMA takes the processor's way to memory. */
function wireFwCfg(
  spec: PcSpec,
  options: WiringOptions,
  path: PcPci["bus"]["path"],
  ports: AddressSpace,
  trace: Trace,
): FwCfg {
  const dma = new DmaView("fw-cfg");
  dma.attach(path);
  dma.enable(true);
  const chip = findDevice(spec, "fw-cfg");
  const fwCfg = new FwCfg({ dma, trace: trace.channel("fw-cfg") });
  for (const [key, bytes] of fwCfgItems(options.memory, pcKernel(options))) fwCfg.add(key, bytes);
  const { modules = [] } = options;
  if (modules.length > 0) fwCfg.addFile(moduleFileName, moduleFile(modules));
  for (const [name, bytes] of Object.entries(pcFirmwareFiles(spec, options.memory))) fwCfg.addFile(name, bytes);
  ports.map(chip.address, 12, fwCfg.ports, { name: chip.name, priority: priority.chip });
  return fwCfg;
}
