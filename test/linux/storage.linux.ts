import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BlockFile } from "../../src/host/block-file.ts";
import { find } from "./guests.ts";
import { Linux, quick } from "./linux.ts";

const path = `${process.env.PATH}:/usr/sbin:/sbin`;
const host = (command: string, ...words: string[]) =>
  spawnSync(command, words, { env: { ...process.env, PATH: path }, maxBuffer: 2 ** 26 });

const tools = ["mkfs.ext4", "e2fsck", "debugfs"].every((tool) => host(tool, "-V").error === undefined);
if (!tools) console.warn("linux: there is no e2fsprogs here: file systems are not tried");

/** An ext4 image in a file of its own. */
function image() {
  const folder = mkdtempSync(join(tmpdir(), "barzero-ext4-"));
  const file = join(folder, "disk.img");
  writeFileSync(file, "");
  truncateSync(file, 24 * 2 ** 20);
  expect(host("mkfs.ext4", "-q", "-F", file).status).toBe(0);
  return {
    file,
    /** What e2fsck says: 0 clean, 1 mended (a journal replayed among it). */
    check: () => host("e2fsck", "-f", "-p", file).status,
    sum: (name: string) =>
      createHash("sha256")
        .update(host("debugfs", "-R", `cat /${name}`, file).stdout)
        .digest("hex"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

describe.each(["ppce500", "pc-pae"] as const)("ext4 on a disk of %s under Linux", (name) => {
  const wanted = name === "ppce500" || process.env.BARZERO_LINUX === "all";
  it.skipIf(!tools || !wanted || find(name) === undefined).each(["legacy", "modern"] as const)(
    "is clean after it was unmounted, and has what was synchronised after the power was cut, with the %s layout",
    async (layout) => {
      const guest = find(name);
      if (guest === undefined) return;
      using kept = image();
      using cut = image();
      const files = [kept, cut].map(({ file }) => new BlockFile(file, false));
      const drives = files.map((backend) => ({ backend }));
      const sums: string[] = [];
      {
        await using linux = Linux.start(guest, { append: quick, layout, drives });
        await linux.up();
        for (const [disk, at] of [
          ["vda", "/mnt/a"],
          ["vdb", "/mnt/b"],
        ] as const) {
          await linux.sh(`mkdir -p ${at}; mount -t ext4 /dev/${disk} ${at}`);
          expect(await linux.sh(`grep -c '^/dev/${disk} ${at} ext4' /proc/mounts`)).toBe("1\n");
          await linux.sh(`dd if=/dev/urandom of=${at}/big bs=64k count=40 conv=fsync 2>/dev/null`);
          await linux.sh(
            `for i in 1 2 3 4 5 6 7 8 9; do mkdir ${at}/$i; cp /init ${at}/$i/file; done; rm -r ${at}/4; dd if=/init of=${at}/9/last conv=fsync 2>/dev/null`,
          );
          sums.push((await linux.sh(`sha256sum < ${at}/big`)).slice(0, 64));
        }
        await linux.sh("umount /mnt/a");
        expect(await linux.sh("dmesg | grep -c 'I/O error'")).toBe("0\n");
        // The other one stays mounted: the machine is gone from one instruction to the next.
      }
      for (const file of files) file.close();
      expect(kept.check()).toBe(0);
      expect([0, 1]).toContain(cut.check());
      expect([kept.sum("big"), cut.sum("big")]).toEqual(sums);
      expect(cut.sum("9/last")).toBe(kept.sum("1/file"));
    },
  );
});
