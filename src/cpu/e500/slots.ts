import { engineSlots, type Slot, SlotTable } from "../../ir/slots.ts";

const table = new SlotTable();

/** The words shared with the engine: `pc` is the address of the instruction, `fetchBase` stays 0. */
export const engine = engineSlots(table);

const numbered = (name: string, count: number) => Array.from({ length: count }, (_, k) => `${name}${k}`);

/** General-purpose registers, 8 bytes apart. */
export const gpr = table.file(numbered("r", 32));
/** Always 0: the base of an address which has none, RA = 0 in "(RA|0)". */
export const zero = table.slot("zero");
/** Condition register fields: LT 8, GT 4, EQ 2, SO 1. */
export const cr = table.file(numbered("cr", 8));
/** XER[SO], XER[OV], XER[CA], each 0 or 1, and XER[57:63], the byte count of string instructions, which nothing here uses. */
export const so = table.slot("xer.so");
export const ov = table.slot("xer.ov");
export const ca = table.slot("xer.ca");
export const byteCount = table.slot("xer.count");
export const lr = table.slot("lr");
export const ctr = table.slot("ctr");

/** Floating-point registers, as the bits of doubles, and FPSCR. */
export const fpr = table.file(numbered("f", 32), "i64");
export const fpscr = table.slot("fpscr");
/**
 * What FPSCR does not say yet. `fpPending`: 0, or the word of an arithmetic instruction whose FR, FI and FPRF are not in FPSCR: they follow
 * from `fpOperandA`, `fpOperandB` and `fpOperandC`, its FRA, FRB and FRC as far as it has them. It changed nothing else in FPSCR, and was rounded to
 * nearest with nothing enabled. `fpCompared`: 0, or 16 and the FPCC of a comparison behind it. An instruction that leaves one pending clears
 * `fpCompared`; the helpers settle both before they change FPSCR. When it may be done: `arithmetic` in floating.ts.
 */
export const fpPending = table.slot("fpscr.pending");
export const fpCompared = table.slot("fpscr.compared");
export const fpOperandA = table.slot("fpscr.a", "i64");
export const fpOperandB = table.slot("fpscr.b", "i64");
export const fpOperandC = table.slot("fpscr.c", "i64");

/** The reservation of lwarx: whether there is one, and on which granule (effective address). */
export const reserved = table.slot("reserve");
export const reservedAt = table.slot("reserve.address");

export const msr = table.slot("msr");

/** SPRs by what the core manual calls them. Those which are mere storage to the rest of the machine are here too. */
const named = <const N extends string>(names: readonly N[]): Readonly<Record<N, Slot>> =>
  Object.fromEntries(names.map((name) => [name, table.slot(name)])) as Record<N, Slot>;

export const spr = named([
  "VRSAVE",
  ...(["SPRG0", "SPRG1", "SPRG2", "SPRG3", "SPRG4", "SPRG5", "SPRG6", "SPRG7", "SPRG8", "SPRG9"] as const),
  ...(["SRR0", "SRR1", "CSRR0", "CSRR1", "DSRR0", "DSRR1", "MCSRR0", "MCSRR1"] as const),
  ...(["ESR", "DEAR", "MCSR", "MCAR", "MCARU", "EPR", "IVPR", "PIR"] as const),
  ...(["DECAR", "TCR", "TSR"] as const),
  ...(["PID", "MAS0", "MAS1", "MAS2", "MAS3", "MAS4", "MAS5", "MAS6", "MAS7", "MAS8"] as const),
  ...(["HID0", "BUCSR", "L1CSR0", "L1CSR1", "L1CSR2", "L2CSR0", "L2CSR1", "CDCSR0"] as const),
  ...(["DBCR0", "DBCR1", "DBCR2", "DBCR4", "DBSR", "IAC1", "IAC2", "DAC1", "DAC2", "DDAM", "DEVENT", "NPIDR"] as const),
  ...(["EPLC", "EPSC", "LPIDR", "EPCR", "MSRP"] as const),
  ...(["GSPRG0", "GSPRG1", "GSPRG2", "GSPRG3", "GSRR0", "GSRR1", "GEPR", "GDEAR", "GPIR", "GESR", "GIVPR"] as const),
  ...(["GIVOR2", "GIVOR3", "GIVOR4", "GIVOR8", "GIVOR13", "GIVOR14"] as const),
  ...(["L2ERRDIS", "L2ERRDET", "L2ERRINTEN", "L2ERRCTL", "L2ERRATTR", "L2ERRADDR", "L2ERREADDR"] as const),
  ...(["L2CAPTDATAHI", "L2CAPTDATALO", "L2CAPTECC", "L2ERRINJCTL", "L2ERRINJHI", "L2ERRINJLO"] as const),
]);

/** IVOR0 to IVOR41; there is none from 16 to 31. */
export const ivor = table.file(numbered("IVOR", 42));

/** Performance monitor: PMGC0, then PMC0-3, PMLCa0-3, PMLCb0-3. */
export const pmgc0 = table.slot("PMGC0");
export const pmc = table.file(numbered("PMC", 4));
export const pmlca = table.file(numbered("PMLCa", 4));
export const pmlcb = table.file(numbered("PMLCb", 4));

/** The interrupt to be delivered: its IVOR number, what goes to ESR and DEAR; for a TLB miss, the space and process. */
export const faultIvor = table.slot("fault.ivor");
export const faultEsr = table.slot("fault.esr");
export const faultAddress = table.slot("fault.address");
export const faultSpace = table.slot("fault.space");
export const faultPid = table.slot("fault.pid");
/** Debug status bits of a debug interrupt to be delivered. */
export const faultDebug = table.slot("fault.debug");
/** 1 in `wait`. */
export const halted = table.slot("halted");
/** Doorbells that rang and were not answered: a bit a message type. */
export const doorbells = table.slot("doorbells");
/** Level of the critical input; a machine check that waits for MSR[ME]. */
export const criticalInput = table.slot("critical");
export const machineCheck = table.slot("machineCheck");
/** The page where dcbz was last found to be allowed, or 1. */
export const zeroablePage = table.slot("dcbz.page");
/** Which instruction count single-stepping starts behind. */
export const stepFrom = table.slot("step.from", "f64");
/** What is added to the board's timebase, mod 2^64. */
export const timebaseOffset = table.slot("timebase.offset", "i64");
/** Tick of the board's timebase at which DEC comes to 0; -1: it is 0 and stands still. */
export const decrementerDue = table.slot("decrementer.due", "f64");
/** Tick up to which fixed-interval timer and watchdog were looked at. */
export const timersSeen = table.slot("timers.seen", "f64");

export const slots: readonly Slot[] = table.slots;

/**
 * The `mode` word: what the meaning of code bytes depends on, besides the bytes. `user`: MSR[PR]. `space`: MSR[IS], since code is
 * translated there. `debug`: instructions look for debug events.
 */
export const Mode = { user: 1, space: 2, debug: 4 } as const;
