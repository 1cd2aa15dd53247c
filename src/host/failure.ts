/** Exit statuses of the command, beside those a guest gives itself. */
export const exitStatus = { ok: 0, failure: 1, usage: 2, timeout: 124, interrupted: 130 } as const;

/**
 * Something that a person can put right. The message is one line: what is wrong, where, and what to do.
 * The command prints it without a stack and ends with `status`.
 */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly status: number;

  constructor(message: string, status: number = exitStatus.failure) {
    super(message);
    this.status = status;
  }
}

/** A command line, a machine file or an option which does not make sense. */
export function usage(message: string): Failure {
  return new Failure(message, exitStatus.usage);
}

/** What a system call's error means, in words for the end of a sentence. */
export function reason(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  switch (code) {
    case "ENOENT":
      return "there is no such file";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "EISDIR":
      return "it is a directory";
    case "EROFS":
      return "the file system is read-only";
    case "ENOSPC":
      return "no space left on the device";
    default:
      return error instanceof Error ? oneLine(error.message) : String(error);
  }
}

/** The text on one line, whatever it was. */
export function oneLine(text: string): string {
  return text.trim().replace(/\s*[\r\n]+\s*/g, " ");
}
