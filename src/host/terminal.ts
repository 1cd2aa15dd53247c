import type { ReadStream } from "node:tty";

/**
 * Puts a terminal into raw mode, so that every key is the guest's, and back again: at the end, whatever the end is,
 * and after a stop and continue from outside. Gives the function which puts it back.
 */
export function takeTerminal(terminal: ReadStream): () => void {
  const raw = (on: boolean) => {
    try {
      terminal.setRawMode(on);
    } catch {
      // The terminal is gone; there is nothing to put back.
    }
  };
  const restore = () => raw(false);
  const again = () => raw(true);
  raw(true);
  process.on("exit", restore);
  process.on("SIGCONT", again);
  return () => {
    restore();
    process.off("exit", restore);
    process.off("SIGCONT", again);
  };
}
