import { cells, type FdtNode, present, strings, wide, writeFdt } from "./fdt.ts";
import { findDevice } from "./find-device.ts";
import type { DeviceSpec, E500Spec } from "./spec.ts";

/** What the tree tells of one boot. */
export interface E500Boot {
  /** RAM in bytes. */
  readonly memory: number;
  readonly append: string;
  /** Where an initial RAM disk lies. */
  readonly initrd?: { readonly start: number; readonly end: number };
  /** 32 bytes for the kernel's random numbers. */
  readonly rngSeed: Uint8Array;
}

/** References from node to node. */
const phandle = { pic: 1, msi: 2, gpio: 3 } as const;

/** Interrupt senses of an MPIC (ePAPR, open-pic binding): level and active low, edge and rising. */
const level = 2;
const edge = 0;

/** The first of the eight interrupts which shared MSIs arrive by. */
const firstMsiInterrupt = 0xe0;

const node = (name: string, properties: FdtNode["properties"], ...children: readonly FdtNode[]): FdtNode => ({
  name,
  properties,
  children,
});

const referable = (handle: number) => ({ phandle: cells(handle), "linux,phandle": cells(handle) });

/** The board as an operating system of the ePAPR kind is told of it. */
export function e500Tree(spec: E500Spec, boot: E500Boot): Uint8Array {
  const soc = `soc@${spec.ccsr.address.toString(16)}`;
  const uarts = spec.devices.filter((chip) => chip.kind === "uart16550");
  const console = uarts.find((chip) => chip.name === spec.console) ?? findDevice(spec, "uart16550");
  const serial = (address: number) => `serial@${(address - spec.ccsr.address).toString(16)}`;
  const stdout = strings(`/${soc}/${serial(console.address)}`);
  const pciNode = `pci@${spec.pci.configAddress.toString(16)}`;

  const aliases: Record<string, Uint8Array> = { pci0: strings(`/${pciNode}`) };
  for (const [i, uart] of [console, ...uarts.filter((chip) => chip !== console)].entries())
    aliases[`serial${i}`] = strings(`/${soc}/${serial(uart.address)}`);

  return writeFdt(
    node(
      "",
      {
        model: strings("Barzero ppce500"),
        // Linux's machine description for this board goes by this name.
        compatible: strings("fsl,qemu-e500"),
        "#address-cells": cells(2),
        "#size-cells": cells(2),
      },
      node("aliases", aliases),
      node("chosen", chosen(boot, stdout)),
      node("memory", {
        device_type: strings("memory"),
        reg: cells(...wide(spec.memory.base), ...wide(boot.memory)),
      }),
      node("cpus", { "#address-cells": cells(1), "#size-cells": cells(0) }, processor(spec)),
      node(
        soc,
        {
          device_type: strings("soc"),
          compatible: strings("fsl,mpc8544-immr", "simple-bus"),
          "#address-cells": cells(1),
          "#size-cells": cells(1),
          ranges: cells(0, ...wide(spec.ccsr.address), spec.ccsr.size),
          "bus-frequency": cells(0),
        },
        ...spec.devices.flatMap((chip) => chipNodes(spec, chip)),
      ),
      pciHost(spec, pciNode),
    ),
  );
}

function chosen(boot: E500Boot, stdout: Uint8Array): FdtNode["properties"] {
  return {
    bootargs: strings(boot.append),
    ...(boot.initrd && {
      "linux,initrd-start": cells(boot.initrd.start),
      "linux,initrd-end": cells(boot.initrd.end),
    }),
    "stdout-path": stdout,
    "linux,stdout-path": stdout,
    "rng-seed": boot.rngSeed,
  };
}

function processor(spec: E500Spec): FdtNode {
  return node("PowerPC,8544@0", {
    device_type: strings("cpu"),
    reg: cells(0),
    status: strings("okay"),
    "timebase-frequency": cells(spec.cpu.timebaseClock),
    "clock-frequency": cells(spec.cpu.clock),
    "bus-frequency": cells(0),
    // The line size matters to dcbz; the sizes are e500mc's.
    "d-cache-line-size": cells(64),
    "i-cache-line-size": cells(64),
    "d-cache-size": cells(0x8000),
    "i-cache-size": cells(0x8000),
  });
}

/** The nodes of a chip in the CCSR block. A chip which an operating system need not know has none. */
function chipNodes(spec: E500Spec, chip: DeviceSpec): readonly FdtNode[] {
  if (!("address" in chip)) return [];
  const at = chip.address - spec.ccsr.address;
  const name = (kind: string) => `${kind}@${at.toString(16)}`;
  switch (chip.kind) {
    case "uart16550":
      return [
        node(name("serial"), {
          device_type: strings("serial"),
          compatible: strings("ns16550"),
          reg: cells(at, 0x100),
          "cell-index": cells(chip.name === spec.console ? 0 : 1),
          "clock-frequency": cells(chip.clock),
          interrupts: cells(chip.irq, level),
          "interrupt-parent": cells(phandle.pic),
        }),
      ];
    case "mpic":
      return [
        node(name("pic"), {
          device_type: strings("open-pic"),
          compatible: strings("fsl,mpic"),
          reg: cells(at, 0x4_0000),
          "#address-cells": cells(0),
          "#interrupt-cells": cells(2),
          "interrupt-controller": present,
          ...referable(phandle.pic),
        }),
        node(`msi@${(at + chip.msi).toString(16)}`, {
          compatible: strings("fsl,mpic-msi"),
          reg: cells(at + chip.msi, 0x200),
          "msi-available-ranges": cells(0, 0x100),
          interrupts: cells(...Array.from({ length: 8 }, (_, i) => [firstMsiInterrupt + i, edge]).flat()),
          "interrupt-parent": cells(phandle.pic),
          ...referable(phandle.msi),
        }),
      ];
    case "guts":
      return [
        node(name("global-utilities"), {
          compatible: strings("fsl,mpc8544-guts"),
          reg: cells(at, 0x1000),
          "fsl,has-rstcr": present,
        }),
      ];
    case "gpio":
      return [
        node(name("gpio"), {
          compatible: strings("fsl,qoriq-gpio"),
          reg: cells(at, 0x1000),
          "#gpio-cells": cells(2),
          "gpio-controller": present,
          interrupts: cells(chip.irq, level),
          "interrupt-parent": cells(phandle.pic),
          ...referable(phandle.gpio),
        }),
        node("power-off", { compatible: strings("gpio-poweroff"), gpios: cells(phandle.gpio, chip.powerOffPin, 0) }),
      ];
    default:
      return [];
  }
}

function pciHost(spec: E500Spec, name: string): FdtNode {
  const { memory, ports } = spec.pci.windows;
  return node(name, {
    device_type: strings("pci"),
    compatible: strings("fsl,mpc8540-pci"),
    reg: cells(...wide(spec.pci.configAddress), 0, 0x1000),
    "cell-index": cells(0),
    "#address-cells": cells(3),
    "#size-cells": cells(2),
    "#interrupt-cells": cells(1),
    "bus-range": cells(0, 255),
    "clock-frequency": cells(spec.pci.clock),
    // 32-bit memory, then I/O (IEEE 1275 PCI binding, section 2.2.1.1).
    ranges: cells(
      ...[0x0200_0000, 0, memory.base, ...wide(memory.physical), ...wide(memory.size)],
      ...(ports === undefined ? [] : [0x0100_0000, 0, ports.base, ...wide(ports.physical), ...wide(ports.size)]),
    ),
    interrupts: cells(spec.pci.irq, level),
    "interrupt-parent": cells(phandle.pic),
    "interrupt-map-mask": cells(0xf800, 0, 0, 7),
    "interrupt-map": cells(...interruptMap(spec)),
    "fsl,msi": cells(phandle.msi),
  });
}

/** A line of seven cells for each slot and pin: unit address, pin from 1, and the MPIC's input. */
function interruptMap(spec: E500Spec): readonly number[] {
  const map: number[] = [];
  const [first, last] = spec.pci.freeSlots;
  for (let slot = first; slot <= last; slot++)
    for (let pin = 0; pin < 4; pin++)
      map.push(slot << 11, 0, 0, pin + 1, phandle.pic, spec.pci.intxBase + ((slot + pin) & 3), 1);
  return map;
}
