/*
 * Where our e500mc decoder and capstone, which knows all PowerPCs at once, say different things about the same word, and why. Nothing else may differ.
 */

export interface Comparison {
  readonly word: number;
  /** With the letters for OE, Rc, LK and AA; undefined when it is no instruction. */
  readonly ours: string | undefined;
  readonly length: number;
  readonly theirs: string | undefined;
  /** What capstone says of the word without the bits that mean nothing. */
  readonly plainTheirs: string | undefined;
  /** Such bits are set. */
  readonly reserved: boolean;
  /** The mnemonic of the row which the opcodes name, admitted or not. */
  readonly row: string | undefined;
}

export interface Difference {
  readonly name: string;
  readonly reason: string;
  readonly applies: (c: Comparison) => boolean;
}

const conditions = "(lt|le|eq|ge|gt|nl|ne|ng|so|ns|un|nu)";

/** Ours on the left: capstone's names for it, of which the extended mnemonics of Book I's appendix are most. */
const spellings: Readonly<Record<string, RegExp>> = {
  addi: /^li$/,
  addis: /^lis$/,
  ba: /^ba$/,
  bal: /^bla$/,
  bc: new RegExp(`^b(c|dn?z[tf]?|${conditions})?[+-]?$`),
  bca: new RegExp(`^b(c|dn?z[tf]?|${conditions})?a[+-]?$`),
  bcl: new RegExp(`^b(c|dn?z[tf]?|${conditions})?l[+-]?$`),
  bcal: new RegExp(`^b(c|dn?z[tf]?|${conditions})?la[+-]?$`),
  bclr: new RegExp(`^b(c|dn?z[tf]?|${conditions})?lr[+-]?$`),
  bclrl: new RegExp(`^b(c|dn?z[tf]?|${conditions})?lrl[+-]?$`),
  bcctr: new RegExp(`^b(c|dn?z|${conditions})?ctr[+-]?$`),
  bcctrl: new RegExp(`^b(c|dn?z|${conditions})?ctrl[+-]?$`),
  cmp: /^cmpw$/,
  cmpi: /^cmpwi$/,
  cmpl: /^cmplw$/,
  cmpli: /^cmplwi$/,
  creqv: /^crset$/,
  crnor: /^crnot$/,
  cror: /^crmove$/,
  crxor: /^crclr$/,
  mbar: /^(mbar|eieio)$/,
  mfcr: /^mfocrf$/,
  mfspr: /^mf/,
  mtcrf: /^mt(cr|ocrf)$/,
  mtspr: /^mt/,
  mftb: /^mftbu?$/,
  nor: /^not$/,
  "nor.": /^not\.$/,
  or: /^mr$/,
  "or.": /^mr\.$/,
  ori: /^nop$/,
  xori: /^xnop$/,
  rlwinm: /^(clrlwi|rotlwi|slwi|srwi)$/,
  "rlwinm.": /^(clrlwi|rotlwi|slwi|srwi)\.$/,
  rlwnm: /^rotlw$/,
  "rlwnm.": /^rotlw\.$/,
  sync: /^(msync|lwsync|ptesync|hwsync)$/,
  subf: /^sub$/,
  "stwcx..": /^stwcx\.$/,
  tw: /^(trap|tw(lt|le|eq|ge|gt|nl|ne|ng|llt|lle|lge|lgt|lnl|lng|u))$/,
  twi: /^tw(lt|le|eq|ge|gt|nl|ne|ng|llt|lle|lge|lgt|lnl|lng|u)i$/,
  wrteei: /^wrteei$/,
};

const same = (ours: string | undefined, theirs: string | undefined) =>
  ours === theirs || (ours !== undefined && theirs !== undefined && spellings[ours]?.test(theirs) === true);

const opcode = (c: Comparison) => c.word >>> 26;
/** Capstone knows an instruction, an e500mc does not. */
const missing = (of: (c: Comparison) => boolean) => (c: Comparison) =>
  c.ours === undefined && c.theirs !== undefined && of(c);
/** Behind opcode 31, 59 or 63, by name. */
const named = (...names: readonly RegExp[]) =>
  missing((c) => [31, 59, 63].includes(opcode(c)) && names.some((name) => name.test(c.theirs ?? "")));
/** An e500mc knows it, capstone does not. */
const unknown = (of: (c: Comparison) => boolean) => (c: Comparison) =>
  c.ours !== undefined && c.theirs === undefined && of(c);
const oneField = (word: number) => {
  const fxm = (word >>> 12) & 0xff;
  return fxm !== 0 && (fxm & (fxm - 1)) === 0;
};

export const differences: readonly Difference[] = [
  {
    name: "reserved-fields",
    reason:
      "Book I section 1.3.3: a processor ignores reserved fields, as cmp's L here, and CT and TH of cache instructions are hints; capstone refuses them or has a name for them. Without those bits both say the same.",
    applies: (c) => c.reserved && explain({ ...c, theirs: c.plainTheirs, reserved: false }) !== undefined,
  },
  {
    name: "overflow-forms",
    reason: "Arithmetic with OE: capstone 4 has none of it.",
    applies: unknown((c) => opcode(c) === 31 && /o\.?$/.test(c.ours ?? "")),
  },
  {
    name: "embedded-instructions",
    reason: "Instructions of Book III-E and of the e500 cores, which capstone 4 does not have.",
    applies: unknown((c) =>
      /^(tlbilx|msgsnd|msgclr|dcblc|dcbtls|dcbtstls|icblc|icbtls|wait|ehpriv|rfgi|rfdi|rfmci|mcrxr|mfpmr|mtpmr)$/.test(
        c.row ?? "",
      ),
    ),
  },
  {
    name: "sc-levels",
    reason: "sc with a level above 1; the core takes what is not 1 for 0.",
    applies: unknown((c) => c.row === "sc"),
  },
  {
    name: "floating-forms",
    reason: "fcmpo, and Rc of mtfsb0 and mtfsb1, which capstone 4 does not have.",
    applies: unknown((c) => /^(fcmpo|mtfsb[01]\.|mtfsfi\.?|mcrfs)$/.test(c.ours ?? "")),
  },
  {
    name: "field-masks",
    reason: "mfocrf and mtocrf with no field or several: undefined results, not refused; capstone refuses them.",
    applies: unknown((c) => (c.row === "mfcr" || c.row === "mtcrf") && !oneField(c.word)),
  },
  {
    name: "invalid-updates",
    reason:
      "Book I section 3.3.2: an update form with RA = 0, or which loads RA, is invalid; here an illegal instruction.",
    applies: missing((c) => /^(l|st)[bhwf][a-z]*u[x]?$/.test(c.row ?? "")),
  },
  {
    name: "counting-bcctr",
    reason: "Book I section 2.4: bcctr that counts CTR is invalid; here an illegal instruction.",
    applies: (c) => c.ours === undefined && c.row === "bcctr",
  },
  {
    name: "stwcx-without-dot",
    reason: "Without its last bit it is no instruction.",
    applies: (c) => c.ours === undefined && c.row === "stwcx.",
  },
  {
    name: "registers",
    reason: "SPR and PMR numbers which an e500mc does not have, or not in this direction.",
    applies: missing((c) => /^m[ft](spr|tb|pmr)$/.test(c.row ?? "")),
  },
  {
    name: "64-bit",
    reason: "Instructions of 64-bit processors.",
    applies: missing(
      (c) =>
        [2, 30, 58, 62].includes(opcode(c)) ||
        named(
          /^(ld|std|lwa)(u?x|arx|brx|cix|cx\.|mx)?$/,
          /^(sl|sr|sra|extsw|cntl?zd|cnttz|mul(l|h)|mulhdu|div|rot)d/,
          /^(sradi|sradi|sld|srd|srad|mulld|mulhd|mulhdu|divd|divdu|divde|divdeu|mtmsrd|td|td[a-z]+|extsw|extswsli|cntlzd|cnttzd|popcntd|bpermd|lwaux|lwax|mod[su]d)\.?$/,
        )(c),
    ),
  },
  {
    name: "vectors",
    reason: "AltiVec and the integer instructions that share its opcode.",
    applies: missing((c) => opcode(c) === 4 || named(/^(l|st)v(x|xl|sl|sr|ebx|ehx|ewx)$/, /^dst/, /^dss/)(c)),
  },
  {
    name: "vector-scalar",
    reason: "VSX and quad precision, of POWER7 and later.",
    applies: missing(
      (c) => [57, 60, 61].includes(opcode(c)) || named(/^(l|st)xv/, /^(l|st)xs/, /^m[ft](vsr|fpr)/, /^xs/)(c),
    ),
  },
  {
    name: "later-books",
    reason:
      "Power ISA 2.06's optional instructions and what came later: the core implements 2.06's embedded base alone.",
    applies: missing(
      (c) =>
        (opcode(c) === 19 && /^(addpcis|subpcis|lnia)$/.test(c.theirs ?? "")) ||
        named(
          /^(cmpb|cmprb|cmpeqb|setb|popcnt[bw]|prty[wd]|cnttzw|divweu?|mod[su]w|copy|paste|cp_abort|darn|lwat|stwat|ldat|stdat|mcrxrx|slbie|isel[a-z]+)\.?$/,
          /^(lbarx|lharx|stbcx|sthcx)\.?$/,
          /^[lsb]?(lb|lh|lw|stb|sth|stw)[z]?cix$/,
          /^(tabort|tbegin|tend|tsr|tcheck|treclaim|trechkpt)/,
          /^(mfbhrbe|clrbhrb|rfebb)$/,
          /^(f[cn]psgn|fri[nzpm]|fct[iu]|fcfid|fcpsgn|fsqrt|fre|frsqrtes|ftdiv|ftsqrt|lfiw|lfdp|stfdp|fmrg|mffs[a-z]+)/,
        )(c),
    ),
  },
  {
    name: "other-cores",
    reason:
      "Segments and hashed pages of servers, device control registers and TLBs of the 4xx, string instructions, BATs.",
    applies: missing(
      (c) =>
        opcode(c) === 0 ||
        named(
          /^(mtsr|mfsr)(in)?$/,
          /^slb/,
          /^tlb(ie|iel|ia|ld|li|re|we|rehi|relo|wehi|welo)$/,
          /^m[ft](dcr|br)/,
          /^(lsw|stsw)[ix]$/,
          /^ic(cci|read|blq)/,
          /^dc(cci|read)/,
          /^(mfrtc|mftb)/,
          /^(rfid|hrfid|nap|attn)/,
        )(c),
    ),
  },
];

/** The difference that explains it, if there is one; "same" when nothing has to be explained. */
export function explain(c: Comparison): Difference | "same" | undefined {
  if (c.length === 4 && same(c.ours, c.theirs)) return "same";
  return differences.find((d) => d.applies(c));
}
