import type { GuestMemory } from "../bus/guest-memory.ts";
import { Builder } from "../ir/builder.ts";
import { type FrontEnd, gaveUp, type QuickWay, type TlbPlaces } from "../ir/frontend.ts";
import type { Block, Node } from "../ir/node.ts";
import type { Type } from "../ir/ops.ts";
import { emitLoad, emitPageOf, emitStore } from "./idioms.ts";
import { emitTlbEntry, tlb } from "./layout.ts";
import { helperParams } from "./lower.ts";
import { Lowering } from "./lowering.ts";
import { moduleOf } from "./modules.ts";
import { Bytes } from "./wasm/bytes.ts";
import { ModuleBuilder } from "./wasm/module.ts";
import { noValue, op } from "./wasm/opcodes.ts";

/** Lowers the quick way of a helper: its parameters are the operands, registers lie in the state, and memory is what the supervisor's TLB knows. */
class RoutineLowering extends Lowering {
  readonly #tlb: number;

  readonly #slow: number;

  /** @param slow index of the helper */
  constructor(out: Bytes, slow: number, { supervisor }: TlbPlaces) {
    super(out, helperParams.length);
    this.#slow = slow;
    this.#tlb = supervisor;
  }

  /** The helper does it. */
  giveUp(): void {
    for (let n = 0; n < helperParams.length; n++) this.out.u8(op.localGet, n);
    this.out.u8(op.returnCall).u32(this.#slow);
  }

  routine(block: Block): void {
    this.count(block);
    if (block.result !== undefined) this.use(block.result);
    this.block(block);
    this.value(block.result as Node);
  }

  /** A local for what comes out. */
  result(): number {
    return this.local("i32");
  }

  protected override statement(node: Node): void {
    switch (node.op) {
      case "set":
        this.#address(node.args[1]);
        this.value(node.args[0] as Node);
        emitStore(this.out, node.args[0]?.type as Type, node.width, 4, node.imm);
        return;
      case "get":
        if (this.usesOf(node) === 0) return;
        this.leaf(node);
        this.keep(node);
        return;
      case "if":
        this.if(node);
        return;
      case "const":
      case "field":
        return;
      case "load":
        this.#host(node, tlb.read);
        emitLoad(this.out, node.type as Type, node.width, 0, 0);
        this.keep(node);
        return;
      case "store": {
        const value = node.args[1] as Node;
        this.#host(node, tlb.write);
        this.value(value);
        emitStore(this.out, value.type as Type, node.width, 0, 0);
        return;
      }
      case "probe":
        this.#host(node, tlb.write);
        this.out.u8(op.drop);
        return;
      case "load_rw":
      case "call":
      case "exit":
      case "jump":
        throw new Error(`not for the quick way of a helper: ${node.op}`);
      default:
        this.pure(node);
    }
  }

  protected override leaf(node: Node): void {
    if (node.op === "field") this.out.u8(op.localGet).u32(node.imm);
    else {
      this.#address(node.args[0]);
      emitLoad(this.out, node.type as Type, node.width, 4, node.imm);
    }
  }

  /** Leaves on the stack where in the guest memory an access goes, or gives up. */
  #host(node: Node, tag: number): void {
    const { out } = this;
    const [at, entry] = [this.local("i32"), this.local("i32")];
    this.value(node.args[0] as Node);
    out.u8(op.localTee).u32(at);
    emitTlbEntry(out);
    out.u8(op.localSet).u32(entry);
    emitPageOf(this.out, at, node.width);
    const word = (which: number) =>
      out
        .u8(op.localGet)
        .u32(entry)
        .u8(op.i32Load, 2)
        .u32(this.#tlb + which);
    word(tag);
    out.u8(op.i32Ne).hint(0).u8(op.if, noValue);
    this.giveUp();
    out.u8(op.end);
    out.u8(op.localGet).u32(at);
    word(tlb.addend);
    out.u8(op.i32Add);
  }

  #address(base: Node | undefined): void {
    if (base === undefined) this.out.u8(op.i32Const, 0);
    else this.value(base);
  }
}

/**
 * Puts the quick ways of a front end's helpers in front of them: a call first tries the quick way, in WebAssembly, and only where that is not for these
 * operands the helper itself. A quick way is made when the first module imports it: most guests want few of them.
 */
export function withQuickWays(
  guest: GuestMemory,
  front: FrontEnd,
  helpers: WebAssembly.ModuleImports,
  tlbs: TlbPlaces,
): WebAssembly.ModuleImports {
  const all = { ...helpers };
  for (const [name, way] of Object.entries(front.quick ?? {})) {
    let made: WebAssembly.ExportValue | undefined;
    Object.defineProperty(all, name, {
      get: () => {
        made ??= withQuickWay(guest, way, helpers[name.replace(/\/.*/, "")] as WebAssembly.ImportValue, tlbs);
        return made;
      },
    });
  }
  return all;
}

function withQuickWay(
  guest: GuestMemory,
  way: QuickWay,
  helper: WebAssembly.ImportValue,
  tlbs: TlbPlaces,
): WebAssembly.ExportValue {
  const pages = guest.wasmPages;
  const module = moduleOf(way, [pages, tlbs.supervisor, tlbs.user], () => emitQuickWay(pages, way, tlbs));
  const instance = new WebAssembly.Instance(module, { run: { memory: guest.memory, helper } });
  return instance.exports.way as WebAssembly.ExportValue;
}

function emitQuickWay(pages: number, way: QuickWay, tlbs: TlbPlaces): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory("run", "memory", pages);
  const slow = module.importFunction("run", "helper", helperParams, ["i32"]);
  const builder = new Builder("open");
  const done = way(
    builder,
    helperParams.map((_, n) => builder.field(n)),
    tlbs,
  );
  const { block } = builder;
  block.result = done;
  const out = new Bytes();
  const lowering = new RoutineLowering(out, slow, tlbs);
  lowering.routine(block);
  const result = lowering.result();
  out.u8(op.localTee).u32(result).u8(op.i32Const).s32(gaveUp).u8(op.i32Ne).hint(1).u8(op.if, noValue);
  out.u8(op.localGet).u32(result).u8(op.return, op.end);
  lowering.giveUp();
  module.export("way", module.function(helperParams, ["i32"], lowering.locals, out));
  return module.bytes();
}
