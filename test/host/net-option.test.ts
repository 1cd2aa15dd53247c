import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseNet } from "../../src/host/net-option.ts";
import { Networks } from "../../src/host/networks.ts";
import { ManualClock } from "../../src/time/clock.ts";
import { run } from "../support/command.ts";

describe("--net", () => {
  it("is none, a loopback or a hub by its name, with an address where one is wanted", () => {
    expect(parseNet("none")).toBeUndefined();
    expect(parseNet("loopback")).toEqual({ kind: "loopback" });
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 0xff);
    expect(parseNet("hub:lan,mac=02:00:00:00:00:FF")).toEqual({ kind: "hub", hub: "lan", mac });
  });

  it.each([
    ["loopbak", /did you mean loopback/],
    ["hub:", /not one of none, loopback, hub:NAME/],
    ["hub:a,mtu=9000", /mtu=9000 is not known; there is mac=/],
    ["loopback,mac=01:00:00:00:00:01", /not the address of a station/],
    ["loopback,mac=2:0:0:0:0:1", /not the address of a station/],
  ])("refuses %s and says what there is", (text, complaint) => {
    expect(() => parseNet(text)).toThrow(complaint);
  });

  it("says of user in one line that it is not there, with status 2", async () => {
    const { status, stderr, stdout } = await run("boot", "pc", "--net", "user");
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^barzero: --net user: .* not there yet; there are loopback and hub:NAME\n$/);
  });
});

describe("the networks of a process", () => {
  it("are one for all who say the same name", () => {
    const one = new Networks(["hub:lan"], undefined, 0);
    const two = new Networks(["hub:lan", "hub:other"], undefined, 0);
    expect([one, two].flatMap(({ cards }) => cards.map(({ backend }) => backend.station))).toEqual([0, 1, 0]);
    one.close();
    two.close();
    const later = new Networks(["hub:lan"], undefined, 0);
    expect(later.cards[0]?.backend.station).toBe(0);
    later.close();
  });

  it("write a capture file as they go, and say of one which cannot be written where it was to be", () => {
    const folder = mkdtempSync(join(tmpdir(), "barzero-pcap-"));
    const file = join(folder, "a.pcap");
    const networks = new Networks(["loopback"], file, 0);
    networks.cards[0]?.backend.attach(new ManualClock());
    networks.cards[0]?.backend.send(new Uint8Array(60));
    networks.close();
    expect(readFileSync(file).length).toBe(24 + 16 + 60);
    rmSync(folder, { recursive: true });
    expect(() => new Networks([], join(folder, "a.pcap"), 0)).toThrow(
      /cannot write the capture file .*no such file.*--pcap/,
    );
  });
});
