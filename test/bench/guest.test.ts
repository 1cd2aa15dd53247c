import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { pc } from "../../machines/pc.ts";
import { ppce500 } from "../../machines/ppce500.ts";
import { boot } from "../../src/host/index.ts";

const images = new URL("../../bench/images/", import.meta.url);

/** What QEMU's TCG prints for `divide=1000`, on -M pc -cpu qemu32 and -M ppce500 -cpu e500mc alike. */
const checksums: Readonly<Record<string, string>> = {
  sort: "8a90c6dd",
  crc32: "c574954f",
  matint: "0023d5a0",
  sieve: "00014069",
  div64: "f0518ecf",
  fib: "000cb228",
  list: "7fff8000",
  interp: "f81f2b2d",
  icall: "dbd1e9ce",
  state: "b3cadc90",
  nbody: "004b847b",
  mandel: "0002bd25",
  matf: "00000019",
  memcpy: "00000003",
  memset: "00000003",
  repmovs: "00000003",
  wordcopy: "00000000",
  tlb: "00002710",
  syscall: "000003e8",
  sysenter: "000003e8",
  pgfault: "00000100",
  contexts: "000027d8",
  smc: "000001b3",
};

const machines = {
  pc: { ...pc, cpu: { ...pc.cpu, model: "p6-nx" } },
  ppce500,
};

async function marks(machine: "pc" | "ppce500", exec: "jit" | "interp", groups: string) {
  const kernel = readFileSync(new URL(`bench-${machine}.elf`, images));
  await using vm = await boot({ machine: machines[machine], kernel, exec, append: `b=${groups} divide=1000` });
  expect(await vm.exit).toBe(0);
  expect(vm.console.text).toMatch(/^@@UP \d+\r?$/m);
  expect(vm.console.text).toMatch(/^@@DONE\r?$/m);
  return [...vm.console.text.matchAll(/^@@B (\S+)\r?\n@@E (\S+) us=\d+ chk=(\S+)\r?$/gm)].map(
    ([, begun, ended, checksum]) => ({ begun, ended, checksum }),
  );
}

/** The tests of both builds have the same sums. */
const plain = (name = "") => name.replace(/_(sse|fma)$/, "");

describe("the benchmark program", () => {
  test.each([
    ["pc", "jit", "int,fp,vec,mem,os", 26],
    ["pc", "interp", "int,fp,vec,mem,os", 26],
    ["ppce500", "jit", "int,fp,vec,mem,os", 25],
    ["ppce500", "interp", "int,fp,vec,mem,os", 25],
  ] as const)("on %s by %s has QEMU's checksums in %s", async (machine, exec, groups, count) => {
    const seen = await marks(machine, exec, groups);
    expect(seen).toHaveLength(count);
    expect(seen).toEqual(
      seen.map(({ begun }) => ({ begun, ended: begun, checksum: checksums[plain(begun)] ?? "unknown" })),
    );
  });

  test.each(["bench-pc.elf", "bench-ppce500.elf"])("%s agrees with its sum and names no place of its maker", (name) => {
    const image = readFileSync(new URL(name, images));
    const sums = readFileSync(new URL("SHA256SUMS", images), "utf8").split("\n");
    expect(sums).toContain(`${createHash("sha256").update(image).digest("hex")}  ${name}`);
    expect(image.toString("latin1")).not.toMatch(/\/(home|root|tmp|usr|work)\//);
  });
});
