import { describe, expect, it } from "vitest";
import { Hub } from "../../src/backend/hub.ts";
import type { Vm } from "../../src/board/vm.ts";
import { boot } from "../../src/host/boot.ts";
import { find, initrdOf } from "./guests.ts";
import { Linux, quick } from "./linux.ts";

const all = process.env.BARZERO_LINUX === "all";

describe.each(["ppce500", "ppce500-smp"] as const)("Linux on %s", (name) => {
  it.skipIf(find(name) === undefined)("starts again at `reboot`, and turns the machine off at `poweroff`", async () => {
    const guest = find(name);
    if (guest === undefined) return;
    await using linux = await Linux.start(guest).up();
    expect(await linux.sh("nproc")).toBe("1\n");
    linux.console.send("reboot -f\n");
    await linux.up();
    expect(linux.stats().resets).toBe(1);
    linux.console.send("poweroff -f\n");
    expect(await linux.exit).toBe(0);
    expect(linux.console.text).toMatch(/reboot: Power down/);
    expect(linux.reports).toEqual([]);
  });

  it.skipIf(find(name) === undefined)("boots with the kernel entered by ePAPR, without our firmware", async () => {
    const guest = find(name);
    if (guest === undefined) return;
    await using linux = Linux.start(guest, { firmware: new Uint8Array(0) });
    await linux.up();
    expect(linux.console.text).not.toMatch(/barzero firmware/);
  });
});

describe("Linux on pc", () => {
  // Each way to reset of the kernel's `reboot=` which this machine has a chip for.
  it.skipIf(find("pc") === undefined || !all).each(["", "reboot=acpi", "reboot=kbd", "reboot=pci", "reboot=triple"])(
    "resets the machine at `reboot`, %s",
    async (append) => {
      const guest = find("pc");
      if (guest === undefined) return;
      await using linux = await Linux.start(guest, { append: `${quick} ${append}`, stopOnReset: true }).up();
      linux.console.send("reboot -f\n");
      expect(await linux.exit).toBe(0);
    },
  );
});

/** Runs machines a slice each, in turn: at one hub none may run ahead. */
function runUntil(vms: readonly Vm[], said: (text: string, i: number) => boolean): void {
  for (let turn = 0; turn < 1_000_000; turn++) {
    if (vms.every((vm, i) => said(vm.console.text, i))) return;
    for (const vm of vms) if (vm.step().reason === "exit") throw new Error(vm.console.text.slice(-2000));
  }
  throw new Error(vms.map((vm) => vm.console.text.slice(-1000)).join("\n----\n"));
}

describe("machines at a hub", () => {
  it.skipIf(find("ppce500") === undefined).each(["legacy", "modern"] as const)(
    "ping each other: two Linuxes and our own kernel on pc, with the %s layout",
    async (layout) => {
      const guest = find("ppce500");
      if (guest === undefined) return;
      const hub = new Hub(`linux-${layout}`);
      const linuxes = [1, 2].map((n) => {
        const others = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].filter((address) => address !== `10.0.0.${n}`);
        const script = [
          `ifconfig eth0 10.0.0.${n} netmask 255.255.255.0 up`,
          ...others.map((address) => `until ping -c 1 -W 1 ${address} >/dev/null; do :; done`),
          ...others.map((address) => `ping -c 3 ${address}`),
          "cat /proc/net/arp",
          "echo net: done",
        ].join("\n");
        return Linux.start(guest, {
          append: "run=net.sh",
          initrd: initrdOf(guest, { "net.sh": script }),
          layout,
          networks: [{ backend: hub.port() }],
        });
      });
      const ours = await boot({ machine: "pc", append: "ip=10.0.0.3", drives: [], layout, net: [hub.port()] });
      const vms = [...linuxes, ours];
      runUntil(vms, (text, i) => (i < 2 ? /^net: done\r?$/m : /barzero> /).test(text));
      for (const linux of linuxes) {
        const { text } = linux.console;
        expect(text.match(/3 packets transmitted, 3 packets received, 0% packet loss/g)).toHaveLength(2);
        expect(linux.reports).toEqual([]);
      }
      for (const vm of vms) await vm[Symbol.asyncDispose]();
    },
  );
});
