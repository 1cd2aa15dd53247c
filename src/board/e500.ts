import { GuestMemory } from "../bus/guest-memory.ts";
import { Ram } from "../bus/ram.ts";
import { AddressSpace } from "../bus/space.ts";
import type { Device } from "../bus/state.ts";
import { pvrE500mc } from "../cpu/e500/spr-effects.ts";
import { FwCfg } from "../devices/fwcfg.ts";
import { Ticks } from "../devices/ticks.ts";
import { engineMemory } from "../engine/engine.ts";
import { DmaPath } from "../pci/dma.ts";
import { DmaView } from "../pci/dma-view.ts";
import { Ppce500Bridge } from "../pci/ppce500-bridge.ts";
import { Trace } from "../trace/trace.ts";
import type { Board, Requests } from "./board.ts";
import { consoleOf, makeClock, milliseconds, priority, reportUnclaimed, slack, type WiringOptions } from "./common.ts";
import { E500Chips } from "./e500-chips.ts";
import { E500Cpu } from "./e500-cpu.ts";
import { type E500Plan, planE500 } from "./e500-kernel.ts";
import { DirectBoot } from "./epapr.ts";
import { findDevice } from "./find-device.ts";
import { fwCfgItems } from "./fw-cfg-items.ts";
import { MachineError } from "./options.ts";
import { makeRom, romFor } from "./rom.ts";
import type { E500Spec } from "./spec.ts";
import { VirtioSlots } from "./virtio-slots.ts";

const page = 4096;
const onlyModel = "e500mc";

/** Wires a ppce500. With an empty firmware the kernel is loaded and entered directly. Nothing runs before the board is complete. */
export function wireE500(spec: E500Spec, options: WiringOptions, requests: Requests): Board {
  const { cpu: model = spec.cpu.model } = options;
  if (model !== onlyModel) throw new MachineError(`no e500 processor ${model}: there is ${onlyModel}`);
  const trace = options.trace ?? new Trace();
  const plan = planE500(spec, options);
  const rom = romFor(spec, options.firmware);
  const guest = new GuestMemory(engineMemory() + options.memory + rom.size + slack);
  const memory = new AddressSpace("memory", 2 ** spec.addressBits);
  // Chips know the time before there is a processor to count it by.
  let cpu: E500Cpu | undefined;
  const clock = makeClock(spec, options, () => cpu?.instructions ?? 0);
  trace.time = () => clock.now;

  const versions = { pvr: pvrE500mc, svr: spec.cpu.svr };
  const chips = new E500Chips(spec, {
    memory,
    clock,
    trace,
    requests,
    versions,
    attention: () => cpu?.attention(),
    critical: (level) => cpu?.front.criticalInput(level),
  });
  const counted = { interrupts: 0 };
  const timebase = new Ticks(spec.cpu.timebaseClock);
  const timer = clock.alarm("e500 timer", () => cpu?.front.timer());
  cpu = new E500Cpu({
    memory,
    guest,
    engine: {
      executor: options.exec,
      background: options.background,
      now: options.wall && milliseconds(options.wall),
    },
    svr: spec.cpu.svr,
    bootPage: rom.address + rom.size - page,
    interrupts: {
      get pending() {
        return chips.mpic.pending;
      },
      acknowledge() {
        counted.interrupts++;
        return chips.mpic.acknowledge();
      },
    },
    wires: {
      timebase: () => timebase.at(clock.now),
      setTimer: (due) => (due === Number.POSITIVE_INFINITY ? timer.cancel() : timer.set(timebase.time(due))),
      reset: (why) => requests.reset(why),
      report: (key, text) => trace.channel("cpu").once(key, text),
    },
  });

  // The engine's part of the guest memory comes first, then RAM and ROM.
  const ram = new Ram(guest, "ram", options.memory);
  memory.map(spec.memory.base, options.memory, ram, { name: "ram", priority: priority.ram });
  memory.map(rom.address, rom.size, makeRom(guest, rom), { name: "rom", priority: priority.rom });

  const bridge = new Ppce500Bridge({
    memory,
    guest,
    ccsrBase: spec.ccsr.address,
    ports: spec.pci.windows.ports !== undefined,
    irq: (input) => chips.irq(spec.pci.intxBase + input - 1),
    trace: trace.channel("pci"),
  });
  memory.map(spec.pci.configAddress, page, bridge.registers, { name: "pci host", priority: priority.chip });
  const own = wireFwCfg(spec, options, plan, { guest, memory, trace });
  const virtio = new VirtioSlots(spec, options, { bus: bridge.bus, clock, trace, more: { guestOrder: () => "big" } });
  virtio.plugAll();
  reportUnclaimed(memory, trace);

  if (options.firmware.length === 0) {
    const direct = new DirectBoot(ram, plan, options.initrd);
    own.push(direct);
    cpu.enter = direct.entry;
  }
  return {
    spec,
    trace,
    clock,
    guest,
    memory,
    ports: undefined,
    ram,
    cpu,
    devices: [...chips.devices, ...own, bridge, ...bridge.bus.devices],
    console: consoleOf(spec, chips.uarts),
    ended: () => virtio.close(),
    counts: () => {
      const { messagesSent, messagesDropped, refused } = bridge.bus.path.state.now;
      const way = { messages: messagesSent, "messages-dropped": messagesDropped, "dma-refused": refused };
      return { ...counted, ...way, ...virtio.counts() };
    },
  };
}

/** The firmware configuration device. Its DMA takes a way of its own to memory: the bridge translates nothing before firmware tells it to. */
function wireFwCfg(
  spec: E500Spec,
  options: WiringOptions,
  plan: E500Plan,
  wires: { guest: GuestMemory; memory: AddressSpace; trace: Trace },
): Device[] {
  const { guest, memory, trace } = wires;
  const chip = findDevice(spec, "fw-cfg");
  const channel = trace.channel("fw-cfg");
  const path = new DmaPath("fw-cfg.dma", memory, guest, channel);
  const dma = new DmaView("fw-cfg");
  dma.attach(path);
  dma.enable(true);
  const fwCfg = new FwCfg({ dma, trace: channel });
  const { kernel, append = "", initrd, modules = [] } = options;
  if (modules.length > 0) throw new MachineError(`modules go with a Multiboot kernel, and ${spec.name} boots none`);
  const given = kernel && { kernel, setup: new Uint8Array(0), append, initrd };
  for (const [key, bytes] of fwCfgItems(options.memory, given)) fwCfg.add(key, bytes);
  fwCfg.addFile("etc/fdt", plan.tree);
  memory.map(chip.address, 24, fwCfg.memory, { name: chip.name, priority: priority.chip });
  return [fwCfg, path];
}
