/** Tests by group, in the order of the tables: those of our program, and those which a Linux guest with the same tests adds. */
export const groups: Readonly<Record<string, readonly string[]>> = {
  boot: ["boot"],
  integer: ["sort", "crc32", "matint", "sieve", "fib", "list", "interp", "icall", "div64", "state"],
  float: ["nbody", "mandel", "matf"],
  vector: ["nbody_sse", "mandel_sse", "matf_sse", "nbody_fma", "mandel_fma", "matf_fma"],
  memory: ["memcpy", "memset", "repmovs", "wordcopy", "tlb"],
  system: [
    ...["getppid", "int80", "devzero", "forkexec", "fork", "pipe"],
    ...["syscall", "sysenter", "contexts", "pgfault", "smc"],
  ],
  busybox: [
    ...["bb_dd_zero", "bb_gzip", "bb_gunzip", "bb_sha256", "bb_md5"],
    ...["bb_shloop", "bb_shfork", "bb_awk", "bb_find"],
  ],
};

/** What the guests call them on their command line, in `b=`. */
const words = {
  bench: { boot: "", integer: "int", float: "fp", vector: "vec", memory: "mem", system: "os", busybox: "" },
  linux: { boot: "", integer: "int", float: "fp", vector: "fp", memory: "mem", system: "os", busybox: "bb" },
} as const;

export type GuestKind = keyof typeof words;

/**
 * The value of `b=` for these groups, `none` where there is nothing but the boot to time.
 * @throws Error for a group that is not there
 */
export function guestList(guest: GuestKind, wanted: readonly string[]): string {
  const table: Readonly<Record<string, string>> = words[guest];
  for (const name of wanted)
    if (table[name] === undefined) throw new Error(`no group ${name}: there are ${Object.keys(groups).join(", ")}`);
  return [...new Set(wanted.map((name) => table[name]).filter((word) => word))].join(",") || "none";
}
