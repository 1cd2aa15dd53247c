import type { Width } from "../../bus/target.ts";
import type { PciFunction } from "../../pci/function.ts";
import { capability as capabilityId, header } from "../../pci/registers.ts";
import type { Report } from "./rules.ts";

/** cfg_type (virtio 1.2 section 4.1.4), and where a capability has what. */
const type = { common: 1, notify: 2, isr: 3, device: 4, window: 5 } as const;
const field = { length: 2, type: 3, bar: 4, offset: 8, size: 12, extra: 16 } as const;

interface Found {
  readonly at: number;
  readonly length: number;
  readonly type: number;
  readonly bar: number;
  readonly offset: number;
  readonly size: number;
}

/** The vendor capabilities of a function, by which a modern device shows its structures, and what is done to them. */
export class CapabilityWatch {
  readonly #fn: PciFunction;
  readonly #found: readonly Found[];
  readonly #report: Report;

  constructor(fn: PciFunction, report: Report) {
    this.#fn = fn;
    this.#report = report;
    this.#found = findAll(fn);
  }

  /** What the device itself may have wrong, once. */
  inspect(deviceType: number, queues: number): void {
    const { fn, found } = { fn: this.#fn, found: this.#found };
    const id = fn.peek(header.device, 2);
    const said = `has the IDs ${[fn.peek(header.vendor, 2), id, fn.peek(header.revision, 1), fn.peek(header.subsystem, 2)].map((n) => n.toString(16)).join(" ")}`;
    const modern = found.some((one) => one.type === type.common);
    const transitional = id >= 0x1000 && id < 0x1040;
    // 0x10F0 to 0x10FF are for experiments (docs/overlay.md D7).
    const experimental = id >= 0x10f0 && id <= 0x10ff;
    if (fn.peek(header.vendor, 2) !== 0x1af4) this.#report("deviceIdentity", said);
    else if (transitional) {
      if (fn.peek(header.revision, 1) !== 0 || fn.peek(header.subsystem, 2) !== deviceType)
        this.#report("deviceIdentity", said);
    } else if (!experimental && id !== 0x1040 + deviceType) this.#report("deviceIdentity", said);
    if (modern || !(transitional || experimental)) this.#structures(queues);
  }

  #structures(queues: number): void {
    for (const needed of [type.common, type.notify, type.isr, type.window])
      if (!this.#found.some((one) => one.type === needed))
        this.#report("deviceCapabilities", `has no capability of type ${needed}`);
    for (const one of this.#found) {
      if (one.type === type.window || one.type > type.window) continue;
      const bar = this.#fn.bars.find(({ index }) => index === one.bar);
      const what = `has a structure of type ${one.type} at BAR${one.bar}+0x${one.offset.toString(16)}, 0x${one.size.toString(16)} bytes`;
      const aligned = one.type === type.isr || one.offset % (one.type === type.notify ? 2 : 4) === 0;
      if (bar === undefined || one.offset + one.size > bar.size || !aligned) this.#report("deviceCapabilities", what);
      else if (one.type === type.notify) {
        const multiplier = this.#fn.peek(one.at + field.extra, 4);
        if ((queues - 1) * multiplier + 2 > one.size)
          this.#report("deviceCapabilities", `${what} for ${queues} queues`);
      }
    }
  }

  /** An access to configuration space, before it is made. */
  access(offset: number, width: Width, written: number | undefined): void {
    for (const one of this.#found) {
      if (offset >= one.at + one.length || offset + width <= one.at) continue;
      if (one.type === type.window) this.#window(one, offset, width);
      if (written === undefined) continue;
      const first = Math.max(offset, one.at) - one.at;
      const last = Math.min(offset + width, one.at + one.length) - one.at - 1;
      const may = one.type === type.window && (first === field.bar || first >= field.offset) && last !== field.type;
      if (!may)
        this.#report(
          "capability",
          `wrote 0x${written.toString(16)} as ${width} bytes to 0x${offset.toString(16)} of configuration space`,
        );
    }
  }

  /** Somebody reads or writes the window's data. A length of 0 is that of one which nobody has pointed anywhere: a dump of the space. */
  #window(window: Found, offset: number, width: Width): void {
    if (offset + width <= window.at + field.extra) return;
    const at = this.#fn.peek(window.at + field.offset, 4);
    const size = this.#fn.peek(window.at + field.size, 4);
    const bar = this.#fn.peek(window.at + field.bar, 1);
    if (size === 0) return;
    const inside = this.#found.some(
      (one) => one.type < type.window && one.bar === bar && at >= one.offset && at + size <= one.offset + one.size,
    );
    if ((size !== 1 && size !== 2 && size !== 4) || at % size !== 0 || !inside)
      this.#report("window", `pointed it at BAR${bar}+0x${at.toString(16)}, 0x${size.toString(16)} bytes`);
  }
}

function findAll(fn: PciFunction): Found[] {
  const found: Found[] = [];
  for (let at = fn.peek(header.capabilities, 1), left = 48; at >= 0x40 && left > 0; at = fn.peek(at + 1, 1), left--) {
    if (fn.peek(at, 1) !== capabilityId.vendor) continue;
    found.push({
      at,
      length: fn.peek(at + field.length, 1),
      type: fn.peek(at + field.type, 1),
      bar: fn.peek(at + field.bar, 1),
      offset: fn.peek(at + field.offset, 4),
      size: fn.peek(at + field.size, 4),
    });
  }
  return found;
}
