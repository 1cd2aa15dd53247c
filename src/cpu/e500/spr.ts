import type { Builder, Value } from "../../ir/builder.ts";
import type { Slot } from "../../ir/slots.ts";
import { Dbsr } from "./constants.ts";
import * as s from "./slots.ts";

/** A special-purpose or performance-monitor register as the bodies of mfspr and mtspr need it. */
export interface Register {
  readonly name: string;
  readonly readable: boolean;
  readonly writable: boolean;
  /** Where it is kept, when it is kept as it is read. */
  readonly slot?: Slot;
  /** Bits that can be written. */
  readonly mask: number;
  /** Read, written by a helper. */
  readonly read?: true;
  readonly write?: true;
  /** Read, written by IR of its own. */
  readonly get?: (b: Builder) => Value;
  readonly set?: (b: Builder, value: Value) => void;
}

type Entry = readonly [number: number, register: Register];

/** Storage. */
function word(number: number, name: string, slot: Slot, mask = -1): Entry {
  return [number, { name, readable: true, writable: true, slot, mask }];
}

/** Storage whose changes have effects. */
function active(number: number, name: string, slot: Slot, mask = -1): Entry {
  return [number, { name, readable: true, writable: true, slot, mask, write: true }];
}

function readOnly(number: number, name: string, slot: Slot): Entry {
  return [number, { name, readable: true, writable: false, slot, mask: 0 }];
}

/** No storage: a number that is known, or computed. */
function given(number: number, name: string): Entry {
  return [number, { name, readable: true, writable: false, mask: 0, read: true }];
}

function both(number: number, name: string): Entry {
  return [number, { name, readable: true, writable: true, mask: 0, read: true, write: true }];
}

function writeOnly(number: number, name: string): Entry {
  return [number, { name, readable: false, writable: true, mask: 0, write: true }];
}

const r = s.spr;
const at = (file: readonly Slot[], k: number) => file[k] as Slot;

const xer: Register = {
  name: "XER",
  readable: true,
  writable: true,
  mask: 0,
  get: (b) => {
    const top = b.or(b.shl(b.get(s.so), b.i32(31)), b.shl(b.get(s.ov), b.i32(30)));
    return b.or(b.or(top, b.shl(b.get(s.ca), b.i32(29))), b.get(s.byteCount));
  },
  set: (b, value) => {
    b.set(s.so, b.shrU(value, b.i32(31)));
    b.set(s.ov, b.and(b.shrU(value, b.i32(30)), b.i32(1)));
    b.set(s.ca, b.and(b.shrU(value, b.i32(29)), b.i32(1)));
    b.set(s.byteCount, b.and(value, b.i32(0x7f)));
  },
};

const entries: readonly Entry[] = [
  [1, xer],
  word(8, "LR", s.lr),
  word(9, "CTR", s.ctr),
  both(22, "DEC"),
  word(26, "SRR0", r.SRR0, -4),
  word(27, "SRR1", r.SRR1),
  active(48, "PID", r.PID, 0xff),
  active(54, "DECAR", r.DECAR),
  word(58, "CSRR0", r.CSRR0, -4),
  word(59, "CSRR1", r.CSRR1),
  word(61, "DEAR", r.DEAR),
  word(62, "ESR", r.ESR),
  word(63, "IVPR", r.IVPR, 0xffff_0000 | 0),
  word(256, "VRSAVE", r.VRSAVE),
  readOnly(259, "SPRG3", r.SPRG3),
  readOnly(260, "SPRG4", r.SPRG4),
  readOnly(261, "SPRG5", r.SPRG5),
  readOnly(262, "SPRG6", r.SPRG6),
  readOnly(263, "SPRG7", r.SPRG7),
  given(268, "TBL"),
  given(269, "TBU"),
  word(272, "SPRG0", r.SPRG0),
  word(273, "SPRG1", r.SPRG1),
  word(274, "SPRG2", r.SPRG2),
  word(275, "SPRG3", r.SPRG3),
  word(276, "SPRG4", r.SPRG4),
  word(277, "SPRG5", r.SPRG5),
  word(278, "SPRG6", r.SPRG6),
  word(279, "SPRG7", r.SPRG7),
  writeOnly(284, "TBL"),
  writeOnly(285, "TBU"),
  word(286, "PIR", r.PIR),
  given(287, "PVR"),
  active(304, "DBSR", r.DBSR),
  writeOnly(306, "DBSRWR"),
  word(307, "EPCR", r.EPCR),
  active(308, "DBCR0", r.DBCR0),
  active(309, "DBCR1", r.DBCR1),
  active(310, "DBCR2", r.DBCR2),
  word(311, "MSRP", r.MSRP),
  active(312, "IAC1", r.IAC1, -4),
  active(313, "IAC2", r.IAC2, -4),
  active(316, "DAC1", r.DAC1),
  active(317, "DAC2", r.DAC2),
  both(336, "TSR"),
  active(338, "LPIDR", r.LPIDR, 0x3f),
  word(339, "MAS5", r.MAS5, 0x8000_003f | 0),
  active(340, "TCR", r.TCR),
  word(341, "MAS8", r.MAS8, 0xc000_003f | 0),
  word(368, "GSPRG0", r.GSPRG0),
  word(369, "GSPRG1", r.GSPRG1),
  word(370, "GSPRG2", r.GSPRG2),
  word(371, "GSPRG3", r.GSPRG3),
  word(378, "GSRR0", r.GSRR0, -4),
  word(379, "GSRR1", r.GSRR1),
  word(380, "GEPR", r.GEPR),
  word(381, "GDEAR", r.GDEAR),
  word(382, "GPIR", r.GPIR),
  word(383, "GESR", r.GESR),
  ...Array.from({ length: 16 }, (_, k) => word(400 + k, `IVOR${k}`, at(s.ivor, k), 0xfff0)),
  ...[38, 39, 40, 41].map((k) => word(432 + k - 38, `IVOR${k}`, at(s.ivor, k), 0xfff0)),
  word(440, "GIVOR2", r.GIVOR2, 0xfff0),
  word(441, "GIVOR3", r.GIVOR3, 0xfff0),
  word(442, "GIVOR4", r.GIVOR4, 0xfff0),
  word(443, "GIVOR8", r.GIVOR8, 0xfff0),
  word(444, "GIVOR13", r.GIVOR13, 0xfff0),
  word(445, "GIVOR14", r.GIVOR14, 0xfff0),
  word(447, "GIVPR", r.GIVPR, 0xffff_0000 | 0),
  given(515, "L1CFG0"),
  given(516, "L1CFG1"),
  word(517, "NPIDR", r.NPIDR),
  given(519, "L2CFG0"),
  given(526, "ATBL"),
  given(527, "ATBU"),
  ...[35, 36, 37].map((k) => word(531 + k - 35, `IVOR${k}`, at(s.ivor, k), 0xfff0)),
  active(563, "DBCR4", r.DBCR4),
  readOnly(569, "MCARU", r.MCARU),
  word(570, "MCSRR0", r.MCSRR0, -4),
  word(571, "MCSRR1", r.MCSRR1),
  active(572, "MCSR", r.MCSR),
  readOnly(573, "MCAR", r.MCAR),
  word(574, "DSRR0", r.DSRR0, -4),
  word(575, "DSRR1", r.DSRR1),
  word(576, "DDAM", r.DDAM),
  word(604, "SPRG8", r.SPRG8),
  word(605, "SPRG9", r.SPRG9),
  active(606, "L1CSR2", r.L1CSR2),
  word(624, "MAS0", r.MAS0, 0x3fff_0fff),
  word(625, "MAS1", r.MAS1, 0xc0ff_1f00 | 0),
  word(626, "MAS2", r.MAS2, 0xffff_f07f | 0),
  word(627, "MAS3", r.MAS3, 0xffff_f3ff | 0),
  word(628, "MAS4", r.MAS4, 0x3000_0f7f),
  word(630, "MAS6", r.MAS6, 0x00ff_0001),
  given(688, "TLB0CFG"),
  given(689, "TLB1CFG"),
  word(696, "CDCSR0", r.CDCSR0),
  readOnly(702, "EPR", r.EPR),
  word(720, "L2ERRINTEN", r.L2ERRINTEN),
  word(721, "L2ERRATTR", r.L2ERRATTR),
  word(722, "L2ERRADDR", r.L2ERRADDR),
  word(723, "L2ERREADDR", r.L2ERREADDR),
  word(724, "L2ERRCTL", r.L2ERRCTL),
  word(725, "L2ERRDIS", r.L2ERRDIS),
  word(944, "MAS7", r.MAS7, 0xf),
  word(947, "EPLC", r.EPLC, 0xe03f_00ff | 0),
  word(948, "EPSC", r.EPSC, 0xe03f_00ff | 0),
  word(975, "DEVENT", r.DEVENT),
  word(985, "L2ERRINJHI", r.L2ERRINJHI),
  word(986, "L2ERRINJLO", r.L2ERRINJLO),
  word(987, "L2ERRINJCTL", r.L2ERRINJCTL),
  word(988, "L2CAPTDATAHI", r.L2CAPTDATAHI),
  word(989, "L2CAPTDATALO", r.L2CAPTDATALO),
  word(990, "L2CAPTECC", r.L2CAPTECC),
  active(991, "L2ERRDET", r.L2ERRDET),
  word(1008, "HID0", r.HID0),
  // Flash invalidation and lock clearing are done, and the bits that ask for them 0, at once.
  word(1010, "L1CSR0", r.L1CSR0, ~0x0102),
  word(1011, "L1CSR1", r.L1CSR1, ~0x0102),
  both(1012, "MMUCSR0"),
  word(1013, "BUCSR", r.BUCSR, ~0x0200),
  given(1015, "MMUCFG"),
  // Flash invalidate, flush, lock flash clear.
  word(1017, "L2CSR0", r.L2CSR0, ~0x0020_0c00),
  word(1018, "L2CSR1", r.L2CSR1),
  given(1023, "SVR"),
];

/** By number. Core manual, "Register Model", the table of SPRs. */
export const sprs: ReadonlyMap<number, Register> = new Map(entries);

/** Which registers the supervisor alone may touch: so says a bit of the number. Book III-E, "Move To/From System Register Instructions". */
export function isPrivileged(number: number): boolean {
  return (number & 0x10) !== 0;
}

/** Registers whose bits are cleared by writing ones. */
export const clearedByOnes: ReadonlySet<number> = new Set([304, 572, 991]);

/** DBSR bits which are events. */
export const debugEvents =
  Dbsr.icmp |
  Dbsr.brt |
  Dbsr.irpt |
  Dbsr.trap |
  Dbsr.iac1 |
  Dbsr.iac2 |
  Dbsr.dac1r |
  Dbsr.dac1w |
  Dbsr.dac2r |
  Dbsr.dac2w |
  Dbsr.ret |
  Dbsr.cirpt |
  Dbsr.cret;

/** PMGC0[FAC], the leftmost bit, holds the counters. */
function setPmgc0(b: Builder, value: Value): void {
  b.set(s.pmgc0, value);
  b.if(b.op("ge_s", value, b.i32(0)), () => void b.call("countersRun"));
}

/** Performance-monitor registers by number; the lower number of each pair reads the register in problem state. */
export const pmrs: ReadonlyMap<number, Register> = new Map([
  ...[0, 1, 2, 3].flatMap((k) => [
    readOnly(k, `UPMC${k}`, at(s.pmc, k)),
    word(16 + k, `PMC${k}`, at(s.pmc, k)),
    readOnly(128 + k, `UPMLCa${k}`, at(s.pmlca, k)),
    word(144 + k, `PMLCa${k}`, at(s.pmlca, k)),
    readOnly(256 + k, `UPMLCb${k}`, at(s.pmlcb, k)),
    word(272 + k, `PMLCb${k}`, at(s.pmlcb, k)),
  ]),
  readOnly(384, "UPMGC0", s.pmgc0),
  [400, { ...word(400, "PMGC0", s.pmgc0)[1], set: setPmgc0 }],
]);
