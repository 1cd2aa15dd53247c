import { describe, expect, test } from "vitest";
import { pc } from "../../machines/pc.ts";
import { readImage } from "../../src/host/images.ts";
import { boot } from "../../src/host/index.ts";

/*
 * guest/tests/x86: what user mode cannot reach. The same image passes on bochs 2.7 (core_duo_t2400_yonah), and on QEMU's TCG but for
 * what it marks.
 */
async function results(model: string, exec: "jit" | "interp") {
  const kernel = readImage("guest/images/tests-pc.elf");
  await using vm = await boot({ machine: { ...pc, cpu: { ...pc.cpu, model } }, kernel, exec });
  const status = await vm.exit;
  const lines = vm.console.text.split(/\r?\n/);
  return {
    status,
    failed: lines.filter((line) => line.startsWith("not ok")),
    passed: lines.filter((line) => line.startsWith("ok ")).length,
    plan: lines.find((line) => line.startsWith("1..")),
  };
}

describe("the x86's system half, in the guest", () => {
  test.each([
    ["p6-nx", "jit", 365],
    ["p6-nx", "interp", 365],
    ["pentium-pro", "jit", 356],
    ["pentium", "jit", 335],
    ["486", "jit", 318],
  ] as const)("%s does what the manual says, by %s", async (model, exec, least) => {
    const { status, failed, passed, plan } = await results(model, exec);
    expect(failed).toEqual([]);
    expect(status).toBe(0);
    expect(passed).toBeGreaterThanOrEqual(least);
    expect(plan).toBe(`1..${passed}`);
  });
});
