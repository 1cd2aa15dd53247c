/** Text as it may stand in a page. */
export function escaped(text: string | number): string {
  return String(text).replace(
    /[&<>"]/g,
    (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] as string,
  );
}

/** Thousands apart by a thin space, as a person reads them; two decimals at most. */
export function figure(value: number): string {
  const rounded = Math.round(value * 100) / 100;
  const [whole = "", rest] = String(rounded).split(".");
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, "\u202f") : whole;
  return rest === undefined ? grouped : `${grouped}.${rest}`;
}

/** A sentence or two about how to see the figures of a section again. Each command is a line of its own. */
export function repeat(commands: readonly string[], words = ""): string {
  const lines = commands.map((command) => `<code>${escaped(command)}</code>`).join("");
  return `<div class="repeat"><span>Repeat</span><div>${lines}${words === "" ? "" : `<p>${words}</p>`}</div></div>`;
}

/** A table which scrolls inside its own box on a narrow screen. Cells are HTML; all but the first `left` columns are figures. A row of one cell is a heading. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], left = 1, caption = ""): string {
  const cell = (tag: "th" | "td") => (text: string, i: number) =>
    `<${tag}${i < left ? "" : ' class="n"'}>${text}</${tag}>`;
  const line = (row: readonly string[]) =>
    row.length === 1
      ? `<tr class="group"><td colspan="${head.length}">${row[0]}</td></tr>`
      : `<tr>${row.map(cell("td")).join("")}</tr>`;
  const body = rows.map(line).join("");
  const title = caption === "" ? "" : `<caption>${caption}</caption>`;
  return `<div class="table"><table>${title}<thead><tr>${head.map(cell("th")).join("")}</tr></thead><tbody>${body}</tbody></table></div>`;
}

export interface Part {
  readonly value: number;
  /** A class of the style: what it stands for. */
  readonly kind: string;
}

export interface BarRow {
  readonly label: string;
  /** Under the label, small. */
  readonly note?: string;
  readonly parts: readonly Part[];
  readonly total: string;
}

/** Bars which share a scale. The text is the page's own, so that it stays readable on a phone; only the bars stretch. */
export function bars(rows: readonly BarRow[], title: string, most?: number): string {
  const sums = rows.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0));
  const scale = most ?? Math.max(...sums, 1);
  const drawn = rows.map(({ label, note, parts, total }) => {
    let at = 0;
    const rects = parts.map(({ value, kind }) => {
      const x = (at / scale) * 1000;
      at += value;
      return `<rect class="${kind}" x="${round(x)}" y="0" width="${round((value / scale) * 1000)}" height="10"/>`;
    });
    const small = note === undefined ? "" : `<small>${note}</small>`;
    return `<div class="bar"><div class="label">${label}${small}</div><svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">${rects.join("")}</svg><div class="total">${total}</div></div>`;
  });
  return `<figure class="bars" role="group" aria-label="${escaped(title)}">${drawn.join("")}</figure>`;
}

export function legend(items: readonly (readonly [kind: string, text: string])[]): string {
  return `<p class="legend">${items.map(([kind, text]) => `<span><i class="${kind}"></i>${text}</span>`).join("")}</p>`;
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
