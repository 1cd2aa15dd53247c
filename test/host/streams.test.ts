import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Input, isAllThere } from "../../src/host/input.ts";
import { Output } from "../../src/host/output.ts";

/** A UART with room for so many bytes. */
function keyboard(room: number) {
  const taken: number[] = [];
  return {
    taken,
    room,
    receive(bytes: Uint8Array): number {
      const count = Math.min(bytes.length, this.room);
      taken.push(...bytes.subarray(0, count));
      this.room -= count;
      return count;
    },
  };
}

describe("input", () => {
  test("keeps what the guest has no room for, in order, and ends with one Ctrl-D", async () => {
    const stream = new PassThrough();
    const input = Input.fromStream(stream);
    stream.end("abcdef");
    await turn();
    await turn();
    const guest = keyboard(4);
    expect(input.feed(guest)).toBe(true);
    expect(input.feed(guest)).toBe(false);
    expect(input.ended).toBe(false);
    guest.room = 100;
    input.feed(guest);
    expect(String.fromCharCode(...guest.taken)).toBe("abcdef\x04");
    expect(input.ended).toBe(true);
  });

  test("holds back a sender while the guest takes nothing", async () => {
    const stream = new PassThrough();
    const input = Input.fromStream(stream);
    let sent = 0;
    const chunk = new Uint8Array(16_384);
    for (let turns = 0; turns < 50; turns++) {
      if (stream.write(chunk)) sent += chunk.length;
      await turn();
    }
    expect(stream.isPaused()).toBe(true);
    expect(sent).toBeLessThan(50 * chunk.length);
    const guest = keyboard(1e7);
    for (let turns = 0; turns < 50; turns++) {
      input.feed(guest);
      await turn();
    }
    expect(guest.taken).toHaveLength(50 * chunk.length);
    expect(stream.isPaused()).toBe(false);
  });

  test("from a file is taken as far as there is room, and then ends", () => {
    const folder = mkdtempSync(join(tmpdir(), "input-"));
    writeFileSync(join(folder, "typed"), "help\n");
    const descriptor = openSync(join(folder, "typed"), "r");
    expect(isAllThere(descriptor, false)).toBe(true);
    const input = Input.fromFile(descriptor);
    const guest = keyboard(3);
    input.feed(guest);
    expect(input.ended).toBe(false);
    guest.room = 10;
    input.feed(guest);
    input.feed(guest);
    expect(String.fromCharCode(...guest.taken)).toBe("help\n\x04");
    expect(input.ended).toBe(true);
    closeSync(descriptor);
    rmSync(folder, { recursive: true });
  });

  test("that nobody gives has ended and sends nothing", () => {
    const guest = keyboard(10);
    const input = Input.none();
    input.feed(guest);
    expect(guest.taken).toEqual([]);
    expect(input.ended).toBe(true);
  });
});

describe("output", () => {
  test("is one write a flush, and all of it", () => {
    const written: string[] = [];
    const output = new Output(
      new Writable({
        write(chunk, _encoding, done) {
          written.push(String(chunk));
          done();
        },
      }),
    );
    for (const byte of Buffer.from("hello")) output.add(byte);
    output.flush();
    output.flush();
    expect(written).toEqual(["hello"]);
  });

  test("is full while its reader does not read, and drained when it has", async () => {
    const pipe = new PassThrough({ highWaterMark: 1000 });
    const output = new Output(pipe);
    for (let i = 0; i < 100_000; i++) output.add(0x78);
    output.flush();
    expect(output.full).toBe(true);
    const drained = output.drained();
    pipe.resume();
    await drained;
    expect(output.full).toBe(false);
  });

  test("of a command waits for a reader that does not keep up, however long, and ends the process without one", async () => {
    const module = new URL("../../src/host/output.ts", import.meta.url).href;
    const program = `const { standardOutput } = await import(${JSON.stringify(module)});
      const output = standardOutput();
      for (let k = 0; k < 100000; k++) output.say("line " + k + "\\n");
      await output.drained();
      process.exit(7);`;
    const command = () =>
      spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = (child: ReturnType<typeof command>) => new Promise((resolve) => child.once("close", resolve));

    const waiting = command();
    const status = ended(waiting);
    await delay(3000);
    let text = "";
    for await (const chunk of waiting.stdout.setEncoding("utf8")) text += chunk;
    expect(text.split("\n")).toHaveLength(100_001);
    expect(await status).toBe(7);

    const alone = command();
    alone.stdout.destroy();
    expect(await ended(alone)).toBe(1);
  });

  test("tells once that its reader is gone, and takes more without harm", async () => {
    let told = 0;
    const pipe = new PassThrough();
    const output = new Output(pipe);
    output.onClosed = () => told++;
    pipe.destroy(new Error("EPIPE"));
    await turn();
    output.add(0x78);
    output.flush();
    await output.drained();
    expect(told).toBe(1);
    expect(output.full).toBe(false);
  });
});
