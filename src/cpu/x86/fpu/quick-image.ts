import type { Builder, Value } from "../../../ir/builder.ts";
import { notDone, type QuickWay } from "../../../ir/frontend.ts";
import type { Slot } from "../../../ir/slots.ts";
import { Cr4 } from "../constants.ts";
import * as s from "../slots.ts";
import { exponent, place } from "./quick-stack.ts";
import { summary } from "./unit.ts";

/*
 * FXSAVE and FXRSTOR of ring 0 with SSE's registers, 512 bytes on one page: a kernel does both whenever it changes from a process to another. SDM vol. 1
 * section 10.5.1.
 */

const significand = (s.fpuSignificand[0] as Slot).offset;
const lanes = (s.xmm[0] as Slot).offset;
const eight = [0, 1, 2, 3, 4, 5, 6, 7] as const;

/** Aligned, so that the image lies on one page. */
function usual(b: Builder, address: Value): Value {
  const wrong = b.or(b.get(s.cpl), b.and(address, b.i32(15)));
  const crosses = b.and(b.xor(address, b.add(address, b.i32(511))), b.i32(-4096));
  return b.and(b.eqz(b.or(wrong, crosses)), b.ne(b.and(b.get(s.cr4), b.i32(Cr4.osfxsr)), b.i32(0)));
}

function save(mxcsrBits: number): QuickWay {
  return (b, [address]) => {
    const start = address as Value;
    const put = (at: number, width: 2 | 4 | 8 | 16, value: Value) => b.store(width, b.add(start, b.i32(at)), value);
    const pair = (low: Value, high: Value) => b.or(b.and(low, b.i32(0xffff)), b.shl(high, b.i32(16)));
    return b.choose(
      usual(b, start),
      () => {
        b.probe(4, start);
        put(0, 4, pair(b.get(s.fpuControl), b.or(b.get(s.fpuStatus), b.shl(b.get(s.fpuTop), b.i32(11)))));
        put(4, 4, pair(b.get(s.fpuUsed), b.get(s.fpuOpcode)));
        put(8, 4, b.get(s.fpuIp));
        put(12, 2, b.get(s.fpuCs));
        put(16, 4, b.get(s.fpuDp));
        put(20, 2, b.get(s.fpuDs));
        put(24, 4, b.get(s.mxcsr));
        put(28, 4, b.i32(mxcsrBits));
        for (const i of eight) {
          const at = place(b, b.i32(i));
          put(32 + 16 * i, 8, b.getAt(at, 8, significand));
          put(40 + 16 * i, 8, b.op("extend_u", b.and(b.getAt(at, 4, exponent), b.i32(0xffff))));
        }
        for (const k of eight) put(160 + 16 * k, 16, b.getAt(b.i32(lanes + 16 * k), 16, 0, "v128"));
        return b.i32(0);
      },
      () => notDone(b),
    );
  };
}

function restore(mxcsrBits: number): QuickWay {
  return (b, [address]) => {
    const start = address as Value;
    const from = (at: number) => b.add(start, b.i32(at));
    // While FERR# is asserted the helper tells the board that it goes down.
    return b.choose(
      b.and(usual(b, start), b.eqz(b.get(s.fpuFerr))),
      () => all(b, from, mxcsrBits),
      () => notDone(b),
    );
  };
}

function all(b: Builder, from: (at: number) => Value, mxcsrBits: number): Value {
  const [control, word, used, opcode] = [
    b.load(2, from(0)),
    b.load(2, from(2)),
    b.load(1, from(4)),
    b.load(2, from(6)),
  ];
  const [ip, cs, dp, ds] = [b.load(4, from(8)), b.load(2, from(12)), b.load(4, from(16)), b.load(2, from(20))];
  const mxcsr = b.load(4, from(24));
  const registers = eight.map((i) => [b.load(8, from(32 + 16 * i)), b.load(2, from(40 + 16 * i))] as const);
  const vectors = eight.map((k) => b.load(16, from(160 + 16 * k), "v128"));
  return b.choose(
    b.eqz(b.and(mxcsr, b.i32(~mxcsrBits))),
    () => {
      const kept = b.or(b.and(control, b.i32(0x1f3f)), b.i32(0x40));
      const status = b.and(word, b.i32(0xffff & ~(0x3800 | summary)));
      // ES and B follow from the flags and the masks.
      const pending = b.and(b.and(status, b.not(kept)), b.i32(0x3f));
      b.set(s.fpuControl, kept);
      b.set(s.fpuTop, b.and(b.shrU(word, b.i32(11)), b.i32(7)));
      b.set(s.fpuStatus, b.or(status, b.select(pending, b.i32(summary), b.i32(0))));
      b.set(s.fpuUsed, used);
      b.set(s.fpuOpcode, b.and(opcode, b.i32(0x7ff)));
      b.set(s.fpuIp, ip);
      b.set(s.fpuCs, cs);
      b.set(s.fpuDp, dp);
      b.set(s.fpuDs, ds);
      b.set(s.mxcsr, mxcsr);
      for (const [i, [sig, exp]] of registers.entries()) {
        const at = place(b, b.i32(i));
        b.setAt(at, 8, sig, significand);
        b.setAt(at, 4, exp, exponent);
      }
      for (const [k, vector] of vectors.entries()) b.setAt(b.i32(lanes + 16 * k), 16, vector);
      return b.i32(0);
    },
    () => notDone(b),
  );
}

/** For a processor with SSE, which has these bits of MXCSR; the images of others are the helpers'. */
export function quickImages(mxcsrBits: number): Readonly<Record<string, QuickWay>> {
  return mxcsrBits === 0 ? {} : { fpuFxsave: save(mxcsrBits), fpuFxrstor: restore(mxcsrBits) };
}
