import { basename } from "node:path";
import type { BlockBackend } from "../backend/block.ts";
import { MemoryBlock } from "../backend/memory-block.ts";
import { OverlayBlock } from "../backend/overlay-block.ts";
import { ReadOnlyBlock } from "../backend/read-only-block.ts";
import type { Drive, IrqMode, KernelModule, Layout, MachineOptions, RingFormat } from "../board/options.ts";
import type { MachineSpec } from "../board/spec.ts";
import type { Trace } from "../trace/trace.ts";
import { BlockFile } from "./block-file.ts";
import { demoDisk } from "./demo-disk.ts";
import { type DriveOption, parseDrive } from "./drive-option.ts";
import { usage } from "./failure.ts";
import { readFileOrFail, readImage } from "./images.ts";
import { findMachine } from "./machines.ts";
import { type NetSource, Networks } from "./networks.ts";
import { parseSize } from "./values.ts";

/** A disk: a file by `--drive`'s words or by fields, bytes in memory, or a backend of one's own. */
export type DriveSource = string | (Partial<DriveOption> & { readonly file: string }) | Uint8Array | BlockBackend;

/** What to boot. The names are those of the command line. Everything has a default: `{}` is the demo. */
export interface BootOptions {
  /** A built-in machine's name, a machine file's path, or an object of the same schema. Default `pc`. */
  readonly machine?: string | object;
  /** RAM, in bytes or as `64M`. */
  readonly memory?: number | string;
  /** A kernel's path or its bytes; false for none, so that the firmware looks for a boot disk. Default: the demo kernel. */
  readonly kernel?: string | Uint8Array | false;
  readonly initrd?: string | Uint8Array;
  /** Modules of a Multiboot kernel, in order: a path, and behind a blank what the kernel is told of it (its name, left out), or the two themselves. */
  readonly modules?: readonly (string | KernelModule)[];
  /** The kernel's command line. */
  readonly append?: string;
  /** Default: the machine's own firmware. False for none: the kernel is loaded and entered directly, on a machine which has a way to (ppce500). */
  readonly firmware?: string | Uint8Array | false;
  /** Disks in order. Default: with the demo kernel the demo disk, else none. */
  readonly drives?: readonly DriveSource[];
  /** Network cards in order: `loopback`, `hub:NAME` or `none`, each with `,mac=` where wanted. Machines at one hub must run at once. */
  readonly net?: readonly NetSource[];
  /** A file for every frame which a network card sends or takes. */
  readonly pcap?: string;
  readonly layout?: Layout;
  readonly irq?: IrqMode;
  readonly ring?: RingFormat;
  readonly seed?: number;
  /** Default `virtual`: the same inputs give the same run. */
  readonly clock?: "virtual" | "host";
  readonly nsPerInstruction?: number;
  /** A processor model by name; default: the machine's own. */
  readonly cpu?: string;
  /** Default `jit`. */
  readonly exec?: "jit" | "interp";
}

/** All that a machine is made of, and how to let go of the host's part of it. */
export interface Configuration {
  readonly spec: MachineSpec;
  readonly options: MachineOptions;
  close(): void;
}

/** Reads the files and opens the disks which the options name. @throws Failure or MachineError, with nothing left open. */
export async function configure(wanted: BootOptions, trace: Trace): Promise<Configuration> {
  const spec = await findMachine(wanted.machine ?? "pc");
  const memory = typeof wanted.memory === "string" ? parseSize(wanted.memory, "--memory") : wanted.memory;
  checkMemory(spec, memory);
  const demo = wanted.kernel === undefined;
  const kernel =
    wanted.kernel === undefined ? readImage(`guest/images/${spec.kernel}`) : contents(wanted.kernel, "kernel");
  const initrd = contents(wanted.initrd, "initrd");
  const modules = wanted.modules?.map(openModule);
  const firmware =
    wanted.firmware === undefined
      ? readImage(`firmware/images/${spec.firmware.image}`)
      : (contents(wanted.firmware, "firmware") ?? new Uint8Array(0));

  const files: BlockFile[] = [];
  let networks: Networks | undefined;
  const close = () => {
    for (const file of files) file.close();
    networks?.close();
  };
  try {
    const sources = wanted.drives ?? (demo ? [new MemoryBlock(demoDisk(), "demo")] : []);
    const drives = sources.map((source) => openDrive(source, files));
    networks = new Networks(wanted.net ?? [], wanted.pcap, spec.time.epoch);
    const options: MachineOptions = {
      firmware,
      memory,
      kernel,
      initrd,
      modules,
      append: wanted.append,
      drives,
      networks: networks.cards,
      layout: wanted.layout,
      irq: wanted.irq,
      ring: wanted.ring,
      seed: wanted.seed,
      clock: wanted.clock,
      wall: () => performance.now() * 1e6,
      nsPerInstruction: wanted.nsPerInstruction,
      cpu: wanted.cpu,
      exec: wanted.exec,
      trace,
    };
    return { spec, options, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** What the kernel is told of a module stands behind its file's name, as in GRUB's configuration. */
function openModule(source: string | KernelModule): KernelModule {
  if (typeof source !== "string") return source;
  const [file = "", ...words] = source.split(" ");
  const bytes = readFileOrFail(file, "the module");
  return { bytes, text: words.length > 0 ? words.join(" ") : basename(file) };
}

function contents(source: string | Uint8Array | false | undefined, what: string): Uint8Array | undefined {
  if (source === false || source === undefined) return undefined;
  return typeof source === "string" ? readFileOrFail(source, `the ${what}`) : source;
}

function openDrive(source: DriveSource, files: BlockFile[]): Drive {
  if (source instanceof Uint8Array) return { backend: new MemoryBlock(source) };
  if (typeof source === "object" && "read" in source) return { backend: source };
  const { file, readonly, snapshot } = typeof source === "string" ? parseDrive(source) : source;
  const opened = new BlockFile(file, readonly || snapshot);
  files.push(opened);
  if (!snapshot) return { backend: opened };
  const overlay = new OverlayBlock(opened);
  return { backend: readonly ? new ReadOnlyBlock(overlay) : overlay };
}

function checkMemory(spec: MachineSpec, memory: number | undefined): void {
  if (memory === undefined) return;
  const { minimum, maximum, granule } = spec.memory;
  if (memory >= minimum && memory <= maximum && memory % granule === 0) return;
  const mebibytes = (bytes: number) => (bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20}M` : `${bytes}`);
  throw usage(
    `--memory ${mebibytes(memory)}: machine ${spec.name} takes ${mebibytes(minimum)} to ${mebibytes(maximum)} in steps of ${mebibytes(granule)}`,
  );
}
