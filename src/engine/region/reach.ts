import { pageSize } from "../../bus/guest-memory.ts";
import { emitMapEntry } from "../layout.ts";
import { Bytes } from "../wasm/bytes.ts";
import { ModuleBuilder } from "../wasm/module.ts";
import { noValue, op } from "../wasm/opcodes.ts";

/** What `reach` gives in place of an addend: the region is to be left in front of the instruction, or with the fault that it has raised. */
export const Refused = { leave: 0, fault: 1 } as const;

const lengthBits = 13;

/** The last argument of `reach`. `region`: an index, or 0 for an access by itself. */
export function reachArgument(length: number, writing: boolean, region: number): number {
  return (region << (lengthBits + 1)) | (writing ? 1 << lengthBits : 0) | length;
}

/** `enter(address, length, writing, region)`: 1 when the TLB has the page now, 2 when the access has raised a fault, else 0. */
export type Enter = (address: number, length: number, writing: number, region: number) => number;

/**
 * What an access of a region does that a look into the map of its TLB did not settle, in one place for all of them: `reach(address, map, argument)` gives what is to be added to the address,
 * or a `Refused`. An access which is not aligned mostly lies on one page that the map knows; all else is for `enter`.
 */
export function makeReach(memory: WebAssembly.Memory, enter: Enter): WebAssembly.ExportValue {
  const [at, table, argument, entry, answer] = [0, 1, 2, 3, 4];
  const module = new ModuleBuilder();
  module.importMemory("run", "memory", memory.buffer.byteLength / 65536);
  const call = module.importFunction("run", "enter", ["i32", "i32", "i32", "i32"], ["i32"]);
  const out = new Bytes();
  const length = () =>
    out
      .u8(op.localGet, argument, op.i32Const)
      .s32((1 << lengthBits) - 1)
      .u8(op.i32And);
  out.u8(op.localGet, at);
  emitMapEntry(out);
  out.u8(op.localGet, table, op.i32Add, op.localSet, entry);
  out
    .u8(op.localGet, at, op.i32Const)
    .s32(pageSize - 1)
    .u8(op.i32And);
  length();
  out
    .u8(op.i32Add, op.i32Const)
    .s32(pageSize + 1)
    .u8(op.i32LtU, op.if, noValue);
  out.u8(op.localGet, entry, op.i32Load, 2, 0, op.localTee, answer, op.if).u8(noValue);
  out.u8(op.localGet, answer, op.return, op.end, op.end);
  out.u8(op.localGet, at);
  length();
  out.u8(op.localGet, argument, op.i32Const, lengthBits, op.i32ShrU, op.i32Const, 1, op.i32And);
  out.u8(op.localGet, argument, op.i32Const, lengthBits + 1, op.i32ShrU);
  out.u8(op.call).u32(call).u8(op.localTee, answer, op.i32Const, 1, op.i32Eq, op.if, noValue);
  out.u8(op.localGet, entry, op.i32Load, 2, 0, op.return, op.end);
  out.u8(op.i32Const, Refused.fault, op.i32Const, Refused.leave, op.localGet, answer, op.select);
  module.export("reach", module.function(["i32", "i32", "i32"], ["i32"], ["i32", "i32"], out));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { run: { memory, enter } });
  return instance.exports.reach as WebAssembly.ExportValue;
}
