import type { BlockBackend } from "../backend/block.ts";
import type { CharacterSink, CharacterSource } from "../backend/character.ts";
import type { NetworkBackend } from "../backend/network.ts";
import type { Background } from "../engine/region/background.ts";
import type { Trace } from "../trace/trace.ts";

/**
 * Which register layout a virtio device shows. `transitional` is legacy and modern in one function, `modern-latched` too, but the first
 * access to the modern registers takes the legacy ones away; `overlay-legacy` is overlay under a legacy identity.
 */
export type Layout = "legacy" | "overlay" | "overlay-legacy" | "modern" | "modern-latched" | "transitional";

/** How many MSI-X vectors a virtio device has: none; one for its configuration and one a queue; or one for its configuration and one for all queues. */
export type IrqMode = "intx" | "msix" | "msix-shared";

/**
 * Which formats of ring a virtio device offers: split alone, or packed too, where its layout can say so (modern and those which hold it). The
 * driver chooses.
 */
export type RingFormat = "split" | "packed";

/** A disk. The n-th one takes the n-th free slot; layout, irq and ring fall back to the machine's. */
export interface Drive {
  readonly backend: BlockBackend;
  readonly layout?: Layout;
  readonly irq?: IrqMode;
  readonly ring?: RingFormat;
}

/** A network card. The first ones are those of the machine's description, as far as it has any; further ones are added. */
export interface Network {
  readonly backend: NetworkBackend;
  /** 6 bytes, of one station. Default: the description's, else one made of its place in the network. */
  readonly mac?: Uint8Array;
  readonly layout?: Layout;
  readonly irq?: IrqMode;
  readonly ring?: RingFormat;
}

/** A file which a Multiboot kernel is given beside itself, and what it is told of it. */
export interface KernelModule {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/**
 * What a machine is started with, beside its MachineSpec: `createMachine(spec, options): Machine` in create.ts takes both.
 * Nothing here touches the host: files are read by the caller.
 */
export interface MachineOptions {
  /** The firmware image: it ends where the ROM ends, which is larger for a larger one, as far as the machine has room. */
  readonly firmware: Uint8Array;
  /** RAM in bytes; the machine's default when absent. */
  readonly memory?: number;
  /** A kernel file: ELF (Linux's vmlinux too), multiboot or bzImage on pc, ELF on ppce500. */
  readonly kernel?: Uint8Array;
  /** The processor's model; the machine's own when absent. */
  readonly cpu?: string;
  readonly initrd?: Uint8Array;
  /** Of a Multiboot kernel, in order, behind the initrd. */
  readonly modules?: readonly KernelModule[];
  /** The kernel's command line. */
  readonly append?: string;
  readonly drives?: readonly Drive[];
  readonly networks?: readonly Network[];
  readonly layout?: Layout;
  readonly irq?: IrqMode;
  readonly ring?: RingFormat;
  /** What the machine's virtio console is joined to, if it has one. Default: nobody hears and nobody speaks. */
  readonly virtioConsole?: { readonly output: CharacterSink; readonly input: CharacterSource };
  /** Everything random in the machine comes from it. Default 1. */
  readonly seed?: number;
  /** Virtual time counts instructions; host time follows `wall`. Default virtual. */
  readonly clock?: "virtual" | "host";
  /** Nanoseconds of a clock of the host's that never goes back; needed by `clock: "host"`. */
  readonly wall?: () => number;
  /** Virtual nanoseconds an instruction takes; the machine's default when absent. */
  readonly nsPerInstruction?: number;
  /** How guest code runs: `jit` translates what is hot, `interp` interprets all. The same run either way. Default `jit`. */
  readonly exec?: "jit" | "interp";
  /** Another thread which translates for `jit`. Left out, the thread that runs the guest does it. */
  readonly background?: Background;
  readonly trace?: Trace;
  /** Whether a reset which the guest asks for ends the run instead (status 0), as for a shell's `reboot` in a test. */
  readonly stopOnReset?: boolean;
  /** A byte which the guest wrote to its console. */
  readonly onConsole?: (byte: number) => void;
  /** A byte which the guest wrote to the debug console. */
  readonly onDebug?: (byte: number) => void;
}

/** What a caller did wrong in asking for a machine, in one line: what, where, what to do. */
export class MachineError extends Error {
  override readonly name = "MachineError";
}
