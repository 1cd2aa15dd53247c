import { Status } from "../../ir/node.ts";
import type { Slot } from "../../ir/slots.ts";
import { arithmeticFlags, Cr0, Cr4, Flag, Vector } from "./constants.ts";
import { checkPort, loadTask, query, readControl, verify, writeControl, writeCr0 } from "./control.ts";
import type { Core } from "./core.ts";
import { portTouched, readDebug, watching, writeDebug } from "./debug.ts";
import { allows, loadData } from "./descriptors.ts";
import type { Helpers } from "./helpers.ts";
import { cpuid, type Model } from "./identification.ts";
import { deliver, interruptReturn } from "./interrupts.ts";
import { readMsr, readTimestamp, writeMsr } from "./msr.ts";
import { reloadSegment } from "./segment-reload.ts";
import * as s from "./slots.ts";
import { Stack } from "./stack-access.ts";
import { inBulk } from "./string-bulk.ts";
import { sysenter, sysexit } from "./sysenter.ts";
import { loadLdt } from "./task.ts";
import { farCall, farJump, farReturn } from "./transfers.ts";
import { checkVirtualImage, interruptFlag, redirected, setVirtualImage, virtualFlags, virtualImage } from "./v86.ts";

type Width = 1 | 2 | 4;

/** What instruction bodies leave to the system half; `helpers.ts` says what each is to do. */
export function systemHelpers(core: Core, model: Model): Helpers {
  const { next, jump, leave } = Status;

  /** A software interrupt: its faults leave EIP at the instruction, so nothing is committed before it is through. */
  const software = (vector: number, after: number, origin: "software" | "int1" = "software") => {
    deliver(core, { vector, origin, code: undefined, returnTo: after });
    return jump;
  };

  const readPort = (port: number, width: number) => {
    if (watching(core)) portTouched(core, port & 0xffff, width);
    return core.wires.readPort(port & 0xffff, width as Width);
  };
  const writePort = (port: number, width: number, value: number) => {
    if (watching(core)) portTouched(core, port & 0xffff, width);
    const cut = width === 4 ? value >>> 0 : value & (width === 2 ? 0xffff : 0xff);
    core.wires.writePort(port & 0xffff, width as Width, cut);
  };

  /** Writes the `size` bytes of a register. */
  const put = (destination: number, size: number, value: number) => {
    if (size === 4) core.engine.view.setInt32(destination, value, true);
    else core.engine.view.setUint16(destination, value & 0xffff, true);
  };

  const loadSegment = (segment: number, selector: number) => {
    loadData(core, segment, selector & 0xffff);
    if (segment === s.segment.ss) core.holdOffAll();
    core.updateMode();
  };

  return {
    raise: (vector) => {
      throw core.raise(vector);
    },
    raiseCode: (vector, code) => {
      throw core.raise(vector, code);
    },
    undefinedOpcode: () => {
      const at = core.get(s.engine.pc) >>> 0;
      core.wires.report(`ud ${at}`, `undefined opcode at 0x${at.toString(16)}`);
      throw core.raise(Vector.undefined);
    },

    segmentCheck: (segment, offset, access) => {
      const width = access & 0xff;
      const write = (access & 0x100) !== 0;
      if (allows(core.get(s.rights[segment] as Slot), core.get(s.limit[segment] as Slot), offset, width, write))
        return 0;
      throw core.raise(segment === s.segment.ss ? Vector.stack : Vector.protection, 0);
    },
    reloadSegment: (segment, selector) => (reloadSegment(core, segment, selector & 0xffff) ? 0 : 1),
    loadSegment: (segment, selector) => {
      loadSegment(segment, selector);
      return next;
    },
    popSegment: (segment, selector, esp) => {
      loadSegment(segment, selector);
      core.set(s.esp, esp);
      return next;
    },
    loadFar: (segment, selector, register, value) => {
      // A load of SS holds nothing off here: LSS sets both at once.
      loadData(core, segment, selector & 0xffff);
      core.updateMode();
      core.engine.view.setInt32(register, value, true);
      return next;
    },

    farJump: (selector, offset, size, after) => {
      farJump(core, selector & 0xffff, offset, size, after);
      return jump;
    },
    farCall: (selector, offset, size, after) => {
      farCall(core, selector & 0xffff, offset, size, after);
      return jump;
    },
    farReturn: (size, release) => {
      farReturn(core, size, release);
      return jump;
    },
    interruptReturn: (size, after) => {
      interruptReturn(core, size, after);
      return jump;
    },
    interrupt: (vector, after) => {
      if (core.v86 && redirected(core, vector, after)) return jump;
      return software(vector, after);
    },
    breakpoint: (after) => software(Vector.breakpoint, after),
    overflow: (after) => software(Vector.overflow, after),
    debugTrap: (after) => software(Vector.debug, after, "int1"),
    sysenter: () => {
      sysenter(core);
      return jump;
    },
    sysexit: () => {
      sysexit(core);
      return jump;
    },

    popFlags: (value, size, esp) => {
      if (core.v86 && core.iopl < 3) {
        if (!virtualFlags(core) || size !== 2) throw core.protection();
        checkVirtualImage(core, value);
        setVirtualImage(core, value);
      } else {
        const { cpl } = core;
        // IOPL only in ring 0, IF where CPL <= IOPL; VM, VIF, VIP never; RF becomes 0. SDM vol. 2, POPF.
        const mask =
          arithmeticFlags |
          Flag.tf |
          Flag.df |
          Flag.nt |
          Flag.rf |
          (size === 4 ? Flag.ac | Flag.id : 0) |
          (cpl <= core.iopl ? Flag.if : 0) |
          (cpl === 0 ? Flag.iopl : 0);
        core.setFlags(value & ~Flag.rf, mask);
      }
      core.set(s.esp, esp);
      return next;
    },
    pushFlagsV86: (flags, size) => {
      if (core.iopl < 3 && (!virtualFlags(core) || size !== 2)) throw core.protection();
      const stack = Stack.current(core);
      stack.push(core.iopl < 3 ? virtualImage(core) : flags & ~(Flag.rf | Flag.vm), size);
      stack.commit();
      return next;
    },
    moveBulk: (width) => inBulk(core, width as Width, true),
    storeBulk: (width) => inBulk(core, width as Width, false),
    cli: () => {
      core.setFlags(0, interruptFlag(core));
      return next;
    },
    sti: () => {
      const flag = interruptFlag(core);
      const before = core.get(s.eflags);
      // What waits for VIF is the monitor's to deliver. SDM vol. 2, STI.
      if (flag === Flag.vif && (before & Flag.vip) !== 0) throw core.protection();
      core.setFlags(flag, flag);
      if (flag === Flag.if && (before & flag) === 0) core.holdOff();
      return next;
    },

    inPort: (port, width) => {
      checkPort(core, port & 0xffff, width);
      const value = readPort(port, width);
      if (width === 4) core.set(s.eax, value);
      else if (width === 2) core.engine.view.setUint16(s.eax.offset, value, true);
      else core.engine.view.setUint8(s.eax.offset, value);
      return next;
    },
    outPort: (port, width, value) => {
      checkPort(core, port & 0xffff, width);
      writePort(port, width, value);
      return next;
    },
    checkPort: (port, width) => {
      checkPort(core, port & 0xffff, width);
      return 0;
    },
    readPort,
    writePort: (port, width, value) => {
      writePort(port, width, value);
      return 0;
    },

    movToCr: (register, value) => {
      core.needRing0();
      writeControl(core, register, value);
      return next;
    },
    movFromCr: (register, destination) => {
      core.needRing0();
      put(destination, 4, readControl(core, register));
      return next;
    },
    movToDr: (register, value) => {
      core.needRing0();
      writeDebug(core, register, value);
      return next;
    },
    movFromDr: (register, destination) => {
      core.needRing0();
      put(destination, 4, readDebug(core, register));
      return next;
    },
    lmsw: (value) => {
      core.needRing0();
      const cr0 = core.get(s.cr0);
      writeCr0(core, (cr0 & ~0xe) | (value & 0xf) | (cr0 & Cr0.pe));
      return next;
    },
    clts: () => {
      core.needRing0();
      core.set(s.cr0, core.get(s.cr0) & ~Cr0.ts);
      return next;
    },
    lgdt: (base, limit) => {
      core.needRing0();
      core.set(s.gdtrBase, base);
      core.set(s.gdtrLimit, limit & 0xffff);
      return next;
    },
    lidt: (base, limit) => {
      core.needRing0();
      core.set(s.idtrBase, base);
      core.set(s.idtrLimit, limit & 0xffff);
      return next;
    },
    lldt: (selector) => {
      core.needRing0();
      loadLdt(core, selector & 0xffff);
      return next;
    },
    ltr: (selector) => {
      core.needRing0();
      loadTask(core, selector & 0xffff);
      return next;
    },
    invlpg: (linear) => {
      core.needRing0();
      core.flushPage(linear >>> 0);
      return next;
    },
    flushCaches: () => {
      core.needRing0();
      return next;
    },
    halt: () => {
      core.needRing0();
      core.set(s.halted, 1);
      return leave;
    },

    verr: (selector) => {
      verify(core, selector & 0xffff, false);
      return next;
    },
    verw: (selector) => {
      verify(core, selector & 0xffff, true);
      return next;
    },
    lar: (selector, destination, size) => {
      const rights = query(core, selector & 0xffff, "rights");
      if (rights !== undefined) put(destination, size, rights);
      return next;
    },
    lsl: (selector, destination, size) => {
      const limit = query(core, selector & 0xffff, "limit");
      if (limit !== undefined) put(destination, size, limit);
      return next;
    },

    cpuid: () => {
      cpuid(core, model);
      return next;
    },
    rdtsc: () => {
      if ((core.get(s.cr4) & Cr4.tsd) !== 0 && core.cpl !== 0) throw core.protection();
      readTimestamp(core);
      return next;
    },
    rdpmc: () => {
      if ((core.get(s.cr4) & Cr4.pce) === 0 && core.cpl !== 0) throw core.protection();
      // Two counters, which hold what was written and count nothing. SDM vol. 3 section 18.6.8.
      if (core.get(s.ecx) >>> 0 > 1) throw core.protection();
      core.set(s.ecx, core.get(s.ecx) + 0xc1);
      readMsr(core, model);
      core.set(s.ecx, core.get(s.ecx) - 0xc1);
      return next;
    },
    rdmsr: () => {
      core.needRing0();
      readMsr(core, model);
      return next;
    },
    wrmsr: () => {
      core.needRing0();
      writeMsr(core, model);
      return next;
    },
  };
}
