import { Command, CommanderError } from "commander";
import { oneLine, usage } from "./failure.ts";
import { hint } from "./nearest.ts";
import { standardOutput } from "./output.ts";
import type { BootFlags } from "./verbs/boot.ts";
import type { CompareFlags } from "./verbs/compare.ts";
import type { MatrixFlags } from "./verbs/matrix.ts";

/**
 * Reads the command line and does what it says. Gives the exit status.
 *
 * A verb's own code is loaded when the verb is used. @throws Failure for what a person can put right.
 */
export async function runProgram(words: readonly string[], version: string): Promise<number> {
  let status = 0;
  const program = new Command("barzero")
    .description("A machine emulator in which the virtio-pci register layouts can be argued with")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this")
    .enablePositionalOptions();

  program
    .command("boot", { isDefault: true })
    .description("start a machine (this is also what happens when no verb is given)")
    .argument("[machine]", "a name (see `barzero machines`) or a .json file of the same schema", "pc")
    .option("--memory <size>", "RAM, for example 256M")
    .option(
      "--kernel <file>",
      "ELF, multiboot or bzImage; `none` lets the firmware look for a boot disk (default: the demo kernel)",
    )
    .option("--initrd <file>", "initial RAM disk for the kernel")
    .option("--module <file[ text]>", "a module of a multiboot kernel and what it is told of it, once for each", gather)
    .option("--append <text>", "the kernel's command line")
    .option("--firmware <file>", "instead of the machine's own; `none` enters the kernel directly, by ePAPR (ppce500)")
    .option("--drive <file[,readonly][,snapshot]>", "a raw disk image, once for each disk; `none` for no disk", gather)
    .option("--net <kind[,mac=A]>", "a network card, once for each: loopback, hub:NAME or none", gather)
    .option("--pcap <file>", "write every frame of the network cards there, for tshark and its kin")
    .option(
      "--layout <layout>",
      "register layout of virtio devices: legacy, overlay, modern, transitional (legacy and modern), modern-latched or overlay-legacy",
    )
    .option("--irq <mode>", "interrupts of virtio devices: intx, msix or msix-shared")
    .option("--ring <format>", "rings which virtio devices offer: split, or packed too, for the driver to choose")
    .option("--console <where>", "stdio, pty or none", "stdio")
    .option("--expect <regex>", "end with status 0 when the console has said this, 124 when it has not")
    .option("--timeout <seconds>", "end with status 124 after so many seconds of the host's")
    .option("--trace <channels>", "say what happens on these channels, separated by commas; `all` for all")
    .option("--trace-file <file>", "where the trace goes (default: standard error)")
    .option("--seed <n>", "what everything random in the machine comes from")
    .option("--clock <clock>", "virtual or host (default: host with a live terminal, else virtual)")
    .option(
      "--cpu <name>",
      "the processor's model: 486, pentium, pentium-pro, pentium2, pentium3, pentium-m (default), p6-nx, core, core2, max",
    )
    .option(
      "--exec <executor>",
      "jit translates hot code, interp interprets all: the same run either way; lockstep runs both and stops where they differ",
      "jit",
    )
    .option("--instructions <n>", "with --exec lockstep: end after so many instructions")
    .option("--ns-per-instruction <n>", "virtual nanoseconds an instruction takes")
    .option("--gdb <port>", "hold the machine and wait for gdb at this port of 127.0.0.1; 0 for any that is free")
    .option("--lint", "say which rules of virtio the guest's drivers and the devices break, once each")
    .option("--stats", "print instructions and the RAM's hash at the end, on standard error")
    .option("--dump-region <address>", "print at the end what became of the guest's code there: IR and WebAssembly")
    .action(async (machine: string, flags: BootFlags) => {
      const { bootCommand } = await import("./verbs/boot.ts");
      status = await bootCommand(machine, flags);
    });

  program
    .command("machines")
    .description("list the machines there are")
    .action(async () => {
      const { machinesCommand } = await import("./verbs/machines.ts");
      await print(machinesCommand());
    });

  program
    .command("matrix")
    .description(
      "try every machine, register layout, format of ring, interrupt mode and virtio device, and show what each costs",
    )
    .argument("[machines...]", "only these (default: all there are)")
    .option("--tap", "a line of the Test Anything Protocol for each cell")
    .option("--json", "all cells as one JSON object")
    .option("--jobs <n>", "how many machines run at once (default: the cores there are)")
    .option("--shard <part/parts>", "every n-th boot, for example 1/4, so that several hosts may share the work")
    .option(
      "--with <features>",
      "in-order, notification-data or both: what drivers take besides, where a layout has it",
    )
    .action(async (wanted: string[], flags: MatrixFlags) => {
      const { matrixCommand } = await import("./verbs/matrix.ts");
      status = await matrixCommand(wanted, flags);
    });

  program
    .command("compare")
    .description(
      "measure what each register layout costs, on whole machines and in the device models, and lay it beside the claims",
    )
    .argument("[machines...]", "only these (default: all there are)")
    .option("--json", "all that was measured as one JSON object")
    .option("--html <file>", "write a page there: charts, how to repeat each figure, and the claims one by one")
    .option("--jobs <n>", "how many threads measure at once (default: the cores there are)")
    .action(async (wanted: string[], flags: CompareFlags) => {
      const { compareCommand } = await import("./verbs/compare.ts");
      status = await compareCommand(wanted, flags);
    });

  let help = "";
  const keep = (text: string) => {
    help += text;
  };
  for (const command of [program, ...program.commands]) {
    // The errors are said by whoever called us, in our one form.
    command.exitOverride().configureOutput({ writeOut: keep, writeErr: () => {}, outputError: () => {} });
    command.showSuggestionAfterError(false);
  }

  try {
    await program.parseAsync(words, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) {
      await print(help);
      return 0;
    }
    throw usage(complaint(error, program));
  }
  return status;
}

/** All of it, before the process may end. */
function print(text: string): Promise<void> {
  const output = standardOutput();
  output.say(text);
  return output.drained();
}

function gather(word: string, words: readonly string[] | undefined): readonly string[] {
  return [...(words ?? []), word];
}

/** Commander's message in our words: what, and the nearest name. */
function complaint(error: CommanderError, program: Command): string {
  const message = oneLine(error.message.replace(/^error: /, ""));
  if (error.code !== "commander.unknownOption") return `${message}; see \`barzero --help\``;
  const wrong = /'(.*?)'/.exec(message)?.[1] ?? "";
  const options = [program, ...program.commands].flatMap((command) =>
    command.options.map((option) => option.long ?? ""),
  );
  return `unknown option ${wrong}${hint(wrong, options) || "; see `barzero boot --help`"}`;
}
