import type { QuickName } from "./floating-quick.ts";

/**
 * What instruction bodies leave to the system half: everything that looks at privilege, translation, timers or SPRs which are
 * more than storage.
 *
 * Two ways in. An *exit* ends the instruction and returns a `Status`. A *call* returns a value, and the body goes on; when it has to
 * fault it records the interrupt and throws the front end's fault object. Either may throw that object. `pc` in the state is the
 * instruction's own address. Numbers are i32.
 */
export type Helpers = SystemHelpers & Readonly<Record<QuickName, SystemHelpers["floating"]>>;

type SystemHelpers = {
  // --- program interrupts (exits; floating point and comparisons are calls)

  /** An instruction which this core does not have, or in a form which it refuses; says so on the trace, once an address. */
  readonly illegal: (word: number) => number;
  readonly privileged: () => number;
  /** tw, twi: or a debug interrupt, when DBCR0[TRAP] asks for it. */
  readonly trap: () => number;
  readonly floatingPointUnavailable: () => number;
  /** Arithmetic, rounding, conversion: the instruction word, and where FRA, FRB and FRC lie. */
  readonly floating: (word: number, a: number, b: number, c: number) => number;
  /** Where FRT lies, and whether CR1 is wanted. */
  readonly mffs: (target: number, record: number) => number;
  /** Comparisons: where the operands and the CR field lie. The others: the instruction word, and whether CR1 is wanted. */
  readonly compareUnordered: (left: number, right: number, field: number) => number;
  readonly compareOrdered: (left: number, right: number, field: number) => number;
  readonly mcrfs: (word: number) => number;
  readonly mtfsb0: (word: number, record: number) => number;
  readonly mtfsb1: (word: number, record: number) => number;
  readonly mtfsf: (word: number, record: number) => number;
  readonly mtfsfi: (word: number, record: number) => number;
  /** An address that is no multiple of what the instruction needs. */
  readonly alignment: (address: number, store: number) => number;

  // --- control (exits)

  readonly systemCall: (level: number) => number;
  readonly hypervisorPrivilege: () => number;
  readonly rfi: () => number;
  readonly rfci: () => number;
  readonly rfdi: () => number;
  readonly rfmci: () => number;
  readonly rfgi: () => number;
  readonly mtmsr: (value: number) => number;
  readonly wait: () => number;

  /** Call: whether MSR[EE], were it 1, would let an interrupt in. */
  readonly externalWaits: () => number;
  /** Exit: MSR[EE] becomes 1, and lets it in. */
  readonly enableExternal: () => number;

  // --- special-purpose registers

  /** Call. */
  readonly readSpr: (number: number) => number;
  /** Call: PMGC0[FAC] was cleared. */
  readonly countersRun: () => number;
  /** Exit. */
  readonly writeSpr: (number: number, value: number) => number;

  // --- TLBs (exits)

  readonly tlbwe: () => number;
  readonly tlbre: () => number;
  readonly tlbsx: (address: number) => number;
  readonly tlbivax: (address: number) => number;
  readonly tlbilx: (type: number, address: number) => number;

  // --- processor messages (exits): Book III-E, "Processor Control"

  readonly msgsnd: (message: number) => number;
  readonly msgclr: (message: number) => number;

  // --- cache

  /** Call: faults as a load of this byte would. */
  readonly touch: (address: number) => number;
  /** Call: faults as dcbz of this line would, alignment included. */
  readonly zeroable: (address: number) => number;
  /** Exits. MSR[UCLE] has to be set in problem state. Book III-E, "Cache Locking". */
  readonly dataLock: (address: number) => number;
  readonly dataLockForStore: (address: number) => number;
  readonly instructionLock: (address: number) => number;
  readonly dataUnlock: (address: number) => number;
  readonly instructionUnlock: (address: number) => number;

  // --- external process ID: Book III-E, "External Process ID Instructions". Addresses are those of EPLC or EPSC.

  /** Exits: `place` is where the register lies, `width` 1, 2, 4 or 8. */
  readonly loadExternal: (address: number, width: number, place: number) => number;
  readonly storeExternal: (address: number, width: number, place: number) => number;
  /** Exit: a cache instruction; faults as a load (0) or a store (1), or zeroes the line (2). */
  readonly touchExternal: (address: number, kind: number) => number;

  // --- debug events, when `Mode.debug` is set (calls)

  readonly instructionAddress: () => number;
  /** `access`: bytes, plus 0x100 for a store. */
  readonly dataAddress: (address: number, access: number) => number;
  readonly branchTaken: () => number;
};

export type HelperName = keyof Helpers;
