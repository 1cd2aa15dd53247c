import { createRequire } from "node:module";

/** One instruction, as capstone has it. */
export interface Disassembled {
  readonly size: number;
  readonly mnemonic: string;
  readonly operands: string;
}

/** The part of @alexaltea/capstone-js that is used; it comes without types. */
interface Capstone {
  readonly ARCH_X86: number;
  readonly ARCH_PPC: number;
  readonly MODE_16: number;
  readonly MODE_32: number;
  readonly MODE_BIG_ENDIAN: number;
  readonly Capstone: new (
    architecture: number,
    mode: number,
  ) => {
    disasm(
      bytes: readonly number[],
      address: number,
      options?: { count?: number },
    ): { size: number; mnemonic: string; op_str: string }[];
  };
}

export class Disassembler {
  readonly #handle: InstanceType<Capstone["Capstone"]>;

  constructor(handle: InstanceType<Capstone["Capstone"]>) {
    this.#handle = handle;
  }

  /** The first instruction; undefined when there is none. */
  one(bytes: readonly number[], address = 0): Disassembled | undefined {
    let found: { size: number; mnemonic: string; op_str: string }[];
    try {
      found = this.#handle.disasm(bytes, address, { count: 1 });
    } catch {
      // It throws for bytes which are no instruction.
      return undefined;
    }
    const [i] = found;
    return i && { size: i.size, mnemonic: i.mnemonic, operands: i.op_str };
  }

  /** A listing: address, bytes, instruction; bytes that are no instruction one by one. */
  list(bytes: readonly number[], address: number): string[] {
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; ) {
      const i = this.one(bytes.slice(at), address + at);
      const size = i?.size ?? 1;
      const text = Buffer.from(bytes.slice(at, at + size)).toString("hex");
      lines.push(
        `${(address + at).toString(16).padStart(8, "0")}  ${text.padEnd(22)}  ${i ? `${i.mnemonic} ${i.operands}`.trim() : "(no instruction)"}`,
      );
      at += size;
    }
    return lines;
  }
}

const require = createRequire(import.meta.url);

/** `x86-16` is x86 in a 16-bit code segment. */
export async function capstone(which: "x86" | "x86-16" | "e500"): Promise<Disassembler> {
  const load = require("@alexaltea/capstone-js") as () => Promise<Capstone>;
  const cs = await load();
  return new Disassembler(
    which === "e500"
      ? new cs.Capstone(cs.ARCH_PPC, cs.MODE_32 | cs.MODE_BIG_ENDIAN)
      : new cs.Capstone(cs.ARCH_X86, which === "x86" ? cs.MODE_32 : cs.MODE_16),
  );
}
