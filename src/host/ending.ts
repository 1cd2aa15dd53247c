import { exitStatus } from "./failure.ts";
import { parent } from "./parent.ts";

/** Why the command ends before the guest does, and with what status. */
export interface Ending {
  readonly status: number;
  /** For the person, where there is something to say. */
  readonly message?: string;
  /** Whether nobody waits for the last of the output any more. */
  readonly hurry?: boolean;
}

const signals = { SIGINT: 2, SIGHUP: 1, SIGTERM: 15 } as const;

/** How often a look is taken at who our parent is, in milliseconds. */
const parentEvery = 500;

/**
 * Watches for what ends the command from outside: signals, the time-out, and a parent that has gone away (an emulator which nobody
 * can see any more must not run on). Gives the function which stops watching.
 */
export function watchOutside(timeout: number | undefined, end: (ending: Ending) => void): () => void {
  const stops: (() => void)[] = [];
  for (const [signal, number] of Object.entries(signals)) {
    const handler = () => end({ status: 128 + number, hurry: true });
    process.on(signal, handler);
    stops.push(() => process.off(signal, handler));
  }
  if (timeout !== undefined) {
    const timer = setTimeout(() => end({ status: exitStatus.timeout }), timeout * 1000);
    stops.push(() => clearTimeout(timer));
  }
  const look = setInterval(() => {
    if (process.ppid !== parent)
      end({ status: exitStatus.failure, message: "the process that started this one is gone", hurry: true });
  }, parentEvery);
  stops.push(() => clearInterval(look));
  return () => {
    for (const stop of stops) stop();
  };
}
