import * as arithmetic from "./arithmetic.ts";
import * as branch from "./branch.ts";
import { loadUpdate, update } from "./checks.ts";
import * as compare from "./compare.ts";
import * as floating from "./floating.ts";
import { lmw, load, stmw, store } from "./load-store.ts";
import * as logical from "./logical.ts";
import { Attribute, op, type Row, type Table } from "./pattern.ts";
import * as rotate from "./rotate.ts";
import * as system from "./system-bodies.ts";
import { table19 } from "./table-19.ts";
import { table31 } from "./table-31.ts";
import { table59, table63 } from "./table-fp.ts";

/* Primary opcodes in order: Power ISA 2.06 Book I, the opcode maps in the appendix. A table stands where extended opcodes follow; undefined is no instruction. */

const { record: Rc, ends: Ends, branch: Branch, first: First, plain: Plain } = Attribute;
const _ = undefined;
const u = { update: true } as const;

export type Entry = Row | Table | undefined;

export const primary: readonly Entry[] = [
  // 0
  _,
  _,
  _,
  op("twi", "A,SI", compare.twi, First),
  _,
  _,
  _,
  op("mulli", "T,A,SI", arithmetic.mulli),
  op("subfic", "T,A,SI", arithmetic.subfic),
  _,
  op("cmpli", "BF,A,UI", compare.cmpli),
  op("cmpi", "BF,A,SI", compare.cmpi),
  op("addic", "T,A,SI", arithmetic.addic),
  op("addic.", "T,A,SI", arithmetic.addicRecord),
  op("addi", "T,A0,SI", arithmetic.addi, Plain),
  op("addis", "T,A0,SIS", arithmetic.addi, Plain),
  // 16
  op("bc", "BI,BD", branch.bc, Branch | First),
  op("sc", "W", system.sc, Ends),
  op("b", "LI", branch.branch, Branch | Ends),
  table19,
  op("rlwimi", "T,A,SH,M", rotate.rlwimi, Rc),
  op("rlwinm", "T,A,SH,M", rotate.rlwinm, Rc),
  _,
  op("rlwnm", "T,A,B,M", rotate.rlwnm, Rc),
  op("ori", "T,A,UI", logical.ori),
  op("oris", "T,A,UIS", logical.ori),
  op("xori", "T,A,UI", logical.xori),
  op("xoris", "T,A,UIS", logical.xori),
  op("andi.", "T,A,UI", logical.andi),
  op("andis.", "T,A,UIS", logical.andi),
  _,
  table31,
  // 32
  op("lwz", "T,A0,SI", load(4)),
  op("lwzu", "T,A,SI", load(4, u), 0, loadUpdate),
  op("lbz", "T,A0,SI", load(1)),
  op("lbzu", "T,A,SI", load(1, u), 0, loadUpdate),
  op("stw", "T,A0,SI", store(4)),
  op("stwu", "T,A,SI", store(4, u), 0, update),
  op("stb", "T,A0,SI", store(1)),
  op("stbu", "T,A,SI", store(1, u), 0, update),
  op("lhz", "T,A0,SI", load(2)),
  op("lhzu", "T,A,SI", load(2, u), 0, loadUpdate),
  op("lha", "T,A0,SI", load(2, { signed: true })),
  op("lhau", "T,A,SI", load(2, { ...u, signed: true }), 0, loadUpdate),
  op("sth", "T,A0,SI", store(2)),
  op("sthu", "T,A,SI", store(2, u), 0, update),
  op("lmw", "T,A0,SI", lmw, First),
  op("stmw", "T,A0,SI", stmw, First),
  // 48
  op("lfs", "FT,A0,SI", floating.loadSingle()),
  op("lfsu", "FT,A,SI", floating.loadSingle(u), 0, update),
  op("lfd", "FT,A0,SI", floating.loadDouble()),
  op("lfdu", "FT,A,SI", floating.loadDouble(u), 0, update),
  op("stfs", "FT,A0,SI", floating.storeSingle()),
  op("stfsu", "FT,A,SI", floating.storeSingle(u), 0, update),
  op("stfd", "FT,A0,SI", floating.storeDouble()),
  op("stfdu", "FT,A,SI", floating.storeDouble(u), 0, update),
  _,
  _,
  _,
  table59,
  _,
  _,
  _,
  table63,
];
