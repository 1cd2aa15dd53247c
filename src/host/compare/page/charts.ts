import { escaped, figure, round } from "./html.ts";

export interface Series {
  readonly name: string;
  /** A class of the style, `l-overlay` for one. */
  readonly kind: string;
  readonly points: readonly { readonly x: number; readonly y: number; readonly label?: string }[];
  /** Whether figures stand below the line, where another one is above it. */
  readonly under?: boolean;
}

export interface Axes {
  readonly title: string;
  readonly x: readonly { readonly at: number; readonly label: string }[];
  readonly y: readonly { readonly at: number; readonly label: string }[];
}

/** Room for the picture and its text, drawn for a phone's width: a wide screen shows it larger. */
const size = { width: 360, height: 220, left: 30, right: 58, top: 26, bottom: 30 } as const;

/** Lines over common axes. Values are mapped as they are: whoever wants logarithms gives logarithms. */
export function lines(series: readonly Series[], axes: Axes, caption: string): string {
  const xs = axes.x.map(({ at }) => at);
  const ys = axes.y.map(({ at }) => at);
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const px = (x: number) => round(size.left + ((x - x0) / (x1 - x0)) * (size.width - size.left - size.right));
  const py = (y: number) =>
    round(size.height - size.bottom - ((y - y0) / (y1 - y0)) * (size.height - size.top - size.bottom));
  const grid = axes.y.map(
    ({ at, label }) =>
      `<path class="grid" d="M${size.left} ${py(at)}H${size.width - size.right}"/><text x="${size.left - 5}" y="${py(at) + 3}" text-anchor="end">${escaped(label)}</text>`,
  );
  const ticks = axes.x.map(({ at, label }, i) => {
    const anchor = i === 0 ? "start" : "middle";
    return label
      .split("\n")
      .map(
        (line, k) =>
          `<text x="${px(at)}" y="${size.height - size.bottom + 13 + 10 * k}" text-anchor="${anchor}">${escaped(line)}</text>`,
      )
      .join("");
  });
  const drawn = series.map(({ name, kind, points, under }) => {
    const path = points.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${px(x)} ${py(y)}`).join("");
    const side = under === true ? 13 : -6;
    const marks = points.slice(0, -1).flatMap(({ x, y, label }, i) => {
      const anchor = i === 0 && x === x0 ? "start" : "middle";
      if (label === undefined) return [];
      return [
        `<text class="k" x="${px(x)}" y="${round(py(y) + side)}" text-anchor="${anchor}">${escaped(label)}</text>`,
      ];
    });
    // The last one's label and the line's name stand to its right, where no line is.
    const last = points.at(-1);
    const at =
      last === undefined
        ? ""
        : `<text class="k" x="${px(last.x) + 6}" y="${round(py(last.y) + 3)}">${escaped(last.label ?? "")}</text><text x="${px(last.x) + 6}" y="${round(py(last.y) + 13)}">${escaped(name)}</text>`;
    return `<path class="${kind}" d="${path}"/>${marks.join("")}${at}`;
  });
  return `<figure class="chart"><svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escaped(axes.title)}">${grid.join("")}${ticks.join("")}${drawn.join("")}</svg><figcaption>${caption}</figcaption></figure>`;
}

/** What a byte of a BAR is, as far as the picture tells. */
function roleOf(register: string): string {
  if (register === "nothing" || register === "all ones") return "none";
  if (register.startsWith("config ")) return "config";
  if (/feature_select$|pfn_hi$/.test(register)) return "new";
  if (/queue_num|queue_align/.test(register)) return "choice";
  return /vector/.test(register) ? "msix" : "fixed";
}

/** The bytes of a BAR in one state, a run a colour; the full list is the picture's title. */
export function strip(label: string, note: string, bytes: readonly string[]): string {
  const runs: { role: string; register: string; from: number; length: number }[] = [];
  for (const [at, register] of bytes.entries()) {
    const last = runs.at(-1);
    const role = roleOf(register);
    const joined = role === "config" || role === "none" ? last?.role === role : last?.register === register;
    if (last !== undefined && joined) last.length++;
    else runs.push({ role, register, from: at, length: 1 });
  }
  const rects = runs.map(
    ({ role, register, from, length }) =>
      `<rect class="${role}" x="${from}" y="0" width="${length}" height="1"><title>${from}: ${escaped(role === "config" ? "configuration" : register)}</title></rect>`,
  );
  return `<div class="row"><div>${label}<small>${note}</small></div><svg viewBox="0 0 ${bytes.length} 1" preserveAspectRatio="none" role="img" aria-label="${escaped(`${label}: ${runs.map(({ register }) => register).join(", ")}`)}">${rects.join("")}</svg></div>`;
}

/** Offsets under a strip of so many bytes. */
export function stripAxis(length: number, offsets: readonly number[]): string {
  const marks = offsets.map((at) => `<b style="left:${round((100 * at) / length)}%">${figure(at)}</b>`).join("");
  return `<div class="row"><div class="empty"></div><div class="axis">${marks}</div></div>`;
}
