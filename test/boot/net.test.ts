import { describe, expect, it } from "vitest";
import { boot } from "../../src/host/boot.ts";

/** What the kernel's self-test says of its network card. */
async function checks(machine: string, layout: "legacy" | "overlay" | "modern" | "transitional"): Promise<string[]> {
  await using vm = await boot({
    machine,
    layout,
    ring: "packed",
    net: ["loopback"],
    append: "selftest",
    drives: [],
  });
  expect(await vm.exit).toBe(0);
  return vm.console.text.split(/\r?\n/).filter((line) => / - net: /.test(line));
}

describe.each(["pc", "ppce500"])("the kernel on %s, with a network card at a loopback", (machine) => {
  const wide = /by feature (57|69)/;
  const ordered = /in order, one used/;
  it.each([
    ["legacy", [wide, ordered], 4],
    ["overlay", [ordered], 2],
    ["modern", [], 0],
    ["transitional", [], 0],
  ] as const)(
    "makes each of its checks of it, with the %s layout, but for those of features which that cannot say",
    async (layout, without, count) => {
      const lines = await checks(machine, layout);
      const skipped = lines.filter((line) => line.endsWith("# SKIP not offered"));
      expect(skipped.length).toBe(count);
      for (const line of skipped) expect(without.some((what) => what.test(line))).toBe(true);
      const made = lines.filter((line) => !skipped.includes(line));
      expect(lines.length).toBeGreaterThanOrEqual(11);
      for (const line of made) expect(line).toMatch(/^ok \d+ - net: [^#]*$/);
    },
    60_000,
  );
});

describe("a network card of a machine's description", () => {
  const machine = async (net: object) => {
    const { pc } = await import("../../machines/pc.ts");
    return { ...pc, virtio: [{ kind: "net", ...net }] };
  };

  it("has a cable which leads nowhere when none was given, and its own address and MTU", async () => {
    const card = await machine({ mac: "02:00:00:00:00:2A", mtu: 1280 });
    await using vm = await boot({ machine: card, drives: [] });
    await vm.console.expect("barzero> ");
    vm.console.send("net\nping 10.0.0.1 1\n");
    await vm.console.expect(/02:00:00:00:00:2a, address 10\.0\.0\.43, link down, MTU 1280/);
    await vm.console.expect(/1 sent, 0 answered/);
  }, 60_000);

  it("is joined to the first network that was given", async () => {
    await using vm = await boot({
      machine: await machine({}),
      net: ["loopback"],
      drives: [],
      append: "ip=192.168.7.9",
    });
    await vm.console.expect("barzero> ");
    vm.console.send("ping 192.168.7.9 1\n");
    await vm.console.expect(/1 sent, 1 answered/);
    expect(vm.console.text.match(/1af4:1041/g)?.length).toBe(1);
  }, 60_000);

  it("is refused with the address of a group", async () => {
    await expect(boot({ machine: await machine({ mac: "01:00:5e:00:00:01" }) })).rejects.toThrow(
      /address of a station/,
    );
  });
});
