import type { Machine } from "../../board/machine.ts";
import type { AddressSpace } from "../../bus/space.ts";
import type { Debugger } from "../debugger.ts";
import type { Mapped } from "../target.ts";

/** Lines shown at most. */
const most = 1000;

const unmapped = "addresses are not translated\n";

/** `info mem`: what is mapped, runs of pages which continue each other as one. */
export function mappings({ target }: Debugger): string {
  return table(joined(target.mapped()));
}

/** `info tlb`: every page or TLB entry by itself. */
export function translations({ target }: Debugger): string {
  return table(target.mapped());
}

function table(ranges: Iterable<Mapped>): string {
  let text = "";
  let count = 0;
  for (const { address, size, physical, rights } of ranges) {
    if (++count > most) return `${text}... and more\n`;
    text += `${hex(address)}-${hex(address + size - 1)} -> ${hex(physical, 9)} ${rights}\n`;
  }
  return text || unmapped;
}

function* joined(ranges: Iterable<Mapped>): Generator<Mapped> {
  let run: Mapped | undefined;
  for (const range of ranges) {
    const { address, size, physical, rights } = range;
    if (
      run !== undefined &&
      address === run.address + run.size &&
      physical === run.physical + run.size &&
      rights === run.rights
    ) {
      run = { ...run, size: run.size + size };
      continue;
    }
    if (run !== undefined) yield run;
    run = range;
  }
  if (run !== undefined) yield run;
}

/** `info mtree`: who answers where, as the maps stand now. */
export function segments({ memory, ports }: Machine): string {
  return space(memory, 9) + (ports === undefined ? "" : space(ports, 4));
}

function space(of: AddressSpace, digits: number): string {
  const rows = of.segments().map(({ start, end, delta, name, target }) => {
    const kind = target.backing === undefined ? "" : target.backing.writable ? " RAM" : " ROM";
    const offset = start + delta === 0 ? "" : ` from 0x${(start + delta).toString(16)}`;
    return `  ${hex(start, digits)}-${hex(end - 1, digits)} ${name}${kind}${offset}\n`;
  });
  return `${of.name}\n${rows.join("")}`;
}

function hex(value: number, digits = 8): string {
  return value.toString(16).padStart(digits, "0");
}
