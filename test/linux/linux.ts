import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { pc } from "../../machines/pc.ts";
import { ppce500 } from "../../machines/ppce500.ts";
import type { MachineOptions } from "../../src/board/options.ts";
import type { MachineSpec } from "../../src/board/spec.ts";
import { Vm } from "../../src/board/vm.ts";
import { lintVirtio } from "../../src/debug/lint/lint.ts";
import { readImage } from "../../src/host/images.ts";
import { createMachine } from "../../src/index.ts";
import { Trace } from "../../src/trace/trace.ts";
import { type Guest, initrdOf } from "./guests.ts";

/** What the shell asks with; busybox asks the terminal where its cursor is, too. */
export const prompt = /linux# .{0,4}$/;

export interface LinuxOptions extends Partial<MachineOptions> {
  /** More fields of the machine's description. */
  readonly spec?: Partial<Pick<MachineSpec, "virtio" | "layout" | "irq" | "ring">>;
  /** The initramfs as it is instead of with our init. */
  readonly plain?: boolean;
}

/** Debian's kernel tries its ciphers for half a minute of its time unless it is told not to. */
export const quick = "cryptomgr.notests";

/** A Linux with a shell on its console. What its drivers break and what the machine lacks is written down. */
export class Linux extends Vm {
  /** What `lint` had to say, and what is not implemented. */
  readonly reports: string[];
  #markers = 0;

  static start(guest: Guest, options: LinuxOptions = {}): Linux {
    const { spec: more, plain, append = "", ...rest } = options;
    const spec = { ...(guest.machine === "pc" ? pc : ppce500), ...more } as MachineSpec;
    const reports: string[] = [];
    const trace = new Trace();
    trace.sink = ({ channel, text }) => reports.push(`${channel}: ${text}`);
    const machine = createMachine(spec, {
      firmware: readImage(`firmware/images/${spec.firmware.image}`),
      memory: 256 * 2 ** 20,
      kernel: readFileSync(guest.kernel),
      initrd: plain === true ? readFileSync(guest.initrd) : initrdOf(guest),
      append: `console=ttyS0 ${append}`,
      wall: () => Number(process.hrtime.bigint()),
      trace,
      ...rest,
    });
    lintVirtio(machine.devices, trace.channel("lint"), () => `pc 0x${machine.cpu.pc.toString(16)}`);
    return new Linux(machine, reports);
  }

  constructor(machine: Vm["machine"], reports: string[]) {
    super(machine, {
      now: () => performance.now(),
      pause: (milliseconds) =>
        milliseconds < 1 ? new Promise((resolve) => setImmediate(resolve)) : delay(milliseconds),
    });
    this.reports = reports;
  }

  /** Until the shell is there. */
  async up(): Promise<this> {
    await this.says(/init: up/);
    await this.says(prompt);
    return this;
  }

  /** Waits for words as long as a slow host needs. */
  says(pattern: RegExp): Promise<RegExpExecArray> {
    return this.console.expect(pattern, { timeout: 600, hostTimeout: 1700 });
  }

  /** Has the shell run a line; gives what it printed. */
  async sh(line: string): Promise<string> {
    const number = this.#markers++;
    // The echo of what is typed has the markers in two parts, and may be cut into lines anywhere.
    this.console.send(`echo "be""gin-${number}"; ${line}; echo "en""d-${number}"\n`);
    const [text] = await this.says(new RegExp(`begin-${number}\\r?\\n[^]*?end-${number}\\r?\\n`));
    await this.says(prompt);
    return text
      .replaceAll("\r", "")
      .replace(/^.*\n/, "")
      .replace(/end-\d+\n$/, "");
  }
}
