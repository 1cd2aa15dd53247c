import { type FrontEnd, quickWayOf } from "../ir/frontend.ts";
import type { Block, Node } from "../ir/node.ts";
import { armsOf, Status } from "../ir/node.ts";
import type { Type } from "../ir/ops.ts";
import type { EngineSlots } from "../ir/slots.ts";
import { emitLoad, emitPageOf, emitStore } from "./idioms.ts";
import { emitTlbEntry, operandOffset, record, tlb } from "./layout.ts";
import { Lowering } from "./lowering.ts";
import type { Bytes } from "./wasm/bytes.ts";
import { type ModuleBuilder, typeCode } from "./wasm/module.ts";
import { noValue, op } from "./wasm/opcodes.ts";

/** Parameters of every handler: where its record lies, and the guest pc. It returns a `Status`. */
export const handlerParams: readonly Type[] = ["i32", "i32"];
const recordLocal = 0;
const pcLocal = 1;

/** Imports that code lowered here may use. */
const runtime = "run";
const helpers = "help";
const slowAccess: readonly Type[] = ["i32", "i32", "i32"];

/** All helper functions have one type, which the front end's are too. */
export const helperParams: readonly Type[] = ["i32", "i32", "i32", "i32"];

/** Asks a module for the functions which a block will call: they have to be imported before anything is defined. */
export function importsOf(block: Block, module: ModuleBuilder, front: FrontEnd): void {
  for (const node of block.nodes) {
    if (node.op === "load" || node.op === "load_rw") module.importFunction(runtime, "read", slowAccess, ["i32"]);
    if (node.op === "store") module.importFunction(runtime, "write", slowAccess, ["i32"]);
    if (node.op === "probe") module.importFunction(runtime, "probe", ["i32", "i32"], ["i32"]);
    if (node.op === "call" || node.op === "exit") importHelper(node, module, front);
    if (node.yes) importsOf(node.yes, module, front);
    if (node.no) importsOf(node.no, module, front);
  }
}

/** The function for a call: the helper's quick way, which goes on to the helper, where it has one. */
export function importHelper(node: Node, module: ModuleBuilder, front: FrontEnd): number {
  const name = quickWayOf(front, node.helper, node.args[0]) ?? node.helper;
  return module.importFunction(helpers, name, helperParams, ["i32"]);
}

/** Lowers the body of a form to the code of its handler: registers in the state, operands in the record. */
export class HandlerLowering extends Lowering {
  readonly #module: ModuleBuilder;
  readonly #front: FrontEnd;
  readonly #slots: EngineSlots;

  /** @param reserved locals that are taken, the first two as a handler's parameters. */
  constructor(out: Bytes, module: ModuleBuilder, front: FrontEnd, reserved = handlerParams.length) {
    super(out, reserved);
    this.#module = module;
    this.#front = front;
    this.#slots = front.slots;
  }

  handler(block: Block): void {
    this.count(block);
    this.block(block);
    this.out.u8(op.i32Const, Status.next);
  }

  protected override statement(node: Node): void {
    const { out } = this;
    switch (node.op) {
      case "set":
        this.#address(node.args[1]);
        this.value(node.args[0] as Node);
        emitStore(this.out, node.args[0]?.type as Type, node.width, 4, node.imm);
        return;
      case "store":
        this.#store(node);
        return;
      case "probe":
        this.#syncPc();
        this.value(node.args[0] as Node);
        out.u8(op.i32Const).s32(node.width);
        out.u8(op.call).u32(this.#module.importFunction(runtime, "probe", ["i32", "i32"], ["i32"]));
        out.hint(0).u8(op.if, noValue, op.i32Const, Status.fault, op.return, op.end);
        return;
      case "if":
        this.if(node);
        return;
      case "exit":
        this.#call(node);
        out.u8(op.return);
        return;
      case "jump":
        out.u8(op.i32Const).s32(this.#slots.pc.offset);
        this.value(node.args[0] as Node);
        out.u8(op.i32Store, 2, 0, op.i32Const, Status.jump, op.return);
        return;
      case "load":
      case "load_rw":
        this.#load(node);
        this.keep(node);
        return;
      case "call":
        this.#call(node);
        this.keep(node);
        this.#leaveOnTrap();
        return;
      case "get":
        if (this.usesOf(node) === 0) return;
        this.leaf(node);
        this.keep(node);
        return;
      case "const":
        return;
      default:
        this.pure(node);
    }
  }

  protected override leaf(node: Node): void {
    const { out } = this;
    switch (node.op) {
      case "field":
        out.u8(op.localGet, recordLocal);
        if (node.imm < 6) out.u8(op.i32Load16U, 1).u32(operandOffset(node.imm));
        else out.u8(op.i32Load, 2).u32(operandOffset(node.imm));
        return;
      case "pc":
        out.u8(op.localGet, pcLocal);
        return;
      case "next_pc":
        out.u8(op.localGet, pcLocal, op.localGet, recordLocal, op.i32Load8U, 0).u32(record.length);
        out.u8(op.i32Add);
        return;
      default:
        this.#address(node.args[0]);
        emitLoad(this.out, node.type as Type, node.width, 4, node.imm);
    }
  }

  /** Puts the address into a local and, into another, where its TLB entry lies; then leaves 1 on the stack when the entry's tag fits. */
  #lookUp(address: Node, width: number, tag: number): { at: number; entry: number } {
    const { out } = this;
    const at = this.local("i32");
    const entry = this.local("i32");
    this.value(address);
    out.u8(op.localTee).u32(at);
    emitTlbEntry(out);
    out.u8(op.i32Const, 0, op.i32Load, 2).u32(this.#slots.tlb.offset);
    out.u8(op.i32Add, op.localSet).u32(entry);
    emitPageOf(this.out, at, width);
    out.u8(op.localGet).u32(entry).u8(op.i32Load, 2).u32(tag).u8(op.i32Eq);
    return { at, entry };
  }

  /** Leaves where in the guest memory an address is found, once its TLB entry fits. */
  #host(at: number, entry: number): void {
    this.out.u8(op.localGet).u32(at).u8(op.localGet).u32(entry).u8(op.i32Load, 2).u32(tlb.addend).u8(op.i32Add);
  }

  /** The dynamic part of a state address, or 0; the static part is the offset of the access. */
  #address(base: Node | undefined): void {
    if (base === undefined) this.out.u8(op.i32Const, 0);
    else this.value(base);
  }

  /** The state's pc becomes that of this instruction: whoever is called may look at it. */
  #syncPc(): void {
    this.out.u8(op.i32Const).s32(this.#slots.pc.offset).u8(op.localGet, pcLocal, op.i32Store, 2, 0);
  }

  #leaveOnTrap(): void {
    this.out.u8(op.i32Const, 0, op.i32Load, 2).u32(this.#slots.trap.offset);
    this.out.hint(0).u8(op.if, noValue, op.i32Const, Status.fault, op.return, op.end);
  }

  #load(node: Node): void {
    const { out } = this;
    const writing = node.op === "load_rw";
    const type = node.type as Type;
    const { at, entry } = this.#lookUp(node.args[0] as Node, node.width, writing ? tlb.write : tlb.read);
    out.hint(1).u8(op.if, typeCode(type));
    this.#host(at, entry);
    emitLoad(this.out, type, node.width, 0, 0);
    out.u8(op.else);
    this.#syncPc();
    out
      .u8(op.localGet)
      .u32(at)
      .u8(op.i32Const)
      .s32(node.width)
      .u8(op.i32Const, writing ? 1 : 0);
    out.u8(op.call).u32(this.#module.importFunction(runtime, "read", slowAccess, ["i32"]));
    const wide = type !== "i32";
    if (wide) out.u8(op.drop);
    this.#leaveOnTrap();
    if (wide) {
      out.u8(op.i32Const, 0);
      emitLoad(this.out, type, node.width, 4, this.#slots.scratch.offset);
    }
    out.u8(op.end);
  }

  #store(node: Node): void {
    const { out } = this;
    const [address, value] = node.args as [Node, Node];
    const type = value.type as Type;
    // The value first: it may be computed from what the address needs, and it is needed on both ways.
    const held = this.local(type);
    this.value(value);
    out.u8(op.localSet).u32(held);
    const { at, entry } = this.#lookUp(address, node.width, tlb.write);
    out.hint(1).u8(op.if, noValue);
    this.#host(at, entry);
    out.u8(op.localGet).u32(held);
    emitStore(this.out, type, node.width, 0, 0);
    out.u8(op.else);
    this.#syncPc();
    if (type !== "i32") {
      out.u8(op.i32Const, 0, op.localGet).u32(held);
      emitStore(this.out, type, node.width, 4, this.#slots.scratch.offset);
    }
    out.u8(op.localGet).u32(at).u8(op.i32Const).s32(node.width);
    if (type === "i32") out.u8(op.localGet).u32(held);
    else out.u8(op.i32Const, 0);
    out.u8(op.call).u32(this.#module.importFunction(runtime, "write", slowAccess, ["i32"]));
    out.u8(op.if, noValue, op.i32Const, Status.fault, op.return, op.end, op.end);
  }

  #call(node: Node): void {
    const { out } = this;
    this.#syncPc();
    for (const arg of node.args) this.value(arg);
    for (let k = node.args.length; k < helperParams.length; k++) out.u8(op.i32Const, 0);
    out.u8(op.call).u32(importHelper(node, this.#module, this.#front));
  }
}

/** Lowers the bodies of forms inside the interpreter's loop, where a jump is a branch. What returns in the midst of them, with a fault, returns from the loop. */
export class InlineLowering extends HandlerLowering {
  #depth = 0;
  #goTo: (depth: number) => void = () => {};

  /**
   * All of a body but its end. @param depth blocks around it, inside of which `goTo` may branch: it is given how many there are, where the pc to go to is on the stack.
   */
  handlerInside(block: Block, depth: number, goTo: (depth: number) => void): void {
    this.#depth = depth;
    this.#goTo = goTo;
    this.startNodes();
    this.count(block);
    this.block(block);
    this.reuseLocals();
  }

  protected override statement(node: Node): void {
    if (node.op !== "jump") super.statement(node);
    else {
      this.value(node.args[0] as Node);
      this.#goTo(this.#depth);
    }
  }

  protected override if(node: Node): void {
    this.#depth++;
    super.if(node);
    this.#depth--;
  }
}

/** Whether a body may stand inside the loop: it calls nothing but the slow ways of accesses. */
export function standsAlone(block: Block): boolean {
  return block.nodes.every((node) => node.op !== "call" && node.op !== "exit" && armsOf(node).every(standsAlone));
}
