import type { Register, Target } from "../target.ts";

/** The bits of EFLAGS which gdb shows by name. SDM vol. 1 section 3.4.3. */
const eflags: readonly (readonly [name: string, bit: number])[] = [
  ["CF", 0],
  ["", 1],
  ["PF", 2],
  ["AF", 4],
  ["ZF", 6],
  ["SF", 7],
  ["TF", 8],
  ["IF", 9],
  ["DF", 10],
  ["OF", 11],
  ["NT", 14],
  ["RF", 16],
  ["VM", 17],
  ["AC", 18],
  ["VIF", 19],
  ["VIP", 20],
  ["ID", 21],
];

/** Types which are not gdb's own, by the name under which a register has them. */
const types: Readonly<Record<string, string>> = {
  i386_eflags: [
    '<flags id="i386_eflags" size="4">',
    ...eflags.map(([name, bit]) => `<field name="${name}" start="${bit}" end="${bit}"/>`),
    "</flags>",
  ].join(""),
};

/** The target description: which registers there are, in which order. GDB manual, appendix G. */
export function targetDescription(target: Target): string {
  const features = new Map<string, [Register, number][]>();
  for (const [number, register] of target.registers.entries()) {
    const list = features.get(register.feature);
    if (list === undefined) features.set(register.feature, [[register, number]]);
    else list.push([register, number]);
  }
  const lines = [
    '<?xml version="1.0"?>',
    '<!DOCTYPE target SYSTEM "gdb-target.dtd">',
    '<target version="1.0">',
    `<architecture>${target.architecture}</architecture>`,
  ];
  for (const [feature, registers] of features) {
    lines.push(`<feature name="${feature}">`);
    const wanted = new Set(registers.map(([{ type }]) => type));
    for (const [name, text] of Object.entries(types)) if (wanted.has(name)) lines.push(text);
    for (const [{ name, bits, type = `int${bits === 32 ? "" : bits}` }, number] of registers)
      lines.push(`<reg name="${name}" bitsize="${bits}" type="${type}" regnum="${number}"/>`);
    lines.push("</feature>");
  }
  return `${[...lines, "</target>"].join("\n")}\n`;
}
