import * as z from "zod";

/**
 * A machine as data. Everything that any part, table or header needs to know of a board comes from here: no address is typed twice.
 *
 * TypeScript values and users' JSON are held to this one schema. Numbers may be hex strings in JSON ("0x3f8").
 * Importing this file as a value costs a tenth of a second of start-up: only who reads a user's file does.
 */
const whole = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  z.preprocess(
    (value) => (typeof value === "string" && /^0x[0-9a-f]+$/i.test(value) ? Number(value) : value),
    z.int("expected a whole number, or hex in a string like 0x3f8").min(least).max(most),
  );
const natural = whole(0);
/** Frequencies and times, by which something is divided. */
const positive = whole(1);
/** First and last device number which drives and other devices take. */
const slotRange = z.tuple([whole(0, 31), whole(0, 31)]);
/** The engine, RAM and ROM share one WebAssembly memory of less than 4 GiB. */
const ramSize = whole(0x1_0000, 0xc000_0000);

/** An interrupt input of the board's main controller: an ISA interrupt on pc, an MPIC source on ppce500. */
const irq = natural;
const layout = z.enum(["legacy", "overlay", "overlay-legacy", "modern", "modern-latched", "transitional"]);
const irqMode = z.enum(["intx", "msix", "msix-shared"]);
const ring = z.enum(["split", "packed"]);

/** Where a PCI function sits: device.function, `1.3`. */
const slot = z.string().regex(/^([12]?[0-9]|3[01])\.[0-7]$/, "expected device.function, like 1.3");

/** One range as the processor sees it (`physical`) and as the bus does (`base`). */
const pciWindow = z.strictObject({ physical: natural, base: natural, size: natural });

const uart = z.strictObject({
  kind: z.literal("uart16550"),
  name: z.string(),
  bus: z.enum(["ports", "memory"]),
  address: natural,
  irq,
  /** Of the crystal, in hertz. */
  clock: positive,
});

const fwCfg = z.strictObject({
  kind: z.literal("fw-cfg"),
  name: z.string(),
  bus: z.enum(["ports", "memory"]),
  address: natural,
});

const exitRegister = z.strictObject({
  kind: z.literal("exit"),
  name: z.string(),
  bus: z.enum(["ports", "memory"]),
  address: natural,
});

const at = <K extends string>(kind: K) => z.strictObject({ kind: z.literal(kind), name: z.string(), address: natural });

/** The chips of a board which do not sit on PCI. */
const device = z.discriminatedUnion("kind", [
  uart,
  fwCfg,
  exitRegister,
  at("debug-console"),
  at("post-code"),
  z.strictObject({
    kind: z.literal("i8259"),
    name: z.string(),
    master: natural,
    slave: natural,
    cascade: irq,
    elcr: natural,
  }),
  z.strictObject({
    kind: z.literal("i8254"),
    name: z.string(),
    address: natural,
    irq,
    clock: positive,
    systemControl: natural,
  }),
  z.strictObject({ kind: z.literal("mc146818"), name: z.string(), address: natural, irq }),
  z.strictObject({
    kind: z.literal("i8042"),
    name: z.string(),
    data: natural,
    command: natural,
    irq,
    fastA20: natural,
  }),
  at("reset-control"),
  z.strictObject({ kind: z.literal("coprocessor-error"), name: z.string(), address: natural, irq }),
  z.strictObject({
    kind: z.literal("lapic"),
    name: z.string(),
    address: natural,
    size: natural,
    id: natural,
    clock: positive,
  }),
  z.strictObject({ kind: z.literal("ioapic"), name: z.string(), address: natural, id: natural }),
  z.strictObject({
    kind: z.literal("mpic"),
    name: z.string(),
    address: natural,
    msiir: natural,
    msi: natural,
    timerClock: positive,
  }),
  at("guts"),
  at("spin-table"),
  z.strictObject({ kind: z.literal("gpio"), name: z.string(), address: natural, irq, powerOffPin: natural }),
]);

/** The PC's PCI: i440FX and PIIX3, configuration mechanism 1. */
const pcPci = z.strictObject({
  bridge: z.literal("i440fx"),
  slot,
  vendor: natural,
  device: natural,
  configAddress: natural,
  configData: natural,
  /** PIIX3, the ISA bridge: where it sits and its four PIRQ route control registers. */
  isa: z.strictObject({ slot, pirqRegisters: natural, pirqs: z.array(irq).length(4) }),
  /** PIIX4's power management: where it sits, where firmware puts its ports, its interrupt and the SMI command port. */
  power: z.strictObject({
    slot,
    address: natural,
    sci: irq,
    smiCommand: natural,
    acpiEnable: natural,
    acpiDisable: natural,
    /** SLP_TYP of the S5 state. */
    s5: natural,
  }),
  /** Where firmware puts BARs, and ACPI says that they are. The bridge itself forwards all that is neither RAM nor a chip. */
  windows: z.strictObject({ memory: pciWindow, memory64: pciWindow, ports: pciWindow }),
  freeSlots: slotRange,
});

/** The host bridge of the MPC8544: CFGADDR and CFGDATA, translation windows both ways. */
const e500Pci = z.strictObject({
  bridge: z.literal("mpc8544"),
  slot,
  vendor: natural,
  device: natural,
  configAddress: natural,
  configData: natural,
  /** The outbound and inbound translation windows. */
  atmu: natural,
  /** Where the bus sees the CCSR block, BAR0 of the bridge, once firmware has set it. */
  pcicsrbar: natural,
  clock: positive,
  /** The bridge's own interrupt. */
  irq,
  /** Slot 0 INTA would be this one; (slot + pin) modulo 4 is added. */
  intxBase: irq,
  /** A bridge without `ports` makes no I/O transactions: BARs in ports are out of everybody's reach. */
  windows: z.strictObject({ memory: pciWindow, ports: pciWindow.optional() }),
  freeSlots: slotRange,
});

const virtioCommon = { layout: layout.optional(), irq: irqMode.optional(), ring: ring.optional() };

/** A virtio device which the machine always has. A disk's bytes are given by `--drive`, what a network card is joined to by `--net`. */
const virtioDevice = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("console"), ...virtioCommon }),
  z.strictObject({ kind: z.literal("rng"), ...virtioCommon }),
  z.strictObject({
    kind: z.literal("net"),
    ...virtioCommon,
    /** Its address, that of one station; made of its place in the network when absent. */
    mac: z
      .string()
      .regex(/^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/i, "expected the address of a station, like 02:00:00:00:00:01")
      .optional(),
    /** Of the network, in bytes. Default 1500. */
    mtu: whole(1280, 65_535).optional(),
  }),
]);

const common = {
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  description: z.string(),
  /** Nanoseconds of virtual time an instruction takes, and what the battery-backed clock says at the start (seconds since 1970). */
  time: z.strictObject({ nsPerInstruction: positive, epoch: natural }),
  /** RAM from `base` on: how much when nobody says, and what may be asked for. All in bytes. */
  memory: z.strictObject({ base: natural, size: ramSize, minimum: ramSize, maximum: ramSize, granule: positive }),
  /** Address lines of the memory space. */
  addressBits: whole(32, 48),
  /** ROM: it ends where the image ends. `alias`, where present, shows its last bytes a second time. */
  firmware: z.strictObject({
    image: z.string(),
    address: natural,
    size: whole(0x1000, 0x100_0000),
    /** Bytes of the largest image that there is room for: ROM grows downwards for it. `size` when absent. */
    most: whole(0x1000, 0x100_0000).optional(),
    alias: z.strictObject({ address: natural, size: positive }).optional(),
  }),
  /** The built-in kernel which is booted when none is given. */
  kernel: z.string(),
  /** The name of the UART which is the console. */
  console: z.string(),
  devices: z.array(device),
  virtio: z.array(virtioDevice).optional(),
  /** The one space which virtio registers may be in, for a machine which is to lack the other. The MSI-X table is in memory always. */
  virtioSpace: z.enum(["ports", "memory"]).optional(),
  /** Register layout and interrupt mode of the virtio devices which do not say their own. */
  layout,
  irq: irqMode,
  /** `packed` where they are to offer packed rings too. Default `split`. */
  ring: ring.optional(),
};

export const machineSchema = z.discriminatedUnion("board", [
  z.strictObject({
    ...common,
    board: z.literal("pc"),
    cpu: z.strictObject({
      architecture: z.literal("x86"),
      model: z.string(),
      /** Of the time-stamp counter, in hertz. */
      tscClock: positive,
    }),
    pci: pcPci,
  }),
  z.strictObject({
    ...common,
    board: z.literal("ppce500"),
    cpu: z.strictObject({
      architecture: z.literal("e500"),
      model: z.string(),
      timebaseClock: positive,
      clock: positive,
      /** The system version register. */
      svr: natural,
    }),
    /** The block of the chip's own registers. Devices give whole physical addresses, inside of it. */
    ccsr: z.strictObject({ address: natural, size: natural }),
    pci: e500Pci,
  }),
]);

export type MachineSpec = z.infer<typeof machineSchema>;
export type PcSpec = Extract<MachineSpec, { board: "pc" }>;
export type E500Spec = Extract<MachineSpec, { board: "ppce500" }>;
export type DeviceSpec = MachineSpec["devices"][number];
export type VirtioSpec = z.infer<typeof virtioDevice>;
export type PciWindow = z.infer<typeof pciWindow>;
