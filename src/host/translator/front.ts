import { E500 } from "../../cpu/e500/cpu.ts";
import { X86 } from "../../cpu/x86/cpu.ts";
import type { FrontEnd } from "../../ir/frontend.ts";
import { Trace } from "../../trace/trace.ts";

/** Which front end, and which processor. */
export interface FrontName {
  readonly architecture: "x86" | "e500";
  readonly model: string;
}

function nowhere(): never {
  throw new Error("this processor only decodes: no wire of it leads anywhere");
}

const interrupts = { pending: false, acknowledge: nowhere };

/** A front end which is never run: it decodes, and says what instructions mean. */
export function decodingFront({ architecture, model }: FrontName): FrontEnd {
  if (architecture === "e500") {
    const wires = { timebase: nowhere, setTimer: nowhere, reset: nowhere, report: nowhere };
    return new E500({ wires, interrupts, svr: 0, bootPage: 0 });
  }
  const trace = new Trace();
  return new X86({
    model,
    interrupts,
    wires: {
      readPort: nowhere,
      writePort: nowhere,
      timestamp: nowhere,
      apicBase: nowhere,
      setApicBase: nowhere,
      shutdown: nowhere,
      report: nowhere,
      exceptions: trace.channel("exception"),
      irq: trace.channel("irq"),
    },
  });
}
