import type { Debugger, Stop } from "../debugger.ts";
import { targetDescription } from "./description.ts";
import { fromHex, fromTarget, hexNumber, toHex, toTarget } from "./hex.ts";
import { PacketReader, packet, packetSize } from "./packets.ts";

/** What a session needs of its surroundings. */
export interface SessionWires {
  /** Bytes for gdb. */
  write(bytes: Uint8Array): void;
  /** A line of `monitor`; gives what to show. */
  monitor(line: string): string;
  /** gdb killed the machine. */
  kill(): void;
}

const ok = "OK";
/** Error numbers; gdb shows them and looks no further. */
const badPacket = "E16";
const refused = "E0e";
const full = "E1c";

const watchKinds = { 2: "write", 3: "read", 4: "access" } as const;
const watchNames = { write: "watch", read: "rwatch", access: "awatch" } as const;

/**
 * One gdb which is attached: the remote serial protocol over a byte stream. GDB manual, appendix E.
 *
 * The machine is held when a session begins. Nothing that comes in throws; what is not known is answered with the empty packet, as the
 * protocol wants it.
 */
export class GdbSession {
  readonly #debugger: Debugger;
  readonly #wires: SessionWires;
  readonly #reader = new PacketReader();
  readonly #description: string;
  readonly #unlisten: () => void;
  #acknowledges = true;
  #sent: Uint8Array | undefined;
  /** Whether gdb waits for a stop. */
  #waiting = false;
  #closed = false;

  constructor(debug: Debugger, wires: SessionWires) {
    this.#debugger = debug;
    this.#wires = wires;
    this.#description = targetDescription(debug.target);
    this.#unlisten = debug.listen((stop) => this.#stopped(stop));
    debug.stop();
  }

  /** Bytes from gdb. */
  receive(bytes: Uint8Array): void {
    for (const received of this.#reader.read(bytes)) {
      if (this.#closed) return;
      if (received.kind === "interrupt") this.#debugger.stop();
      else if (received.kind === "nak") {
        if (this.#sent !== undefined) this.#wires.write(this.#sent);
      } else if (received.kind === "broken") {
        if (this.#acknowledges) this.#wires.write(Uint8Array.of(0x2d));
      } else if (received.kind === "packet") {
        if (this.#acknowledges) this.#wires.write(Uint8Array.of(0x2b));
        const reply = this.#answer(received.text);
        if (reply !== undefined) this.#send(reply);
      }
    }
  }

  /** gdb is gone: the machine goes on as if it had never been there. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unlisten();
    this.#debugger.removeAll();
    if (this.#debugger.stopped) this.#debugger.resume();
  }

  #send(text: string): void {
    this.#sent = packet(text);
    this.#wires.write(this.#sent);
  }

  #stopped(stop: Stop): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#send(stopReply(stop));
  }

  /** The reply, or undefined when there is none, or none yet. */
  #answer(text: string): string | undefined {
    const rest = text.slice(1);
    switch (text[0]) {
      case "?":
        return stopReply(this.#debugger.last);
      case "!":
      case "H":
      case "T":
        return ok;
      case "g":
        return this.#debugger.target.registers.map((_, n) => this.#register(n)).join("");
      case "G":
        return this.#writeRegisters(rest);
      case "p": {
        const value = this.#register(hexNumber(rest) ?? -1);
        return value ?? badPacket;
      }
      case "P":
        return this.#writeRegister(rest);
      case "m":
        return this.#readMemory(rest);
      case "M":
        return this.#writeMemory(rest, fromHex);
      case "X":
        return this.#writeMemory(rest, (data) => Uint8Array.from(data, (c) => c.charCodeAt(0)));
      case "c":
      case "s":
        return this.#go(text[0], rest);
      case "C":
      case "S":
        // The signal is dropped: there is no program to give it to.
        return this.#go(text[0].toLowerCase(), rest.split(";")[1] ?? "");
      case "Z":
      case "z":
        return this.#point(text[0] === "Z", rest);
      case "D":
        this.#send(ok);
        this.close();
        return undefined;
      case "k":
        this.#kill();
        return undefined;
      case "R":
        this.#debugger.reset();
        return undefined;
      case "v":
        return this.#v(text);
      case "q":
      case "Q":
        return this.#query(text);
      default:
        return "";
    }
  }

  #kill(): void {
    this.close();
    this.#wires.kill();
  }

  #v(text: string): string | undefined {
    if (text === "vCont?") return "vCont;c;C;s;S";
    if (text.startsWith("vKill")) {
      this.#send(ok);
      this.#kill();
      return undefined;
    }
    if (!text.startsWith("vCont;")) return "";
    // One processor, so the first action is the one.
    const action = text.slice(6)[0] ?? "";
    if (!"cCsS".includes(action) || action === "") return badPacket;
    return this.#go(action.toLowerCase(), "");
  }

  #go(action: string, at: string): string | undefined {
    const { machine, target } = this.#debugger;
    if (machine.status !== undefined) return stopReply({ kind: "exit", status: machine.status });
    if (at !== "") {
      const address = hexNumber(at);
      const pc = target.registers.find(({ type }) => type === "code_ptr");
      if (address === undefined || pc?.write?.(BigInt(address)) !== true) return badPacket;
    }
    this.#waiting = true;
    if (action === "s") this.#debugger.step();
    else this.#debugger.resume();
    return undefined;
  }

  #register(number: number): string | undefined {
    const { registers, bigEndian } = this.#debugger.target;
    const register = registers[number];
    return register && toHex(toTarget(register.read(), register.bits, bigEndian));
  }

  /** What cannot be written keeps its value: gdb writes back all that it has read. */
  #writeRegisters(text: string): string {
    const { registers, bigEndian } = this.#debugger.target;
    const bytes = fromHex(text);
    if (bytes === undefined) return badPacket;
    let at = 0;
    for (const register of registers) {
      const end = at + register.bits / 8;
      if (end > bytes.length) break;
      const value = fromTarget(bytes.subarray(at, end), bigEndian);
      if (value !== register.read()) register.write?.(value);
      at = end;
    }
    return ok;
  }

  #writeRegister(text: string): string {
    const { registers, bigEndian } = this.#debugger.target;
    const [number, digits] = text.split("=");
    const register = registers[hexNumber(number) ?? -1];
    const bytes = fromHex(digits ?? "");
    if (register === undefined || bytes === undefined || bytes.length !== register.bits / 8) return badPacket;
    return register.write?.(fromTarget(bytes, bigEndian)) === true ? ok : refused;
  }

  #readMemory(text: string): string {
    const [address, length] = text.split(",").map(hexNumber);
    if (address === undefined || length === undefined) return badPacket;
    const bytes = this.#debugger.memory.read(address, Math.min(length, packetSize / 2));
    return bytes.length === 0 && length > 0 ? refused : toHex(bytes);
  }

  #writeMemory(text: string, decode: (data: string) => Uint8Array | undefined): string {
    const colon = text.indexOf(":");
    const [address, length] = text.slice(0, colon).split(",").map(hexNumber);
    const bytes = decode(text.slice(colon + 1));
    if (colon < 0 || address === undefined || bytes === undefined || bytes.length !== length) return badPacket;
    return this.#debugger.memory.write(address, bytes) ? ok : refused;
  }

  /** Z0 and Z1 are the same to us: no breakpoint is written into memory. */
  #point(insert: boolean, text: string): string {
    const [kind = "", addressText, lengthText] = (text.split(";")[0] ?? "").split(",");
    const address = hexNumber(addressText);
    const length = hexNumber(lengthText);
    if (!/^[0-4]$/.test(kind)) return "";
    if (address === undefined || length === undefined) return badPacket;
    const key = `${kind}:${address}:${length}`;
    if (!insert) {
      this.#debugger.remove(key);
      return ok;
    }
    const on = watchKinds[Number(kind) as keyof typeof watchKinds];
    const set =
      on === undefined
        ? this.#debugger.addBreakpoint(key, address)
        : this.#debugger.addWatchpoint(key, { address, length, on });
    return set ? ok : full;
  }

  #query(text: string): string | undefined {
    const end = text.search(/[:,;]/);
    const name = end < 0 ? text : text.slice(0, end);
    switch (name) {
      case "qSupported":
        return `PacketSize=${packetSize.toString(16)};QStartNoAckMode+;qXfer:features:read+;vContSupported+`;
      case "QStartNoAckMode":
        // This packet is the last to be acknowledged, and that was done.
        this.#acknowledges = false;
        this.#reader.checked = false;
        return ok;
      case "qXfer":
        return this.#transfer(text);
      case "qAttached":
        return "1";
      case "qC":
        return "QC1";
      case "qfThreadInfo":
        return "m1";
      case "qsThreadInfo":
        return "l";
      case "qThreadExtraInfo":
        return toHex(new TextEncoder().encode(this.#debugger.machine.cpu.halted ? "halted" : "running"));
      case "qSymbol":
        return ok;
      case "qRcmd":
        return this.#monitor(text.slice(6));
      default:
        return "";
    }
  }

  #transfer(text: string): string {
    const match = /^qXfer:features:read:target\.xml:([0-9a-f]+),([0-9a-f]+)$/i.exec(text);
    if (match === null) return text.startsWith("qXfer:features:read:") ? "E00" : "";
    const from = hexNumber(match[1]);
    const length = hexNumber(match[2]);
    if (from === undefined || length === undefined) return badPacket;
    const part = this.#description.slice(from, from + Math.min(length, packetSize / 2));
    return `${from + part.length < this.#description.length ? "m" : "l"}${part}`;
  }

  #monitor(digits: string): string {
    const bytes = fromHex(digits);
    if (bytes === undefined) return badPacket;
    const shown = new TextEncoder().encode(this.#wires.monitor(new TextDecoder().decode(bytes)));
    const chunk = packetSize / 2 - 1;
    for (let at = 0; at < shown.length; at += chunk) this.#send(`O${toHex(shown.subarray(at, at + chunk))}`);
    return ok;
  }
}

/** A stop as the protocol says it. GDB manual, appendix E.3. The signals are SIGTRAP and SIGINT. */
function stopReply(stop: Stop): string {
  switch (stop.kind) {
    case "exit":
      return `W${stop.status.toString(16).padStart(2, "0")}`;
    case "asked":
      return "T02thread:1;";
    case "watchpoint":
      return `T05${watchNames[stop.range.on]}:${stop.address.toString(16)};thread:1;`;
    default:
      return "T05thread:1;";
  }
}
