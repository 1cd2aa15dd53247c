import type { GuestMemory } from "../bus/guest-memory.ts";
import { Builder } from "../ir/builder.ts";
import type { FrontEnd, QuickWay } from "../ir/frontend.ts";
import type { Block, Node } from "../ir/node.ts";
import type { Type } from "../ir/ops.ts";
import { helperParams } from "./lower.ts";
import { Lowering } from "./lowering.ts";
import { Bytes } from "./wasm/bytes.ts";
import { ModuleBuilder } from "./wasm/module.ts";
import { noValue, op } from "./wasm/opcodes.ts";

/** Lowers the quick way of a helper: its parameters are the operands, and registers lie in the state. */
class RoutineLowering extends Lowering {
  constructor(out: Bytes) {
    super(out, helperParams.length);
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
        this.storeTo(node.args[0]?.type as Type, node.width, 4, node.imm);
        return;
      case "get":
        if ((this.uses.get(node) ?? 0) === 0) return;
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
      case "load_rw":
      case "store":
      case "probe":
      case "call":
      case "exit":
      case "jump":
        throw new Error(`the quick way of a helper does nothing but compute: ${node.op}`);
      default:
        this.pure(node);
    }
  }

  protected override leaf(node: Node): void {
    if (node.op === "field") this.out.u8(op.localGet).u32(node.imm);
    else {
      this.#address(node.args[0]);
      this.loadFrom(node.type as Type, node.width, 4, node.imm);
    }
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
): WebAssembly.ModuleImports {
  const all = { ...helpers };
  for (const [name, way] of Object.entries(front.quick ?? {})) {
    let made: WebAssembly.ExportValue | undefined;
    Object.defineProperty(all, name, {
      get: () => {
        made ??= withQuickWay(guest, way, helpers[name.replace(/\/.*/, "")] as WebAssembly.ImportValue);
        return made;
      },
    });
  }
  return all;
}

function withQuickWay(guest: GuestMemory, way: QuickWay, helper: WebAssembly.ImportValue): WebAssembly.ExportValue {
  const module = new ModuleBuilder();
  module.importMemory("run", "memory", guest.memory.buffer.byteLength / 65536);
  const slow = module.importFunction("run", "helper", helperParams, ["i32"]);
  const builder = new Builder("open");
  const done = way(
    builder,
    helperParams.map((_, n) => builder.field(n)),
  );
  const { block } = builder;
  block.result = done;
  const out = new Bytes();
  const lowering = new RoutineLowering(out);
  lowering.routine(block);
  const result = lowering.result();
  out.u8(op.localTee).u32(result).u8(op.i32Const).s32(-1).u8(op.i32Ne).hint(1).u8(op.if, noValue);
  out.u8(op.localGet).u32(result).u8(op.return, op.end);
  for (let n = 0; n < helperParams.length; n++) out.u8(op.localGet, n);
  out.u8(op.returnCall).u32(slow);
  module.export("way", module.function(helperParams, ["i32"], lowering.locals, out));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), {
    run: { memory: guest.memory, helper },
  });
  return instance.exports.way as WebAssembly.ExportValue;
}
