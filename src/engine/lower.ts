import type { Block, Node } from "../ir/node.ts";
import { Status } from "../ir/node.ts";
import type { Type } from "../ir/ops.ts";
import type { EngineSlots } from "../ir/slots.ts";
import { operandOffset, record, tlb } from "./layout.ts";
import type { Bytes } from "./wasm/bytes.ts";
import { type ModuleBuilder, typeCode } from "./wasm/module.ts";
import { direct, noValue, op } from "./wasm/opcodes.ts";

/** Parameters of every handler: where its record lies, and the guest pc. It returns a `Status`. */
export const handlerParams: readonly Type[] = ["i32", "i32"];
const recordLocal = 0;
const pcLocal = 1;

/** Imports that code lowered here may use. */
const runtime = "run";
const helpers = "help";
const slowRead: readonly Type[] = ["i32", "i32", "i32"];

/** All helper functions have one type, which the front end's are too. */
export const helperParams: readonly Type[] = ["i32", "i32", "i32", "i32"];

/** Asks a module for the functions which a block will call: they have to be imported before anything is defined. */
export function importsOf(block: Block, module: ModuleBuilder): void {
  for (const node of block.nodes) {
    if (node.op === "load" || node.op === "load_rw") module.importFunction(runtime, "read", slowRead, ["i32"]);
    if (node.op === "store") module.importFunction(runtime, "write", slowRead, ["i32"]);
    if (node.op === "probe") module.importFunction(runtime, "probe", ["i32", "i32"], ["i32"]);
    if (node.op === "call" || node.op === "exit") module.importFunction(helpers, node.helper, helperParams, ["i32"]);
    if (node.yes) importsOf(node.yes, module);
    if (node.no) importsOf(node.no, module);
  }
}

/**
 * Lowers the body of a form to the code of its handler: registers in the state, operands in the record.
 *
 * A value used once is computed where it is used; one used more often, or one that comes from an effect, has a local.
 */
export class HandlerLowering {
  readonly locals: Type[] = [];
  readonly #out: Bytes;
  readonly #module: ModuleBuilder;
  readonly #slots: EngineSlots;
  readonly #uses = new Map<Node, number>();
  readonly #places = new Map<Node, number>();

  constructor(out: Bytes, module: ModuleBuilder, slots: EngineSlots) {
    this.#out = out;
    this.#module = module;
    this.#slots = slots;
  }

  handler(block: Block): void {
    this.#count(block);
    this.#block(block);
    this.#out.u8(op.i32Const, Status.next);
  }

  #count(block: Block): void {
    for (const node of block.nodes) {
      for (const arg of node.args) this.#uses.set(arg, (this.#uses.get(arg) ?? 0) + 1);
      for (const arm of [node.yes, node.no]) {
        if (arm === undefined) continue;
        this.#count(arm);
        if (arm.result !== undefined) this.#uses.set(arm.result, (this.#uses.get(arm.result) ?? 0) + 1);
      }
    }
  }

  #local(type: Type): number {
    this.locals.push(type);
    return handlerParams.length + this.locals.length - 1;
  }

  #block(block: Block): void {
    for (const node of block.nodes) this.#statement(node);
  }

  /** A node in its place: effects happen, values that have a local are computed, the others wait for their use. */
  #statement(node: Node): void {
    const out = this.#out;
    const uses = this.#uses.get(node) ?? 0;
    switch (node.op) {
      case "set":
        this.#address(node.args[1]);
        this.#value(node.args[0] as Node);
        this.#storeState(node);
        return;
      case "store":
        this.#store(node);
        return;
      case "probe":
        this.#syncPc();
        this.#value(node.args[0] as Node);
        out.u8(op.i32Const).s32(node.width);
        out.u8(op.call).u32(this.#module.importFunction(runtime, "probe", ["i32", "i32"], ["i32"]));
        out.u8(op.if, noValue, op.i32Const, Status.fault, op.return, op.end);
        return;
      case "if":
        this.#if(node, uses);
        return;
      case "exit":
        this.#call(node);
        out.u8(op.return);
        return;
      case "jump":
        out.u8(op.i32Const).s32(this.#slots.pc.offset);
        this.#value(node.args[0] as Node);
        out.u8(op.i32Store, 2, 0, op.i32Const, Status.jump, op.return);
        return;
      case "load":
      case "load_rw":
        this.#load(node);
        this.#keep(node, uses);
        return;
      case "call":
        this.#call(node);
        this.#keep(node, uses);
        out.u8(op.i32Const, 0, op.i32Load, 2).u32(this.#slots.trap.offset);
        out.u8(op.if, noValue, op.i32Const, Status.fault, op.return, op.end);
        return;
      case "get":
        if (uses === 0) return;
        this.#address(node.args[0]);
        this.#loadState(node);
        this.#keep(node, uses);
        return;
      case "const":
        return;
      default:
        // Pure: here if it is used more than once, else at its use.
        if (uses > 1) {
          this.#compute(node);
          this.#keep(node, uses);
        }
    }
  }

  #keep(node: Node, uses: number): void {
    if (uses === 0) {
      this.#out.u8(op.drop);
      return;
    }
    const local = this.#local(node.type as Type);
    this.#places.set(node, local);
    this.#out.u8(op.localSet).u32(local);
  }

  /** Leaves the value of a node on the stack. */
  #value(node: Node): void {
    const place = this.#places.get(node);
    if (place !== undefined) this.#out.u8(op.localGet).u32(place);
    else this.#compute(node);
  }

  #compute(node: Node): void {
    const out = this.#out;
    const [x, y, z] = node.args as [Node, Node, Node];
    switch (node.op) {
      case "const":
        if (node.type === "i64") out.u8(op.i64Const).s64(node.long);
        else out.u8(op.i32Const).s32(node.imm);
        return;
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
      case "select":
        this.#value(y);
        this.#value(z);
        this.#value(x);
        out.u8(op.select);
        return;
      case "carries":
        // (a & b) | ((a | b) & ~c)
        this.#carry(x, y, z, false);
        return;
      case "borrows":
        // (~a & b) | ((~a | b) & c)
        this.#carry(x, y, z, true);
        return;
      case "bswap":
        this.#value(x);
        if (node.type === "i64") this.#swap64();
        else this.#swap32();
        return;
      default: {
        const codes = direct[node.op];
        if (codes === undefined) throw new Error(`no lowering for ${node.op}`);
        for (const arg of node.args) this.#value(arg);
        out.u8(codes[x.type === "i64" ? 1 : 0] as number);
      }
    }
  }

  #carry(x: Node, y: Node, z: Node, borrow: boolean): void {
    const out = this.#out;
    const [a, b] = [this.#local("i32"), this.#local("i32")];
    this.#value(x);
    if (borrow) out.u8(op.i32Const, 0x7f, op.i32Xor);
    out.u8(op.localSet).u32(a);
    this.#value(y);
    out.u8(op.localSet).u32(b);
    out.u8(op.localGet).u32(a).u8(op.localGet).u32(b).u8(op.i32And);
    out.u8(op.localGet).u32(a).u8(op.localGet).u32(b).u8(op.i32Or);
    this.#value(z);
    if (!borrow) out.u8(op.i32Const, 0x7f, op.i32Xor);
    out.u8(op.i32And, op.i32Or);
  }

  /** The bytes of the i32 on the stack in the other order: two rotates and two masks. */
  #swap32(): void {
    const out = this.#out;
    const t = this.#local("i32");
    out.u8(op.localTee).u32(t).u8(op.i32Const).s32(0x00ff00ff).u8(op.i32And, op.i32Const, 24, op.i32Rotl);
    out
      .u8(op.localGet)
      .u32(t)
      .u8(op.i32Const)
      .s32(0xff00ff00 | 0)
      .u8(op.i32And, op.i32Const, 8, op.i32Rotl, op.i32Or);
  }

  #swap64(): void {
    const out = this.#out;
    const t = this.#local("i64");
    // Swap the bytes of each pair, then of each quarter, then the halves.
    for (const [mask, by] of [
      [0x00ff00ff00ff00ffn, 8n],
      [0x0000ffff0000ffffn, 16n],
    ] as const) {
      out.u8(op.localTee).u32(t).u8(op.i64Const).s64(mask).u8(op.i64And, op.i64Const).s64(by).u8(op.i64Rotl);
      out.u8(op.localGet).u32(t).u8(op.i64Const).s64(by).u8(op.i64ShrU, op.i64Const).s64(mask).u8(op.i64And, op.i64Or);
    }
    out.u8(op.i64Const).s64(32n).u8(op.i64Rotl);
  }

  // --- state

  /** The dynamic part of a state address, or 0; the static part is the offset of the access. */
  #address(base: Node | undefined): void {
    if (base === undefined) this.#out.u8(op.i32Const, 0);
    else this.#value(base);
  }

  #loadState(node: Node): void {
    const { type, width } = node;
    if (type === "v128") this.#out.u8(0xfd, 0x00, 4);
    else if (type === "f64") this.#out.u8(op.f64Load, 3);
    else if (type === "f32") this.#out.u8(op.f32Load, 2);
    else if (width === 8) this.#out.u8(op.i64Load, 3);
    else if (width === 4) this.#out.u8(op.i32Load, 2);
    else if (width === 2) this.#out.u8(op.i32Load16U, 0);
    else this.#out.u8(op.i32Load8U, 0);
    this.#out.u32(node.imm);
  }

  #storeState(node: Node): void {
    const type = node.args[0]?.type;
    if (type === "v128") this.#out.u8(0xfd, 0x0b, 4);
    else if (type === "f64") this.#out.u8(op.f64Store, 3);
    else if (type === "f32") this.#out.u8(op.f32Store, 2);
    else if (node.width === 8) this.#out.u8(op.i64Store, 3);
    else if (node.width === 4) this.#out.u8(op.i32Store, 2);
    else if (node.width === 2) this.#out.u8(op.i32Store16, 0);
    else this.#out.u8(op.i32Store8, 0);
    this.#out.u32(node.imm);
  }

  /** The state's pc becomes that of this instruction: whoever is called may look at it. */
  #syncPc(): void {
    this.#out.u8(op.i32Const).s32(this.#slots.pc.offset).u8(op.localGet, pcLocal, op.i32Store, 2, 0);
  }

  // --- guest memory

  /** Leaves the address in a local and, in another, the TLB entry; then 1 on the stack when the entry's tag fits. */
  #lookUp(address: Node, width: number, tag: number): { at: number; entry: number } {
    const out = this.#out;
    const at = this.#local("i32");
    const entry = this.#local("i32");
    this.#value(address);
    out.u8(op.localTee).u32(at);
    out
      .u8(op.i32Const, 8, op.i32ShrU, op.i32Const)
      .s32((tlb.entries - 1) << 4)
      .u8(op.i32And);
    out.u8(op.i32Const, 0, op.i32Load, 2).u32(this.#slots.tlb.offset).u8(op.i32Add, op.localSet).u32(entry);
    out.u8(op.localGet).u32(at);
    if (width > 1)
      out
        .u8(op.i32Const)
        .s32(width - 1)
        .u8(op.i32Add);
    out.u8(op.i32Const).s32(-4096).u8(op.i32And);
    out.u8(op.localGet).u32(entry).u8(op.i32Load, 2).u32(tag).u8(op.i32Eq);
    return { at, entry };
  }

  #host(at: number, entry: number): void {
    this.#out.u8(op.localGet).u32(at).u8(op.localGet).u32(entry).u8(op.i32Load, 2).u32(tlb.addend).u8(op.i32Add);
  }

  #load(node: Node): void {
    const out = this.#out;
    const writing = node.op === "load_rw";
    const type = node.type as Type;
    const { at, entry } = this.#lookUp(node.args[0] as Node, node.width, writing ? tlb.write : tlb.read);
    out.u8(op.if, typeCode(type));
    this.#host(at, entry);
    if (type === "v128") out.u8(0xfd, 0x00, 0);
    else if (type === "f64") out.u8(op.f64Load, 0);
    else if (type === "f32") out.u8(op.f32Load, 0);
    else if (node.width === 8) out.u8(op.i64Load, 0);
    else if (node.width === 4) out.u8(op.i32Load, 0);
    else if (node.width === 2) out.u8(op.i32Load16U, 0);
    else out.u8(op.i32Load8U, 0);
    out.u32(0).u8(op.else);
    this.#syncPc();
    out
      .u8(op.localGet)
      .u32(at)
      .u8(op.i32Const)
      .s32(node.width)
      .u8(op.i32Const, writing ? 1 : 0);
    out.u8(op.call).u32(this.#module.importFunction(runtime, "read", slowRead, ["i32"]));
    const wide = type !== "i32";
    if (wide) out.u8(op.drop);
    out.u8(op.i32Const, 0, op.i32Load, 2).u32(this.#slots.trap.offset);
    out.u8(op.if, noValue, op.i32Const, Status.fault, op.return, op.end);
    if (wide) {
      out.u8(op.i32Const, 0);
      this.#loadState({ ...node, imm: this.#slots.scratch.offset });
    }
    out.u8(op.end);
  }

  #store(node: Node): void {
    const out = this.#out;
    const [address, value] = node.args as [Node, Node];
    // The value first: it may be computed from what the address needs, and it is needed on both ways.
    const held = this.#local(value.type as Type);
    this.#value(value);
    out.u8(op.localSet).u32(held);
    const { at, entry } = this.#lookUp(address, node.width, tlb.write);
    out.u8(op.if, noValue);
    this.#host(at, entry);
    out.u8(op.localGet).u32(held);
    if (value.type === "v128") out.u8(0xfd, 0x0b, 0);
    else if (value.type === "f64") out.u8(op.f64Store, 0);
    else if (value.type === "f32") out.u8(op.f32Store, 0);
    else if (node.width === 8) out.u8(op.i64Store, 0);
    else if (node.width === 4) out.u8(op.i32Store, 0);
    else if (node.width === 2) out.u8(op.i32Store16, 0);
    else out.u8(op.i32Store8, 0);
    out.u32(0).u8(op.else);
    this.#syncPc();
    if (value.type !== "i32") {
      out.u8(op.i32Const, 0, op.localGet).u32(held);
      this.#storeState({ ...node, args: [value], imm: this.#slots.scratch.offset });
      out.u8(op.localGet).u32(at).u8(op.i32Const).s32(node.width).u8(op.i32Const, 0);
    } else {
      out.u8(op.localGet).u32(at).u8(op.i32Const).s32(node.width).u8(op.localGet).u32(held);
    }
    out.u8(op.call).u32(this.#module.importFunction(runtime, "write", slowRead, ["i32"]));
    out.u8(op.if, noValue, op.i32Const, Status.fault, op.return, op.end, op.end);
  }

  // --- control

  #if(node: Node, uses: number): void {
    const out = this.#out;
    this.#value(node.args[0] as Node);
    out.u8(op.if, node.type === undefined ? noValue : typeCode(node.type));
    this.#arm(node.yes, node.type);
    if (node.no !== undefined) {
      out.u8(op.else);
      this.#arm(node.no, node.type);
    }
    out.u8(op.end);
    if (node.type !== undefined) this.#keep(node, uses);
  }

  #arm(arm: Block | undefined, type: Type | undefined): void {
    if (arm === undefined) return;
    this.#block(arm);
    if (type !== undefined && arm.result !== undefined) this.#value(arm.result);
  }

  #call(node: Node): void {
    const out = this.#out;
    this.#syncPc();
    for (const arg of node.args) this.#value(arg);
    for (let k = node.args.length; k < helperParams.length; k++) out.u8(op.i32Const, 0);
    out.u8(op.call).u32(this.#module.importFunction(helpers, node.helper, helperParams, ["i32"]));
  }
}
