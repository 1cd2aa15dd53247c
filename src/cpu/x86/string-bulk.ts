import { Status } from "../../ir/node.ts";
import type { Core } from "./core.ts";
import * as s from "./slots.ts";

/**
 * Steps of REP MOVS or REP STOS, upwards through flat segments: as many as lie on a page and as there are instructions left for, since each counts as one.
 * Where the first has to be made by itself (a chip, code, a fault) it is that one. SDM vol. 2, REP.
 */
export function inBulk(core: Core, width: 1 | 2 | 4, moves: boolean): number {
  const { words } = core;
  const { memory } = core.engine;
  const budget = s.engine.budget.index;
  const count = core.get(s.ecx) >>> 0;
  const to = core.get(s.edi);
  const from = core.get(s.esi);
  // This step is counted already.
  const most = Math.min(count, (words[budget] as number) + 1) * width;
  let done = moves ? memory.copy(to, from, most, width) : memory.fill(to, most, width, core.get(s.eax));
  if (done === 0) {
    const mask = width === 4 ? -1 : width === 2 ? 0xffff : 0xff;
    const value = moves ? memory.read(from >>> 0, width) : core.get(s.eax) & mask;
    memory.write(to >>> 0, width, value);
    done = width;
  } else words[budget] = (words[budget] as number) - (done / width - 1);
  core.set(s.edi, (to + done) | 0);
  if (moves) core.set(s.esi, (from + done) | 0);
  const left = count - done / width;
  core.set(s.ecx, left | 0);
  return left === 0 ? Status.next : Status.jump;
}
