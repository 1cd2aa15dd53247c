import { spawn, spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { start } from "../support/command.ts";
import { find } from "./guests.ts";

const gdb = ["gdb-multiarch", "gdb"].find((name) => {
  const asked = spawnSync(name, ["-nx", "-batch", "-ex", "set architecture powerpc:common"], { encoding: "utf8" });
  return asked.status === 0 && !asked.stderr.includes("Undefined item");
});

describe("a real gdb on Linux on ppce500", () => {
  // Its kernel is an ELF file with symbols; Debian's of pc has none.
  it.skipIf(gdb === undefined || find("ppce500") === undefined)(
    "stops at the kernel's symbols with and without its MMU's mappings, watches its clock and lets it go",
    async () => {
      const guest = find("ppce500");
      if (guest === undefined || gdb === undefined) return;
      const images = ["--memory", "256M", "--kernel", guest.kernel, "--initrd", guest.initrd];
      const command = start(["boot", "ppce500", ...images, "--append", "console=ttyS0 b=none", "--gdb", "0"], "null");
      const port = (await command.complained(/target remote 127\.0\.0\.1:(\d+)/))[1] as string;
      const commands = [
        "set pagination off",
        "set confirm off",
        `file ${guest.kernel}`,
        `target remote :${port}`,
        "hbreak start_kernel",
        "continue",
        "delete",
        "break kernel_init",
        "continue",
        "backtrace 2",
        "delete",
        "watch *(int*)&jiffies",
        "continue",
        "delete",
        "monitor info tlb",
        "continue",
      ];
      const child = spawn(gdb, ["-nx", "-batch", ...commands.flatMap((line) => ["-ex", line])]);
      let text = "";
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (part) => {
          text += part;
        });
      await new Promise((resolve) => child.on("close", resolve));
      const ran = await command.ended;
      expect(text).toMatch(/Breakpoint 1, 0xc[0-9a-f]{7} in start_kernel/);
      expect(text).toMatch(/Breakpoint 2, [\s\S]*#1 +0xc[0-9a-f]{7} in ret_from_kernel_thread/);
      // The kernel's clock begins at 5 minutes before it wraps, at 100 Hz (CONFIG_HZ).
      expect(text).toMatch(
        /Hardware watchpoint 3: [\s\S]*Old value = -30000\s+New value = -29999\s[\s\S]* in do_timer/,
      );
      expect(text).toMatch(/c0000000-[0-9a-f]+ -> 0+ rwx/);
      expect(text).toContain("exited normally");
      expect([ran.status, /Run \/init/.test(ran.stdout)]).toEqual([0, true]);
    },
  );
});
