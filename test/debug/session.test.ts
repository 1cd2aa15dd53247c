import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fromHex, toHex } from "../../src/debug/gdb/hex.ts";
import { PacketReader, packet } from "../../src/debug/gdb/packets.ts";
import { GdbSession } from "../../src/debug/gdb/session.ts";
import { bytesOf, type Debugged, debugged, machineNames } from "./support.ts";

/** A session, and what it says. */
function talk(d: Debugged) {
  let said: string[] = [];
  const raw: number[] = [];
  const reader = new PacketReader();
  const told = { killed: 0, lines: [] as string[] };
  const session = new GdbSession(d.debug, {
    write(bytes) {
      raw.push(...bytes);
      for (const received of reader.read(bytes)) if (received.kind === "packet") said.push(received.text);
    },
    monitor(line) {
      told.lines.push(line);
      return "first\nsecond\n";
    },
    kill: () => told.killed++,
  });
  return {
    session,
    told,
    raw,
    /** What comes back for a packet. */
    ask(text: string): string[] {
      said = [];
      session.receive(packet(text));
      return said;
    },
    /** What is said while the machine runs. */
    heard(): string[] {
      said = [];
      d.go();
      return said;
    },
  };
}

const number = (value: number) => value.toString(16);

describe.each(machineNames)("a gdb session on %s", (name) => {
  let d: Debugged;
  beforeAll(async () => {
    d = await debugged(name);
    d.debug.addBreakpoint("start", d.at("kernel_main"));
    d.go();
    d.debug.remove("start");
  });
  afterAll(() => d[Symbol.asyncDispose]());

  const bigEndian = name === "ppce500";
  const inOrder = (value: number) => {
    const bytes = [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff);
    return toHex(Uint8Array.from(bigEndian ? bytes : bytes.reverse()));
  };
  /** gdb's numbers: i386 eax and eip, PowerPC r0 and pc. */
  const pcNumber = name === "pc" ? 8 : 64;

  test("describes the registers in gdb's order", () => {
    const { ask } = talk(d);
    expect(ask("qSupported:swbreak+")[0]).toContain("qXfer:features:read+");
    let text = "";
    for (let more = true; more; ) {
      const part = ask(`qXfer:features:read:target.xml:${number(text.length)},400`)[0] ?? "";
      more = part.startsWith("m");
      text += part.slice(1);
    }
    const registers = [...text.matchAll(/<reg name="(\w+)" bitsize="(\d+)".*regnum="(\d+)"/g)];
    expect(text).toContain(bigEndian ? "powerpc:common" : "i386");
    expect(registers.find(([, reg]) => reg === (bigEndian ? "pc" : "eip"))?.[3]).toBe(String(pcNumber));
    const bits = registers.reduce((sum, [, , size]) => sum + Number(size), 0);
    expect(ask("g")[0]).toHaveLength(bits / 4);
  });

  test("reads and writes registers one by one and all together", () => {
    const { ask } = talk(d);
    expect(ask(`p${number(pcNumber)}`)).toEqual([inOrder(d.at("kernel_main"))]);
    const all = ask("g")[0] ?? "";
    expect(ask(`P0=${inOrder(0x1234_5678)}`)).toEqual(["OK"]);
    expect(ask("p0")).toEqual([inOrder(0x1234_5678)]);
    expect(ask(`G${all}`)).toEqual(["OK"]);
    expect(ask("g")).toEqual([all]);
  });

  test("refuses registers which are not there or do not fit", () => {
    const { ask } = talk(d);
    for (const wrong of ["p", "pfff", "pzz", "P0", "P0=12", "P0=xyzw", "Pfff=00000000", "Gxx", "G1"])
      expect(ask(wrong)[0], wrong).toMatch(/^E..$/);
  });

  test("reads and writes memory, by hex and by bytes", () => {
    const { ask } = talk(d);
    const at = number(d.at("kernel_text_end"));
    expect(ask(`M${at},4:01020304`)).toEqual(["OK"]);
    expect(ask(`m${at},4`)).toEqual(["01020304"]);
    expect(ask(`X${at},3:\x7d\x23\x2a`)).toEqual(["OK"]);
    expect(ask(`m${at},4`)).toEqual(["7d232a04"]);
    expect(ask(`X${at},0:`)).toEqual(["OK"]);
  });

  test("refuses memory that is no memory, and numbers that are none", () => {
    const { ask } = talk(d);
    const chip = d.debug.machine.memory.segments().find(({ target, start }) => !target.backing && start < 2 ** 32);
    const unmapped = number(chip?.start ?? 0x7000_0000);
    for (const wrong of [
      `m${unmapped},4`,
      "m",
      "m,",
      "mzz,4",
      "m0",
      "m123456789,4",
      "M0,4:0102",
      "M0,1:zz",
      "M0",
      "X0,4:ab",
    ])
      expect(ask(wrong)[0], wrong).toMatch(/^E..$/);
  });

  test("gives of a huge read what a packet holds", () => {
    const { ask } = talk(d);
    expect((ask(`m${number(d.at("kernel_main"))},ffffffff`)[0] ?? "").length).toBeLessThanOrEqual(16384);
  });

  test("steps, stops at breakpoints of both kinds, and says where it watched", () => {
    const { ask, heard, session } = talk(d);
    expect(ask("?")[0]).toMatch(/^T0[25]/);
    expect(ask("vCont;s:1")).toEqual([]);
    expect(heard()).toEqual(["T05thread:1;"]);
    for (const kind of [0, 1]) {
      expect(ask(`Z${kind},${number(d.at("arch_ticks_per_10ms"))},1`)).toEqual(["OK"]);
      expect(ask("c")).toEqual([]);
      expect(heard()).toEqual(["T05thread:1;"]);
      expect(ask(`z${kind},${number(d.at("arch_ticks_per_10ms"))},1`)).toEqual(["OK"]);
      expect(ask(`p${number(pcNumber)}`)).toEqual([inOrder(d.at("arch_ticks_per_10ms"))]);
      d.debug.reset();
    }
    expect(ask(`Z2,${number(d.at("pci_count"))},4`)).toEqual(["OK"]);
    ask("vCont;c");
    expect(heard()).toEqual([`T05watch:${number(d.at("pci_count"))};thread:1;`]);
    session.close();
    expect(d.debug.stopped).toBe(false);
    d.debug.stop();
  });

  test("is interrupted by Ctrl-C", () => {
    const { ask, session, raw } = talk(d);
    ask("c");
    d.debug.run(1000);
    raw.length = 0;
    session.receive(Uint8Array.of(3));
    expect(String.fromCharCode(...raw)).toContain("T02thread:1;");
    expect(d.debug.stopped).toBe(true);
  });

  test("asks again for a packet that was broken, and sends one again that was not heard", () => {
    const { session, raw } = talk(d);
    session.receive(bytesOf("$?#00"));
    expect(raw).toEqual([0x2d]);
    raw.length = 0;
    session.receive(packet("qC"));
    session.receive(bytesOf("-"));
    expect(String.fromCharCode(...raw)).toBe("+$QC1#c5$QC1#c5");
  });

  test("stops acknowledging when it is told to", () => {
    const { session, raw } = talk(d);
    session.receive(packet("QStartNoAckMode"));
    raw.length = 0;
    session.receive(bytesOf("$qC#00"));
    expect(String.fromCharCode(...raw)).toBe("$QC1#c5");
  });

  test("hands on the lines of monitor, and what they show", () => {
    const { ask, told } = talk(d);
    const replies = ask(`qRcmd,${toHex(bytesOf("info pci"))}`);
    expect(told.lines).toEqual(["info pci"]);
    expect(replies.at(-1)).toBe("OK");
    expect(String.fromCharCode(...(fromHex((replies[0] ?? "").slice(1)) ?? []))).toBe("first\nsecond\n");
    expect(ask("qRcmd,z")[0]).toMatch(/^E/);
  });

  test("answers what it does not know with nothing", () => {
    const { ask } = talk(d);
    for (const unknown of ["vMustReplyEmpty", "qTStatus", "bc", "Z9,0,1", "_", ""]) expect(ask(unknown)).toEqual([""]);
  });

  test("answers what is left of a packet, whatever it is", () => {
    const { session } = talk(d);
    const letters = fc.constantFrom(..."?!HTgGpPmMXcsCSZzvqQR_");
    const rest = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.stringMatching(/^[0-9a-f]{0,9}[,:;=][0-9a-f]{0,9}[,:;=]?[0-9a-f]*$/),
    );
    fc.assert(
      fc.property(letters, rest, (letter, tail) => {
        session.receive(packet(letter + tail));
        session.receive(packet(`Z${tail}`));
      }),
      { numRuns: 300 },
    );
    expect(d.debug.machine.status).toBeUndefined();
  });

  test("resumes and forgets its breakpoints when gdb detaches, and ends when it kills", () => {
    const first = talk(d);
    expect(first.ask("D")).toEqual(["OK"]);
    expect(d.debug.stopped).toBe(false);
    const second = talk(d);
    expect(d.debug.stopped).toBe(true);
    second.ask("k");
    expect(second.told.killed).toBe(1);
  });
});
