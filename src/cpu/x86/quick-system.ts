import type { Builder, Value } from "../../ir/builder.ts";
import { notDone, type QuickWay, type TlbPlaces } from "../../ir/frontend.ts";
import { Status } from "../../ir/node.ts";
import type { Slot } from "../../ir/slots.ts";
import { Cr0, Flag, Right, SystemType } from "./constants.ts";
import { flatRights } from "./core.ts";
import { Dr7 } from "./debug.ts";
import { putFlags, readFlags } from "./flags.ts";
import { both } from "./fpu/quick-stack.ts";
import * as s from "./slots.ts";

/*
 * The quick ways of what a kernel's entries and exits are made of: flat segments of 4 GiB, rings 0 and 3, descriptors in the GDT which are marked accessed
 * already. What is not so is the helper's, and so is every fault.
 */

const { es, cs, ss, ds, fs, gs, tr } = s.segment;
/** What `then` gives where the condition (0 or 1) holds; elsewhere it is for the helper. */
const only = (b: Builder, condition: Value, then: () => Value) => b.choose(condition, then, () => notDone(b));
const has = (b: Builder, value: Value, mask: number, wanted: number) => b.eq(b.and(value, b.i32(mask)), b.i32(wanted));
const at = (slots: readonly Slot[], n: number) => slots[n] as Slot;
const protectedMode = (b: Builder) => b.and(has(b, b.get(s.cr0), Cr0.pe, Cr0.pe), has(b, b.get(s.eflags), Flag.vm, 0));

/** A segment of 4 GiB as it stands in the second word of a descriptor, without its DPL; the first word is 0xffff. */
const shape = Right.present | Right.segment | Right.accessed | Right.readWrite | Right.big | Right.granular;
const shapeMask = shape | Right.code | Right.direction | 0xff0f_00ff;
const flatCode = shape | Right.code | 0xf_0000 | 0;
const flatData = shape | 0xf_0000 | 0;
const dpl = (ring: number) => ring << 13;

function isFlat(b: Builder, low: Value, high: Value, kind: number): Value {
  return b.and(b.eq(low, b.i32(0xffff)), has(b, high, shapeMask, kind));
}

/** Both words of the descriptor of a selector, if the GDT has it. */
function described(b: Builder, selector: Value, then: (low: Value, high: Value) => Value): Value {
  const offset = b.and(selector, b.i32(0xfff8));
  const inTable = b.op("le_u", b.add(offset, b.i32(7)), b.get(s.gdtrLimit));
  return only(b, both(b, b.ne(offset, b.i32(0)), has(b, selector, 4, 0), inTable), () => {
    const place = b.add(b.get(s.gdtrBase), offset);
    return then(b.load(4, place), b.load(4, b.add(place, b.i32(4))));
  });
}

function load(b: Builder, n: number, selector: Value, rights: Value): void {
  b.set(at(s.selector, n), selector);
  b.set(at(s.base, n), b.i32(0));
  b.set(at(s.limit, n), b.i32(-1));
  b.set(at(s.rights, n), rights);
}

const rightsOf = (b: Builder, high: Value) => b.and(high, b.i32(0x00f0_ff00));

/** Whether a segment is one of 4 GiB, by what its register holds of it. */
function isFlatSegment(b: Builder, base: Value, limit: Value, rights: Value): Value {
  return both(b, b.eqz(base), b.eq(limit, b.i32(-1)), has(b, rights, flatRights.mask, flatRights.value));
}

function isFlatNow(b: Builder, n: number): Value {
  return isFlatSegment(b, b.get(at(s.base, n)), b.get(at(s.limit, n)), b.get(at(s.rights, n)));
}

/** As `setCpl` and `updateMode` do where CS and SS are flat: goes on at `target`. */
function goTo(b: Builder, tlbs: TlbPlaces, ring: 0 | 3, target: Value): Value {
  const data = b.and(isFlatNow(b, ds), isFlatNow(b, es));
  const fixed = s.Mode.d32 | s.Mode.ss32 | (ring === 3 ? s.Mode.user : 0);
  b.set(s.engine.mode, b.or(b.i32(fixed), b.select(data, b.i32(s.Mode.flat), b.i32(0))));
  b.set(s.engine.fetchBase, b.i32(0));
  b.set(s.engine.tlb, b.i32(ring === 3 ? tlbs.user : tlbs.supervisor));
  b.set(s.cpl, b.i32(ring));
  b.set(s.engine.pc, target);
  return b.i32(Status.jump);
}

const sysenter: QuickWay = (b, _, tlbs) => {
  const selector = b.and(b.get(s.sysenterCs), b.i32(0xfffc));
  return only(b, b.and(protectedMode(b), b.ne(selector, b.i32(0))), () => {
    b.set(s.eflags, b.and(b.get(s.eflags), b.i32(~(Flag.if | Flag.rf))));
    load(b, cs, selector, b.i32(shape | Right.code));
    load(b, ss, b.and(b.add(selector, b.i32(8)), b.i32(0xffff)), b.i32(shape));
    b.set(s.esp, b.get(s.sysenterEsp));
    return goTo(b, tlbs, 0, b.get(s.sysenterEip));
  });
};

const sysexit: QuickWay = (b, _, tlbs) => {
  const selector = b.and(b.get(s.sysenterCs), b.i32(0xfffc));
  const outer = (distance: number) => b.and(b.or(b.add(selector, b.i32(distance)), b.i32(3)), b.i32(0xffff));
  // With AC set every access of ring 3 may have to be looked at.
  const plain = b.and(b.eqz(b.get(s.cpl)), has(b, b.get(s.eflags), Flag.ac, 0));
  return only(b, both(b, protectedMode(b), b.ne(selector, b.i32(0)), plain), () => {
    load(b, cs, outer(16), b.i32(shape | Right.code | dpl(3)));
    load(b, ss, outer(24), b.i32(shape | dpl(3)));
    b.set(s.esp, b.get(s.ecx));
    return goTo(b, tlbs, 3, b.get(s.edx));
  });
};

/** INT n of ring 3 through a gate of 32 bits to ring 0. SDM vol. 3 section 6.12.1. */
const interrupt: QuickWay = (b, [vector, next], tlbs) => {
  const offset = b.shl(vector as Value, b.i32(3));
  const inTable = b.op("le_u", b.add(offset, b.i32(7)), b.get(s.idtrLimit));
  const plain = both(
    b,
    protectedMode(b),
    b.eq(b.get(s.cpl), b.i32(3)),
    has(b, b.get(s.eflags), Flag.tf, 0),
    // Somebody wants to be told.
    has(b, b.get(s.asked), s.Asked.traced, 0),
    inTable,
  );
  return only(b, plain, () => {
    const gate = b.add(b.get(s.idtrBase), offset);
    const [low, high] = [b.load(4, gate), b.load(4, b.add(gate, b.i32(4)))];
    const selector = b.shrU(low, b.i32(16));
    // Interrupt gates and trap gates: types 14 and 15.
    const kind = Right.present | dpl(3) | ((SystemType.interruptGate32 & 0x1e) << 8);
    return only(b, has(b, high, Right.present | dpl(3) | 0x1e00, kind), () =>
      described(b, selector, (codeLow, codeHigh) => {
        const inner = b.and(isFlat(b, codeLow, codeHigh, flatCode), has(b, codeHigh, dpl(3), 0));
        return only(b, inner, () =>
          innerStack(b, (stack, esp, rights) => {
            const place = (k: number) => b.add(esp, b.i32(-4 * k));
            const onePage = has(b, b.xor(place(5), b.sub(esp, b.i32(1))), -4096, 0);
            return only(b, onePage, () => {
              b.probe(4, place(5));
              const flags = readFlags(b);
              b.store(4, place(1), b.get(at(s.selector, ss)));
              b.store(4, place(2), b.get(s.esp));
              b.store(4, place(3), b.and(flags, b.i32(~Flag.rf)));
              b.store(4, place(4), b.get(at(s.selector, cs)));
              b.store(4, place(5), next as Value);
              load(b, ss, stack, rights);
              load(b, cs, b.and(selector, b.i32(0xfffc)), rightsOf(b, codeHigh));
              b.set(s.esp, place(5));
              const trap = b.and(b.shl(high, b.i32(1)), b.i32(Flag.if));
              const cleared = b.i32(~(Flag.tf | Flag.nt | Flag.rf | Flag.if));
              b.set(s.eflags, b.and(b.get(s.eflags), b.or(trap, cleared)));
              const target = b.or(b.and(low, b.i32(0xffff)), b.and(high, b.i32(0xffff_0000 | 0)));
              return goTo(b, tlbs, 0, target);
            });
          }),
        );
      }),
    );
  });
};

/** SS and ESP of ring 0, out of a TSS of 32 bits. SDM vol. 3 section 7.2.1. */
function innerStack(b: Builder, then: (selector: Value, esp: Value, rights: Value) => Value): Value {
  const busy = (SystemType.busyTss32 & 8) << 8;
  const fits = b.and(has(b, b.get(at(s.rights, tr)), 0x800, busy), b.ltU(b.i32(8), b.get(at(s.limit, tr))));
  return only(b, fits, () => {
    const stacks = b.add(b.get(at(s.base, tr)), b.i32(4));
    const esp = b.load(4, stacks);
    const selector = b.load(2, b.add(stacks, b.i32(4)));
    return only(b, has(b, selector, 3, 0), () =>
      described(b, selector, (low, high) =>
        only(b, b.and(isFlat(b, low, high, flatData), has(b, high, dpl(3), 0)), () =>
          then(selector, esp, rightsOf(b, high)),
        ),
      ),
    );
  });
}

/** What IRET of 32 bits in ring 0 takes from the image of EFLAGS, besides the arithmetic flags and DF. */
const returned = Flag.nt | Flag.if | Flag.iopl | Flag.vif | Flag.vip | Flag.id | Flag.rf | Flag.tf;

/** IRET of ring 0 to ring 0 or 3. SDM vol. 2, IRET. */
const interruptReturn: QuickWay = (b, [size], tlbs) => {
  const flat = s.Mode.d32 | s.Mode.ss32 | s.Mode.flat;
  const plain = both(
    b,
    b.eq(size as Value, b.i32(4)),
    b.eq(b.get(s.engine.mode), b.i32(flat)),
    b.eqz(b.or(b.get(s.cpl), b.get(s.nmiBlocked))),
    has(b, b.get(s.eflags), Flag.nt | Flag.ac | Flag.vm, 0),
  );
  return only(b, plain, () => {
    const esp = b.get(s.esp);
    const popped = (k: number) => b.load(4, b.add(esp, b.i32(4 * k)));
    const [eip, selector, image] = [popped(0), b.and(popped(1), b.i32(0xffff)), popped(2)];
    const before = b.get(s.eflags);
    // An interrupt that waits is taken as soon as IF is set.
    const rises = b.shrU(b.and(image, b.not(before)), b.i32(9));
    const waits = b.and(rises, b.and(b.get(s.asked), b.i32(s.Asked.waits)));
    // RF is for breakpoints, and does nothing while none is armed.
    const resumes = b.and(b.and(image, b.i32(Flag.rf)), b.sub(b.i32(0), armed(b)));
    const quiet = b.and(has(b, image, Flag.tf | Flag.vm | Flag.ac, 0), b.eqz(b.or(waits, resumes)));
    const finish = (ring: 0 | 3) => {
      putFlags(b, image, before, returned);
      return goTo(b, tlbs, ring, eip);
    };
    return only(b, quiet, () =>
      described(b, selector, (low, high) => {
        const code = isFlat(b, low, high, flatCode);
        const ring = b.and(b.shrU(high, b.i32(13)), b.i32(3));
        return only(b, b.and(code, b.eq(ring, b.and(selector, b.i32(3)))), () =>
          b.choose(
            b.eqz(ring),
            () => {
              load(b, cs, selector, rightsOf(b, high));
              b.set(s.esp, b.add(esp, b.i32(12)));
              return finish(0);
            },
            () => {
              const outerEsp = popped(3);
              const outer = b.and(popped(4), b.i32(0xffff));
              return described(b, outer, (stackLow, stackHigh) => {
                const stack = b.and(isFlat(b, stackLow, stackHigh, flatData), has(b, stackHigh, dpl(3), dpl(3)));
                const rings = b.and(b.eq(ring, b.i32(3)), has(b, outer, 3, 3));
                // Segments too privileged for ring 3 become null.
                const kept = [es, ds, fs, gs].map((n) => outermost(b, n));
                return only(b, both(b, stack, rings, ...kept), () => {
                  load(b, cs, selector, rightsOf(b, high));
                  load(b, ss, outer, rightsOf(b, stackHigh));
                  b.set(s.esp, outerEsp);
                  return finish(3);
                });
              });
            },
          ),
        );
      }),
    );
  });
};

/** 1 when DR7 has a breakpoint. */
function armed(b: Builder): Value {
  return b.ne(b.and(b.get(at(s.dr, 7)), b.i32(Dr7.enables)), b.i32(0));
}

/** Whether a data segment is null or of ring 3. */
function outermost(b: Builder, n: number): Value {
  const rights = b.get(at(s.rights, n));
  return b.or(b.eqz(rights), has(b, rights, dpl(3), dpl(3)));
}

/** As `reloadSegment` in segment-reload.ts; what that refuses is refused here too. */
const reloadSegment: QuickWay = (b, [n, wanted]) => {
  const number = n as Value;
  const selector = b.and(wanted as Value, b.i32(0xffff));
  const place = b.shl(number, b.i32(3));
  const put = (slots: readonly Slot[], value: Value) => b.setAt(place, 4, value, at(slots, 0).offset);
  const now = (slots: readonly Slot[]) => b.getAt(place, 4, at(slots, 0).offset);
  const aside = b.op("le_u", b.i32(fs), number);
  const which = b.or(b.or(b.eqz(number), b.eq(number, b.i32(ds))), b.and(aside, b.op("le_u", number, b.i32(gs))));
  return only(b, b.and(which, protectedMode(b)), () =>
    b.choose(
      b.and(aside, has(b, selector, 0xfffc, 0)),
      () => {
        put(s.selector, selector);
        put(s.base, b.i32(0));
        put(s.limit, b.i32(0));
        put(s.rights, b.i32(0));
        return b.i32(0);
      },
      () =>
        described(b, selector, (low, high) => {
          const needed = Right.segment | Right.present | Right.accessed;
          const level = b.and(b.shrU(high, b.i32(13)), b.i32(3));
          const allowed = b.and(b.op("le_u", b.and(selector, b.i32(3)), level), b.op("le_u", b.get(s.cpl), level));
          const base = b.or(
            b.or(b.shrU(low, b.i32(16)), b.shl(b.and(high, b.i32(0xff)), b.i32(16))),
            b.and(high, b.i32(0xff00_0000 | 0)),
          );
          const raw = b.or(b.and(low, b.i32(0xffff)), b.and(high, b.i32(0xf_0000)));
          const pages = b.or(b.shl(raw, b.i32(12)), b.i32(0xfff));
          const limit = b.select(b.and(high, b.i32(Right.granular)), pages, raw);
          const same = b.eq(
            isFlatSegment(b, base, limit, high),
            isFlatSegment(b, now(s.base), now(s.limit), now(s.rights)),
          );
          const good = both(b, has(b, high, needed | Right.code, needed), allowed, b.or(aside, same));
          return only(b, good, () => {
            put(s.selector, selector);
            put(s.base, base);
            put(s.limit, limit);
            put(s.rights, rightsOf(b, high));
            return b.i32(0);
          });
        }),
    ),
  );
};

export const quickSystem: Readonly<Record<string, QuickWay>> = {
  sysenter,
  sysexit,
  interrupt,
  interruptReturn,
  reloadSegment,
};

/** Helpers with which a region ends: all that neither wait nor are only there to fault. */
export const endings: ReadonlySet<string> = new Set([
  "loadSegment",
  "popSegment",
  "loadFar",
  "farJump",
  "farCall",
  "farReturn",
  "interruptReturn",
  "interrupt",
  "sysenter",
  "sysexit",
  "popFlags",
  "sti",
  "cli",
  "inPort",
  "outPort",
  "movToCr",
  "movFromCr",
  "movToDr",
  "movFromDr",
  "clts",
  "lldt",
  "invlpg",
  "flushCaches",
  "cpuid",
  "rdtsc",
  "rdpmc",
  "rdmsr",
  "wrmsr",
]);
