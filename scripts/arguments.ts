/** Ends a script with what was wrong with its words, in one line, and status 2. */
export function fail(script: string, message: string): never {
  console.error(`${script}: ${message}`);
  process.exit(2);
}

/** What `parse` gives. Where it throws, the script ends, and says which words there are. */
export function parsed<T>(script: string, words: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    return fail(script, `${(error as Error).message.split(". ")[0]}: there are ${words}`);
  }
}

/** Options as a person writes them. */
export function written(options: object): string {
  return `--${Object.keys(options).join(", --")}`;
}
