import { describe, expect, it } from "vitest";
import type { NetworkBackend } from "../../src/backend/network.ts";
import { boot, type HostVm } from "../../src/host/boot.ts";

/** A pc and a ppce500 at one hub, each at its prompt with the other's address known to it. */
async function two(layout: "legacy" | "modern"): Promise<readonly [HostVm, HostVm]> {
  const machine = { net: [`hub:${layout}`], drives: [], layout };
  const pc = await boot({ ...machine, machine: "pc", append: "ip=10.0.0.1" });
  const ppce500 = await boot({ ...machine, machine: "ppce500", append: "ip=10.0.0.2" });
  return [pc, ppce500];
}

/** Runs machines a slice each, in turn, until all have said it. None may stop before, since each holds up the others. */
function runUntil(vms: readonly HostVm[], said: RegExp): void {
  for (let turn = 0; turn < 100_000; turn++) {
    if (vms.every((vm) => said.test(vm.console.text))) return;
    for (const vm of vms) vm.step();
  }
  throw new Error(vms.map((vm) => vm.console.text.slice(-500)).join("\n----\n"));
}

/** Each pings the other, at once. The host runs them in the order given. */
function pingEachOther([pc, ppce500]: readonly [HostVm, HostVm], order: readonly HostVm[]): void {
  runUntil(order, /barzero> /);
  pc.console.send("ping 10.0.0.2 3\n");
  ppce500.console.send("ping 10.0.0.1 3\n");
  runUntil(order, /\d sent, \d answered/);
}

describe("two machines at a hub, one of each architecture", () => {
  it.each(["modern", "legacy"] as const)(
    "ping each other, with the %s layout",
    async (layout) => {
      const vms = await two(layout);
      pingEachOther(vms, vms);
      for (const vm of vms) {
        expect(vm.console.text).toMatch(/56 bytes from 10\.0\.0\.[12]: sequence 3, \d+ us/);
        expect(vm.console.text).toMatch(/3 sent, 3 answered/);
        vm.console.send("net\npoweroff\n");
      }
      // The first which is gone is not waited for by the other.
      expect(await Promise.all(vms.map((vm) => vm.exit))).toEqual([0, 0]);
      expect(vms[0].console.text).toMatch(/10\.0\.0\.2 is at 02:ba:20:00:00:01/);
      expect(vms[1].console.text).toMatch(/10\.0\.0\.1 is at 02:ba:20:00:00:00/);
      for (const vm of vms) await vm[Symbol.asyncDispose]();
    },
    60_000,
  );

  it("have the same conversation whichever the host runs first", async () => {
    const times: (readonly string[])[][] = [];
    for (const turned of [false, true]) {
      const vms = await two("modern");
      // What is typed comes at a time of the guest's own, or it would be another run.
      for (const [i, { machine }] of vms.entries()) {
        const words = new TextEncoder().encode(`ping 10.0.0.${2 - i} 3\n`);
        machine.clock.alarm("typist", () => machine.console.receive(words)).set(200e6);
      }
      runUntil(turned ? vms.toReversed() : vms, /\d sent, \d answered/);
      times.push(vms.map((vm) => vm.console.text.match(/sequence \d, \d+ us/g) ?? []));
      for (const vm of vms) await vm[Symbol.asyncDispose]();
    }
    expect(times[0]?.map((lines) => lines.length)).toEqual([3, 3]);
    expect(times[1]).toEqual(times[0]);
  }, 60_000);
});

describe("a network card", () => {
  it("may have a back end of one's own", async () => {
    const sent: number[] = [];
    const own: NetworkBackend = {
      station: 4,
      linkUp: true,
      room: Number.POSITIVE_INFINITY,
      send: (frame) => sent.push(frame.length),
      first: undefined,
      take() {},
      onRoom: undefined,
      onFrame: undefined,
      onLink: undefined,
      attach() {},
      flush() {},
      restored() {},
      close() {},
    };
    await using vm = await boot({ net: [own], drives: [] });
    await vm.console.expect("barzero> ");
    vm.console.send("ping 10.0.0.77 1\n");
    await vm.console.expect(/1 sent, 0 answered/);
    expect(sent).toEqual([60]);
  }, 60_000);
});
