import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PacketReader, packet, packetSize, type Received } from "../../src/debug/gdb/packets.ts";
import { bytesOf } from "./support.ts";

function read(...pieces: readonly (string | Uint8Array)[]): Received[] {
  const reader = new PacketReader();
  return pieces.flatMap((piece) => [...reader.read(typeof piece === "string" ? bytesOf(piece) : piece)]);
}

const contents = fc.uint8Array({ maxLength: 300 }).map((bytes) => String.fromCharCode(...bytes));

describe("packets of the remote protocol", () => {
  test("have the sum of their bytes behind them", () => expect(new TextDecoder().decode(packet("OK"))).toBe("$OK#9a"));

  test("are found with their checksum, in pieces too", () => {
    expect(read("$OK#9a")).toEqual([{ kind: "packet", text: "OK" }]);
    expect(read("+$O", "K#", "9", "a-")).toEqual([{ kind: "ack" }, { kind: "packet", text: "OK" }, { kind: "nak" }]);
  });

  test("say what they said, whatever bytes they are made of", () =>
    fc.assert(
      fc.property(contents, (text) => {
        expect(read(packet(text))).toEqual([{ kind: "packet", text }]);
      }),
    ));

  test("are broken by another checksum, or by none", () => {
    expect(read("$OK#9b")).toEqual([{ kind: "broken" }]);
    expect(read("$OK#zz")).toEqual([{ kind: "broken" }]);
  });

  test("may have any checksum when none is asked for", () => {
    const reader = new PacketReader();
    reader.checked = false;
    expect([...reader.read(bytesOf("$g#00"))]).toEqual([{ kind: "packet", text: "g" }]);
  });

  test("are broken when they are longer than was agreed on, and the next is whole", () => {
    const long = packet("x".repeat(packetSize + 1));
    expect(read(long, packet("g"))).toEqual([{ kind: "broken" }, { kind: "packet", text: "g" }]);
  });

  test("begin anew at a dollar", () => expect(read("$m12$g#67")).toEqual([{ kind: "packet", text: "g" }]));

  test("take Ctrl-C between them alone", () => {
    expect(read("\x03")).toEqual([{ kind: "interrupt" }]);
    expect(read(packet("\x03"))).toEqual([{ kind: "packet", text: "\x03" }]);
  });

  test("come out of any bytes without a throw", () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        for (const received of read(bytes)) expect(received.kind).toMatch(/^(packet|ack|nak|interrupt|broken)$/);
      }),
    ));
});
