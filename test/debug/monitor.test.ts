import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Monitor } from "../../src/debug/monitor/monitor.ts";
import { type Debugged, debugged, machineNames } from "./support.ts";

describe.each(machineNames)("the monitor on %s", (name) => {
  let d: Debugged;
  let monitor: Monitor;
  let quits = 0;
  let busy: string | undefined;
  const ask = (line: string) => monitor.execute(line);

  beforeAll(async () => {
    d = await debugged(name);
    monitor = new Monitor(d.debug, { quit: () => void quits++, busy: () => busy });
    await d.prompt();
    d.go();
  });
  afterAll(() => d[Symbol.asyncDispose]());

  test("helps", () => {
    for (const word of ["info", "xp/NFU", "stop", "cont", "quit"]) expect(ask("help")).toContain(word);
  });

  test("says where it stops, by the symbol, and goes on", () => {
    expect(ask("stop")).toMatch(/^stopped at 0x[0-9a-f]{8} <\w+(\+0x[0-9a-f]+)?>\n$/);
    expect(d.debug.stopped).toBe(true);
    expect(ask("info registers")).toMatch(/, held, \d+ instructions/);
    ask("cont");
    expect(d.debug.stopped).toBe(false);
    expect(ask("cont")).toBe("the machine is running\n");
  });

  test("leaves the machine to gdb while gdb has it", () => {
    busy = "gdb has it";
    expect(ask("stop")).toBe("gdb has it\n");
    expect(d.debug.stopped).toBe(false);
    busy = undefined;
  });

  test("shows the registers by their names", () => {
    const text = ask("info registers");
    expect(text).toMatch(/waits for an interrupt/);
    for (const register of name === "pc" ? ["eip", "eflags", "cr3", "st7"] : ["r31", "lr", "msr", "ivpr"])
      expect(text).toMatch(new RegExp(`\\b${register} +[0-9a-f]{8}`));
  });

  test("shows what is mapped", () => {
    const mapped = ask("info mem");
    const main = d.at("kernel_main");
    const covers = mapped
      .split("\n")
      .map((line) =>
        /^([0-9a-f]+)-([0-9a-f]+) -> ([0-9a-f]+) r/
          .exec(line)
          ?.slice(1)
          .map((digits) => Number.parseInt(digits, 16)),
      )
      .find((range) => range !== undefined && (range[0] as number) <= main && (range[1] as number) >= main);
    expect(covers).toBeDefined();
    const [start, , physical] = covers as [number, number, number];
    expect(physical + main - start).toBe(d.debug.target.physical(main));
    expect(ask("info tlb").split("\n").length).toBeGreaterThanOrEqual(mapped.split("\n").length);
  });

  test("shows the functions on the bus, with BARs and capabilities", () => {
    const text = ask("info pci");
    expect(text).toContain(name === "pc" ? "00:00.0 8086:1237 class 060000" : "1957:");
    expect(text).toMatch(/1af4:1042 class 010000 blk0/);
    expect(text).toMatch(/BAR4 memory64 0x[0-9a-f]+ bytes at [0-9a-f]{8}/);
    expect(text).toContain("MSI-X at 0x40");
  });

  test("shows virtio devices with their rings", () => {
    const text = ask("info virtio");
    expect(text).toMatch(/^blk0: status 0xf acknowledge driver featuresOk driverOk, little-endian$/m);
    expect(text).toMatch(
      /^ {2}queue 0: \d+ entries, descriptors 0x[0-9a-f]+, driver 0x[0-9a-f]+, device 0x[0-9a-f]+; available (\d+), used \1$/m,
    );
  });

  test("shows who answers at which address", () => {
    const text = ask("info mtree");
    expect(text).toMatch(/^memory$/m);
    expect(text).toMatch(/ {2}000000000-[0-9a-f]{9} .*RAM/);
    expect(text).toMatch(/ROM/);
    expect(text.includes("\nports\n")).toBe(name === "pc");
  });

  test("shows interrupt controllers, and the fields of any device", () => {
    expect(ask("info irq")).toMatch(name === "pc" ? /^ioapic$/m : /^mpic$/m);
    const devices = ask("info devices").trim().split("\n");
    expect(devices).toEqual(d.debug.machine.devices.map((device) => device.name));
    for (const device of devices) expect(ask(`info devices ${device}`)).not.toContain("there is no device");
    expect(ask("info devices uart0")).toMatch(/^\w+ +\S+/m);
    expect(ask("info devices nobody")).toBe("there is no device nobody\n");
  });

  test("shows memory by number, symbol and register, in every format", () => {
    const at = d.at("kernel_text_end");
    d.debug.memory.write(at, new Uint8Array([...[0x41, 0x42, 0x43, 0, 0xff, 0xff, 0xff, 0xfe]]));
    const heading = `${at.toString(16).padStart(8, "0")} <kernel_text_end>`;
    const wide = name === "pc" ? "0x00434241" : "0x41424300";
    expect(ask(`x/2x 0x${at.toString(16)}`)).toContain(`${heading}: ${wide} `);
    expect(ask("x/x kernel_text_end")).toBe(`${heading}: ${wide}\n`);
    expect(ask("x kernel_text_end + 4 - 4")).toBe(`${heading}: ${wide}\n`);
    expect(ask("x/3c kernel_text_end")).toBe(`${heading}: 'A' 'B' 'C'\n`);
    expect(ask("x/s kernel_text_end")).toBe(`${at.toString(16).padStart(8, "0")}: "ABC"\n`);
    expect(ask("x/bt kernel_text_end")).toBe(`${heading}: 01000001\n`);
    expect(ask("x/bd kernel_text_end+4")).toMatch(/: -1\n$/);
    expect(ask("x/bu kernel_text_end+4")).toMatch(/: 255\n$/);
    expect(ask("x/bo kernel_text_end")).toMatch(/: 0101\n$/);
    expect(ask("x/g kernel_text_end")).toMatch(name === "pc" ? /0xfeffffff00434241/ : /0x41424300fffffffe/);
    expect(ask(name === "pc" ? "x/w $esp" : "x/w $r1")).toMatch(/: 0x[0-9a-f]{8}\n$/);
    const physical = d.debug.target.physical(at) as number;
    expect(ask(`xp/x 0x${physical.toString(16)}`)).toBe(`${physical.toString(16).padStart(8, "0")}: ${wide}\n`);
  });

  test("does not read chips", () => {
    const chip = d.debug.machine.memory.segments().find(({ target }) => target.backing === undefined);
    expect(ask(`xp 0x${chip?.start.toString(16)}`)).toMatch(/not in RAM or ROM/);
  });

  test("says in a line what it does not understand", () => {
    for (const line of ["fly", "info", "info fish", "x", "x/9q 0", "x nowhere", "x 1+", "x -5", "x $nothing", "x/i 0"])
      expect(ask(line), line).toMatch(/^[^\n]+\n$/);
  });

  test("answers whatever is typed", () => {
    const word = fc.oneof(fc.constantFrom("info", "x/", "xp/", "devices", "$", "toString", "__proto__"), fc.string());
    fc.assert(
      fc.property(fc.array(word, { maxLength: 4 }), (words) => {
        expect(typeof ask(words.join(" "))).toBe("string");
      }),
    );
  });

  test("ends the emulator", () => {
    quits = 0;
    ask("quit");
    expect(quits).toBe(1);
  });
});
