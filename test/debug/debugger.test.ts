import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readElf } from "../../src/loader/elf.ts";
import { debugged, kernelPath, machineNames } from "./support.ts";

/** Where each processor starts: SDM vol. 3 section 9.1.4; e500mc core manual section 2.18. */
const resetVector = { pc: 0xffff_fff0, ppce500: 0xffff_fffc } as const;

describe.each(machineNames)("the debugger on %s", (name) => {
  test("stops in front of the instruction at a breakpoint, and the guest's memory is as it was", async () => {
    await using d = await debugged(name);
    d.debug.addBreakpoint("1", d.at("kernel_main"));
    expect(d.go()).toEqual({ kind: "breakpoint", address: d.at("kernel_main") });
    expect(d.debug.target.pc).toBe(d.at("kernel_main"));
    const elf = readElf(readFileSync(kernelPath(name)));
    const segment = elf.segments.find((s) => d.at("kernel_main") - s.virtual < s.bytes.length);
    const offset = d.at("kernel_main") - (segment?.virtual ?? 0);
    expect(d.debug.memory.read(d.at("kernel_main"), 8)).toEqual(
      Uint8Array.from(segment?.bytes.subarray(offset, offset + 8) ?? []),
    );
  });

  test("makes no other run of it by stopping it", async () => {
    await using plain = await debugged(name);
    await using d = await debugged(name);
    d.debug.addBreakpoint("1", d.at("blk_transfer"));
    d.debug.addWatchpoint("2", { address: d.at("virtio_count"), length: 4, on: "access" });
    let stops = 0;
    for (; d.go() !== undefined && stops < 1000; stops++) d.debug.resume();
    expect(stops).toBeGreaterThan(3);
    plain.go();
    expect(d.vm.console.text).toContain("barzero> ");
    expect(d.vm.console.text).toBe(plain.vm.console.text);
    expect(d.debug.machine.cpu.instructions).toBe(plain.debug.machine.cpu.instructions);
    expect(Buffer.compare(d.debug.machine.ram.contents(), plain.debug.machine.ram.contents())).toBe(0);
  });

  test("stops in code that has run for long when the breakpoint is set", async () => {
    await using d = await debugged(name);
    await d.prompt();
    d.debug.addBreakpoint("1", d.at("blk_read"));
    d.vm.console.send("blk read 0\n");
    d.vm.step();
    expect(d.go()).toEqual({ kind: "breakpoint", address: d.at("blk_read") });
    d.debug.remove("1");
    d.debug.resume();
    expect(d.go()).toBeUndefined();
  });

  test("stops behind the instruction which writes what is watched", async () => {
    await using d = await debugged(name);
    const address = d.at("virtio_count");
    d.debug.addBreakpoint("main", d.at("kernel_main"));
    d.go();
    expect(d.word(address)).toBe(0);
    d.debug.addWatchpoint("1", { address, length: 4, on: "write" });
    d.debug.resume();
    expect(d.go()).toMatchObject({ kind: "watchpoint", address });
    expect(d.word(address)).toBe(1);
  });

  test("stops at a read of what is watched, and not at a write", async () => {
    await using d = await debugged(name);
    const address = d.at("virtio_count");
    d.debug.addBreakpoint("main", d.at("kernel_main"));
    d.go();
    d.debug.addWatchpoint("1", { address, length: 4, on: "read" });
    d.debug.resume();
    expect(d.go()).toMatchObject({ kind: "watchpoint", range: { on: "read" } });
    // Counting up reads before it writes.
    expect(d.word(address)).toBe(0);
  });

  test("steps one instruction at a time, past a breakpoint on the first", async () => {
    await using d = await debugged(name);
    d.debug.addBreakpoint("1", d.at("kernel_main"));
    d.go();
    for (let n = 0; n < 50; n++) {
      const before = d.debug.machine.cpu.instructions;
      d.debug.step();
      expect(d.go()).toEqual({ kind: "step" });
      expect(d.debug.machine.cpu.instructions).toBe(before + 1);
    }
  });

  test("takes a step of a waiting processor when it is woken", async () => {
    await using d = await debugged(name);
    await d.prompt();
    d.go();
    expect(d.debug.machine.cpu.halted).toBe(true);
    const before = d.debug.machine.cpu.instructions;
    d.debug.step();
    expect(d.go()).toBeUndefined();
    d.debug.machine.console.receive(Uint8Array.of(0x0d));
    expect(d.go()).toEqual({ kind: "step" });
    expect(d.debug.machine.cpu.instructions).toBe(before + 1);
  });

  test("runs nothing while it is held, and what it shows changes nothing", async () => {
    await using d = await debugged(name);
    await d.prompt();
    d.debug.stop();
    const before = d.debug.machine.state();
    const ram = d.debug.machine.ram.contents().slice();
    expect(d.debug.run(1000)).toEqual({ reason: "idle", wake: Number.POSITIVE_INFINITY, skipped: 0 });
    for (let page = 0; page < 2 ** 32; page += 0x10_0000) d.debug.memory.read(page, 16);
    for (const register of d.debug.target.registers) register.read();
    expect([...d.debug.target.mapped()].length).toBeGreaterThan(0);
    expect(d.debug.machine.state()).toEqual(before);
    expect(Buffer.compare(d.debug.machine.ram.contents(), ram)).toBe(0);
  });

  test("reads RAM where the guest has it, and no chip", async () => {
    await using d = await debugged(name);
    d.debug.addBreakpoint("1", d.at("kernel_main"));
    d.go();
    const chip = d.debug.machine.memory.segments().find(({ target }) => target.backing === undefined);
    expect(chip).toBeDefined();
    expect(d.debug.memory.readPhysical(chip?.start ?? 0, 4)).toHaveLength(0);
    expect(d.debug.memory.write(d.at("kernel_text_end"), Uint8Array.of(1, 2, 3))).toBe(true);
    expect([...d.debug.memory.read(d.at("kernel_text_end"), 3)]).toEqual([1, 2, 3]);
  });

  test("runs code as it was written by the debugger", async () => {
    await using d = await debugged(name);
    d.debug.addBreakpoint("1", d.at("kernel_main"));
    d.go();
    // A jump to itself: EB FE; b . is 0x48000000.
    const loop = name === "pc" ? [0xeb, 0xfe] : [0x48, 0, 0, 0];
    d.debug.memory.write(d.at("kernel_main"), Uint8Array.from(loop));
    for (let n = 0; n < 3; n++) {
      d.debug.step();
      d.go();
      expect(d.debug.target.pc).toBe(d.at("kernel_main"));
    }
  });

  test("resets it to its first instruction", async () => {
    await using d = await debugged(name);
    await d.prompt();
    d.debug.stop();
    d.debug.reset();
    expect(d.debug.stopped).toBe(true);
    expect(d.debug.target.pc).toBe(resetVector[name]);
    d.debug.addBreakpoint("1", d.at("kernel_main"));
    d.debug.resume();
    expect(d.go()).toMatchObject({ kind: "breakpoint" });
  });

  test("tells of the guest's end", async () => {
    await using d = await debugged(name);
    await d.prompt();
    d.vm.console.send("poweroff\n");
    d.vm.step();
    expect(d.go()).toEqual({ kind: "exit", status: 0 });
  });

  test("refuses ranges that cannot be watched", async () => {
    await using d = await debugged(name);
    expect(d.debug.addWatchpoint("1", { address: 0, length: 0, on: "write" })).toBe(false);
    expect(d.debug.addWatchpoint("2", { address: 0, length: 2 ** 24, on: "write" })).toBe(false);
    expect(d.debug.addWatchpoint("3", { address: 0xffff_fffe, length: 4, on: "write" })).toBe(false);
  });
});
