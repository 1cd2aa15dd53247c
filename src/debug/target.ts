import type { Machine } from "../board/machine.ts";

/** A register as a debugger sees it. Values are unsigned. */
export interface Register {
  readonly name: string;
  /** 16, 32, 64 or 80. */
  readonly bits: number;
  /** The gdb feature which it belongs to. */
  readonly feature: string;
  /** The type in gdb's target description; an integer when left out. */
  readonly type?: string;
  read(): bigint;
  /** Takes a new value; false when the register cannot have it. Registers without this cannot be written. */
  write?(value: bigint): boolean;
}

/** A range of addresses which the MMU translates. */
export interface Mapped {
  readonly address: number;
  readonly size: number;
  readonly physical: number;
  /** As in `rw-u`. */
  readonly rights: string;
}

/** A processor as a debugger sees it. Nothing here but `Register.write` changes the machine. */
export interface Target {
  /** What gdb calls the architecture. */
  readonly architecture: string;
  readonly bigEndian: boolean;
  /** In the order of gdb's register numbers. */
  readonly registers: readonly Register[];
  /** Linear address of the next instruction. */
  readonly pc: number;
  /** Where a linear or effective address lies, whoever may access it: undefined when it is not mapped. */
  physical(address: number): number | undefined;
  /** What is mapped, in the order of the tables. */
  mapped(): Iterable<Mapped>;
}

/** How a target reads physical memory: 4 bytes in address order, least significant first; undefined where there is no RAM. */
export type ReadWord = (physical: number) => number | undefined;

/** Makes the debugger's view of one kind of processor; undefined when the machine has another. */
export type TargetFactory = (machine: Machine, readWord: ReadWord) => Target | undefined;
