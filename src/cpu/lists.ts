/** The words of a line. */
export function words(line: string): readonly string[] {
  return line.split(" ");
}

/** What stands in a line between commas. */
export function commas(line: string): readonly string[] {
  return line.split(", ");
}
