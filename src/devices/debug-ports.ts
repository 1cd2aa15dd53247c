import { type Device, State } from "../bus/state.ts";
import type { BusTarget } from "../bus/target.ts";
import type { Channel } from "../trace/trace.ts";
import { byteWide } from "./byte-wide.ts";

/** What a guest leaves by: a write of any width ends the run, and its low 8 bits are the status, 0 for success. */
export class ExitRegister implements Device {
  readonly name = "exit";
  readonly state = new State("exit", {});
  readonly registers: BusTarget;

  constructor(wires: { readonly exit: (status: number) => void }) {
    this.registers = {
      read: () => 0,
      write: (_offset, _width, value) => wires.exit(value & 0xff),
    };
  }

  reset(): void {}
}

/** The port to which firmware writes what it has to say. It reads as 0xe9, by which firmware knows that it is there. */
export class DebugConsole implements Device {
  readonly name = "debug-console";
  readonly state = new State("debug-console", {});
  readonly registers: BusTarget;

  constructor(wires: { readonly write: (byte: number) => void }) {
    this.registers = byteWide(
      1,
      () => 0xe9,
      (_, byte) => wires.write(byte),
    );
  }

  reset(): void {}
}

/** Port 0x80: the last power-on self-test code, kept and traced. */
export class PostCode implements Device {
  readonly name = "post-code";
  readonly state = new State("post-code", { code: 0 });
  readonly registers: BusTarget;

  constructor(wires: { readonly trace: Channel }) {
    const s = this.state.now;
    this.registers = byteWide(
      1,
      () => s.code,
      (_, byte) => {
        s.code = byte;
        if (wires.trace.on) wires.trace.log(`post code 0x${byte.toString(16).padStart(2, "0")}`);
      },
    );
  }

  reset(): void {
    this.state.reset();
  }
}
