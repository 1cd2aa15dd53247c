import { isatty } from "node:tty";
import type { Machine } from "../../board/machine.ts";
import type { MachineSpec } from "../../board/spec.ts";
import { Symbols } from "../../debug/symbols.ts";
import type { Background } from "../../engine/region/background.ts";
import { createMachine } from "../../index.ts";
import { type BootOptions, configure } from "../configure.ts";
import { converse } from "../conversation.ts";
import { writeText } from "../stderr.ts";
import { Stopwatch } from "../stopwatch.ts";
import { TraceOut } from "../trace-out.ts";
import { TranslatorThread } from "../translator/thread.ts";
import { parseChoice, parseInteger, parseRegex, parseSeconds } from "../values.ts";

/** The options of `barzero boot`, as they were typed. */
export interface BootFlags {
  readonly irq?: string;
  readonly layout?: string;
  readonly ring?: string;
  readonly memory?: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly module?: readonly string[];
  readonly append?: string;
  readonly firmware?: string;
  readonly drive?: readonly string[];
  readonly net?: readonly string[];
  readonly pcap?: string;
  readonly console: string;
  readonly expect?: string;
  readonly timeout?: string;
  readonly trace?: string;
  readonly traceFile?: string;
  readonly seed?: string;
  readonly clock?: string;
  readonly nsPerInstruction?: string;
  readonly exec?: string;
  readonly instructions?: string;
  readonly cpu?: string;
  readonly gdb?: string;
  readonly lint?: boolean;
  readonly stats?: boolean;
  readonly dumpRegion?: string;
}

const layouts = ["legacy", "overlay", "overlay-legacy", "modern", "modern-latched", "transitional"] as const;

/** `barzero boot`: gives the exit status. */
export async function bootCommand(machineName: string, flags: BootFlags): Promise<number> {
  const kind = parseChoice(flags.console, "--console", ["stdio", "pty", "none"]);
  const live = kind === "pty" || (kind === "stdio" && isatty(0));
  const expected = flags.expect === undefined ? undefined : parseRegex(flags.expect, "--expect");
  const timeout = flags.timeout === undefined ? undefined : parseSeconds(flags.timeout, "--timeout");
  const gdb = flags.gdb === undefined ? undefined : parseInteger(flags.gdb, "--gdb", 0, 65535);
  const dumped =
    flags.dumpRegion === undefined ? undefined : parseInteger(flags.dumpRegion, "--dump-region", 0, 2 ** 32 - 1);
  if (flags.exec === "lockstep") {
    const { lockstepCommand } = await import("./lockstep.ts");
    const { exec: _, ...rest } = flags;
    const limit = parseOptional(flags.instructions, "--instructions");
    return lockstepCommand(bootOptions(machineName, rest, false), limit);
  }
  const options = bootOptions(machineName, flags, live);

  const traceOut = new TraceOut(flags.trace, flags.traceFile);
  const configuration = await configure(options, traceOut.trace);
  try {
    const { kernel, wall } = configuration.options;
    const stopwatch = wall && new Stopwatch(wall);
    const machine = createMachine(configuration.spec, {
      ...configuration.options,
      background: translator(configuration.spec, options),
      wall: stopwatch && (() => stopwatch.now),
    });
    traceOut.check();
    const symbols = new Symbols(kernel);
    traceOut.label = (address) => symbols.label(address);
    if (flags.lint) await lint(machine);
    const times = { begin: performance.now(), ran: 0 };
    const ran = (milliseconds: number) => {
      times.ran += milliseconds;
    };
    const status = await converse(machine, { kind, expected, timeout, traceOut, gdb, symbols, stopwatch, ran });
    traceOut.close();
    if (dumped !== undefined) {
      const { dumpRegion } = await import("../../debug/dump-region.ts");
      writeText(2, dumpRegion(machine, dumped));
    }
    if (flags.stats) {
      const whole = performance.now() - times.begin;
      const { hostFigures, statistics } = await import("../stats.ts");
      writeText(2, statistics(machine));
      writeText(2, hostFigures(machine, whole, times.ran));
    }
    return status;
  } finally {
    configuration.close();
  }
}

/** A thread that translates beside the one that runs the guest. */
function translator(spec: MachineSpec, { exec, cpu }: BootOptions): Background | undefined {
  if (exec === "interp") return undefined;
  return new TranslatorThread({ architecture: spec.cpu.architecture, model: cpu ?? spec.cpu.model });
}

function parseOptional(text: string | undefined, option: string): number | undefined {
  return text === undefined ? undefined : parseInteger(text, option, 1, Number.MAX_SAFE_INTEGER);
}

/** Says, where the trace goes, which rules of virtio the guest's drivers break. */
async function lint(machine: Machine): Promise<void> {
  const { lintVirtio } = await import("../../debug/lint/lint.ts");
  lintVirtio(machine.devices, machine.trace.channel("lint"), () => `pc 0x${machine.cpu.pc.toString(16)}`);
}

function bootOptions(machine: string, flags: BootFlags, live: boolean): BootOptions {
  const integer = (text: string | undefined, option: string, least: number, most: number) =>
    text === undefined ? undefined : parseInteger(text, option, least, most);
  const choice = <T extends string>(text: string | undefined, option: string, choices: readonly T[]) =>
    text === undefined ? undefined : parseChoice(text, option, choices);
  const drives = flags.drive?.filter((drive) => drive !== "none");
  return {
    machine,
    memory: flags.memory,
    kernel: flags.kernel === "none" ? false : flags.kernel,
    initrd: flags.initrd,
    modules: flags.module,
    append: flags.append,
    firmware: flags.firmware === "none" ? false : flags.firmware,
    drives,
    net: flags.net,
    pcap: flags.pcap,
    layout: choice(flags.layout, "--layout", layouts),
    irq: choice(flags.irq, "--irq", ["intx", "msix", "msix-shared"]),
    ring: choice(flags.ring, "--ring", ["split", "packed"]),
    seed: integer(flags.seed, "--seed", 0, 2 ** 32 - 1),
    clock: choice(flags.clock, "--clock", ["virtual", "host"]) ?? (live ? "host" : "virtual"),
    cpu: flags.cpu,
    exec: choice(flags.exec, "--exec", ["jit", "interp", "lockstep"]) as "jit" | "interp" | undefined,
    nsPerInstruction: integer(flags.nsPerInstruction, "--ns-per-instruction", 1, 1_000_000),
  };
}
