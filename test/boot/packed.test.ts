import { describe, expect, it } from "vitest";
import { boot } from "../../src/host/index.ts";

describe.each(["pc", "ppce500"])("the demo kernel on %s with packed rings", (machine) => {
  it("passes its checks, those of packed rings among them", async () => {
    await using vm = await boot({ machine, layout: "modern", ring: "packed", append: "selftest ring=packed" });
    const status = await vm.exit;
    const text = vm.console.text;
    expect(text).not.toMatch(/^not ok/m);
    expect(
      text.match(/^ok \d+ - (packed|ring): .*(in order|notification data|seven|round the end of the ring)\r?$/gm),
    ).toHaveLength(6);
    expect(status).toBe(0);
  }, 120_000);

  it("keeps split ones where it is not asked for others, and where none are offered", async () => {
    for (const [ring, append] of [
      ["packed", "matrix"],
      ["split", "matrix ring=packed"],
    ] as const) {
      await using vm = await boot({ machine, layout: "modern", ring, append });
      await vm.exit;
      expect(vm.console.text).toMatch(/cell blk layout=modern ring=split/);
      expect(vm.console.text.includes("other rings than asked for")).toBe(ring === "split");
    }
  }, 120_000);
});
