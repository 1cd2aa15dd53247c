import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { MemoryBlock } from "../../src/backend/memory-block.ts";
import { findAcceptance } from "./guests.ts";
import { Linux } from "./linux.ts";

/** What the guest tells of its devices, with what depends on the slot or on when something was numbered left out. */
function devices(text: string) {
  const lines = text.replaceAll("\r", "").split("\n");
  const pick = (pattern: RegExp) =>
    lines.flatMap((line) => [pattern.exec(line) ?? []].filter(({ length }) => length > 0));
  return {
    /** Identity and revision of each function, and how many vectors it has in use. */
    pci: pick(/^@@PCI \S+ (\S+) rev (\S+) irq \d+ msi \[([\d ]*)\]/).map(([, id, revision, vectors = ""]) => [
      id,
      revision,
      vectors.trim() === "" ? 0 : vectors.trim().split(" ").length,
    ]),
    /** Type, driver and features in force. */
    virtio: pick(/^@@VIRTIO virtio\d+ type (\S+) driver (\S+) features (\S+)/).map((found) => found.slice(1)),
    /** Interrupts by controller and name, without those of devices which are not ours. */
    interrupts: interrupts(pick(/^ *\d+: +\d+ +(\S.*)$/).map(([, what = ""]) => what)),
    /** What the processor counts: the names. */
    counters: pick(/^([A-Z]{3}): +\d* *(.*)$/).map(([, name, meaning]) => `${name} ${meaning}`),
  };
}

/** Of a message's number only the vector is its own; the rest says which function it is, and where fsl-msi numbers, when it was set up. */
function interrupts(lines: readonly string[]): string[] {
  const away = new Set(lines.filter((line) => notOurs.test(line)).map((line) => /virtio\d+/.exec(line)?.[0]));
  return lines
    .filter((line) => !notOurs.test(line) && !(line.includes("virtio") && away.has(/virtio\d+/.exec(line)?.[0])))
    .map((line) =>
      line
        .replace(/PCI-MSI (\d+)/, (_, number) => `PCI-MSI ${Number(number) % 2048}`)
        .replace(/(fsl-msi-\d+) +\d+/, "$1")
        .replace(/virtio\d+/, "virtio")
        .replace(/ +/g, " "),
    )
    .toSorted();
}

/** Of these machines, and not of ours: what a keyboard, IDE disks, a user-mode network and a shared folder give. */
const notOurs = /i8042|ata_piix|virtio\d+-(input\.0|output\.0|requests)/;
/** PCI identity and type of the network card and of the folder, which were plugged there and are not here. */
const absent = new Set(["0x1af4:0x1000", "0x1af4:0x1009", "0x0001", "0x0009"]);

const size = 64 * 2 ** 20;
/** A disk whose every sector is another, made of 16 KiB of a digest's chain. */
function disk(): Uint8Array {
  const bytes = new Uint8Array(size);
  let link = createHash("sha256").update("barzero").digest();
  for (let at = 0; at < 16_384; at += link.length) {
    bytes.set(link, at);
    link = createHash("sha256").update(link).digest();
  }
  for (let at = 16_384; at < size; at += 16_384) bytes.copyWithin(at, 0, 16_384);
  for (let at = 0; at < size; at += 512) new DataView(bytes.buffer).setUint32(at, at);
  return bytes;
}

describe.each(["pc", "ppce500"] as const)("Linux on %s, asked what the expected output was asked", (name) => {
  const guest = findAcceptance(name);

  it.skipIf(guest === undefined)("says the same of its devices, their features, vectors and data", async () => {
    if (guest === undefined) return;
    const bytes = disk();
    const sum = createHash("sha256")
      .update(bytes.subarray(48 * 2 ** 20))
      .digest("hex");
    await using linux = Linux.start(guest, {
      plain: true,
      append: `b=info,disk,rng,con ${name === "pc" ? "cryptomgr.notests" : ""}`,
      layout: "transitional",
      drives: [{ backend: new MemoryBlock(bytes, "acceptance") }],
    });
    await linux.says(/@@DONE/);
    expect(await linux.exit).toBe(0);
    const { text } = linux.console;
    const ours = devices(text);
    const theirs = devices(readFileSync(guest.tail, "utf8"));

    const here = ({ pci, virtio }: ReturnType<typeof devices>) => ({
      pci: pci.filter(([id]) => !absent.has(id as string)),
      virtio: virtio.filter(([type]) => !absent.has(type as string)),
    });
    expect(here(ours).pci).toEqual(expect.arrayContaining(here(theirs).pci));
    expect(here(ours).virtio).toEqual(expect.arrayContaining(here(theirs).virtio));
    expect(ours.interrupts).toEqual(theirs.interrupts);
    expect(ours.counters).toEqual(theirs.counters);

    expect(text).toMatch(/^@@DISK vda 131072\r?$/m);
    // What the write test says of itself does not depend on the disk; the sum is of the disk's last 16 MiB.
    expect(text).toMatch(/^@@E seqwr_vda us=\d+ chk=00000080\r?$/m);
    expect(text).toMatch(new RegExp(`^@@DISKSUM vda ${sum}\\r?$`, "m"));
    expect(text).toMatch(/^@@RNG virtio_rng\.0 64\r?$/m);
    expect(text).toMatch(/^crw-rw---- +1 0 +0 +229, +0 .* \/dev\/hvc0\r?$/m);
    expect(text).toMatch(/ \/dev\/vport2p0\r?$/m);
    expect(text).toMatch(/reboot: Power down/);
    expect(linux.stats()["messages-dropped"]).toBe(0);
    expect(linux.reports.filter((line) => line.startsWith("lint"))).toEqual([]);
  });
});
