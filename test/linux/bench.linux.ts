import { describe, expect, it } from "vitest";
import { findAcceptance } from "./guests.ts";
import { Linux } from "./linux.ts";

/** What QEMU 7.2.22's TCG prints for the same images (`-cpu qemu32` and `-cpu e500mc`), which is also what v86 0.5.462 prints on pc. */
const checksums = {
  sort: "114ca570",
  crc32: "db05e3ba",
  matint: "11012c8e",
  sieve: "00321068",
  fib: "00fdeb20",
  list: "fed40000",
  interp: "829be063",
  icall: "dbd1e9ce",
  div64: "e26d3d28",
  state: "da81be84",
  nbody: "ffcfb399",
  mandel: "019ad3ae",
  matf: "00000949",
  memcpy: "00000bb8",
  memset: "00000444",
  repmovs: "00000bb8",
  wordcopy: "0001e74e",
  tlb: "00989680",
  getppid: "000f4240",
  int80: "000493e0",
  devzero: "000186a0",
  forkexec: "0000012c",
  fork: "000003e8",
  pipe: "0000c350",
  pgfault: "0000c800",
  smc: "0044a444",
  // Of these the wait status.
  bb_dd_zero: "00000000",
  bb_gzip: "00000000",
  bb_gunzip: "00000000",
  bb_sha256: "00000000",
  bb_md5: "00000000",
  bb_shloop: "00000000",
  bb_shfork: "00000000",
  bb_awk: "00000000",
  bb_find: "00000000",
} as const;

/** The same floating-point programs compiled for SSE2, and with fused multiply-add. */
const variants = {
  pc: { nbody_sse: "ffcfb399", mandel_sse: "019ad3ae", matf_sse: "00000949" },
  ppce500: { nbody_fma: "ffcfb399", mandel_fma: "019ad3ae", matf_fma: "00000949" },
} as const;

describe.each(["pc", "ppce500"] as const)("the benchmark's programs under Linux on %s", (name) => {
  const guest = findAcceptance(name);

  it.skipIf(guest === undefined || process.env.BARZERO_LINUX !== "all")(
    "compute what they compute in QEMU",
    async () => {
      if (guest === undefined) return;
      const expected: Readonly<Record<string, string>> = { ...checksums, ...variants[name] };
      await using linux = Linux.start(guest, { plain: true, append: "quiet cryptomgr.notests b=int,fp,mem,os,bb" });
      await linux.says(/@@UP/);
      // Each by itself, so that there is time enough for it, on a busy host too.
      for (let i = 0; i < Object.keys(expected).length; i++)
        await linux.console.expect(/@@E .*\r?\n/, { timeout: 600, hostTimeout: 7000 });
      await linux.says(/@@DONE/);
      const found = [...linux.console.text.matchAll(/^@@E (\S+) us=\d+ chk=(\S+)\r?$/gm)];
      expect(Object.fromEntries(found.map(([, test = "", sum]) => [test, sum]))).toEqual(expected);
    },
    7_200_000,
  );
});
