import { importTable } from "./import-table.ts";

/** A source file: its path from the top of the tree, and its text. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** A rule of the house: gives a line for each breach. */
export type Rule = (source: Source) => readonly string[];

interface Import {
  readonly statement: string;
  readonly from: string;
}

const statements = /(?:^|\n)\s*((?:import|export)\b[^;"'`]*?\bfrom\s*|import\s*)["']([^"']+)["']/g;
const dynamic = /\bimport\(\s*["']([^"']+)["']\s*\)/g;

/** What a file imports, whether for values or for types. */
export function importsOf(text: string): readonly Import[] {
  const code = withoutComments(text);
  return [
    ...[...code.matchAll(statements)].map((m) => ({ statement: m[1] as string, from: m[2] as string })),
    ...[...code.matchAll(dynamic)].map((m) => ({ statement: "import()", from: m[1] as string })),
  ];
}

/** Comments taken away, as far as no string looks like one; ours do not. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/[^\n]*/g, "$1");
}

/** The room of a file: the folder below src, `index` for src/index.ts, or `machines`. */
export function roomOf(path: string): string {
  const [top, second = ""] = path.split("/");
  return top === "src" ? second.replace(/\.ts$/, "") : (top as string);
}

/** The path which a relative import leads to. */
function resolved(from: string, specifier: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const step of specifier.split("/")) {
    if (step === "..") parts.pop();
    else if (step !== ".") parts.push(step);
  }
  return parts.join("/");
}

export const keepsToTheTable: Rule = ({ path, text }) => {
  if (!path.endsWith(".ts")) return [];
  const room = roomOf(path);
  const allowed = importTable[room];
  if (allowed === undefined) return [`${path}: there is no room ${room} in the import table`];
  return importsOf(text)
    .filter(({ from }) => from.startsWith("."))
    .map(({ from }) => roomOf(resolved(path, from)))
    .filter((other) => other !== room && !allowed.includes(other))
    .map((other) => `${path}: ${room} may not import ${other}`);
};

export const machinesTakeOnlyTheType: Rule = ({ path, text }) =>
  roomOf(path) !== "machines"
    ? []
    : importsOf(text)
        .filter(
          ({ statement, from }) =>
            !/^import type \{ MachineSpec \} from/.test(statement) || !from.endsWith("/board/spec.ts"),
        )
        .map(({ from }) => `${path}: may import the type MachineSpec alone, not from ${from}`);

export const onlyTheHostTouchesNode: Rule = ({ path, text }) => {
  if (roomOf(path) === "host") return [];
  const code = withoutComments(text);
  const found = importsOf(code).filter(({ from }) => from.startsWith("node:"));
  const globals = code.match(
    /\b(?:document|navigator|localStorage|process|Buffer|setTimeout|setInterval|setImmediate)\b[.(]/g,
  );
  return [
    ...found.map(({ from }) => `${path}: imports ${from}`),
    ...(globals ?? []).map((name) => `${path}: uses ${name}`),
  ];
};

/** Packages which may be used, and by whom. */
const packages: Readonly<Record<string, readonly string[]>> = {
  zod: ["board"],
  commander: ["host"],
  "@lydell/node-pty": ["host"],
};

export const packagesStayInTheirRooms: Rule = ({ path, text }) =>
  importsOf(text)
    .filter(({ from }) => !from.startsWith(".") && !from.startsWith("node:"))
    .filter(({ from }) => !packages[from]?.includes(roomOf(path)))
    .map(({ from }) => `${path}: may not import the package ${from}`);

export const importsEndInTs: Rule = ({ path, text }) =>
  importsOf(text)
    .filter(({ from }) => from.startsWith(".") && !/\.(ts|json)$/.test(from))
    .map(({ from }) => `${path}: ${from} does not end in .ts`);

export const exportsHaveNames: Rule = ({ path, text }) =>
  /(?:^|\n)export default\b/.test(withoutComments(text)) ? [`${path}: has a default export`] : [];

/** The files which know how bytes lie in the guest memory. */
const knowsGuestBytes = /^src\/(bus\/(ram|guest-memory)\.ts|pci\/dma(-view)?\.ts|engine\/)/;

export const onlyRamIndexesGuestMemory: Rule = ({ path, text }) =>
  knowsGuestBytes.test(path)
    ? []
    : (withoutComments(text).match(/\b#?guest(?:Memory)?\.(?:bytes|memory\.buffer|code)\b/g) ?? []).map(
        (found) => `${path}: reaches into the guest memory by ${found}`,
      );

/** A layout knows no other. Transitional is made of legacy and modern. */
export const layoutsAreRoomsApart: Rule = ({ path, text }) => {
  const layout = /^src\/virtio\/layout\/([^/]+)\//.exec(path)?.[1];
  if (layout === undefined || layout === "transitional") return [];
  return importsOf(text)
    .map(({ from }) => /^src\/virtio\/layout\/([^/]+)\//.exec(resolved(path, from))?.[1])
    .filter((other) => other !== undefined && other !== layout)
    .map((other) => `${path}: the ${layout} layout may not know ${other}`);
};

/** Where the layouts of virtio are named to be picked: once, by a table. */
const picksLayouts = /^src\/virtio\/(pci|identity)\.ts$/;

/** Queues, devices and what they share are not told which layout they serve; so they have nothing to ask. */
export const whatLayoutsShareKnowsNone: Rule = ({ path, text }) => {
  if (!path.startsWith("src/virtio/")) return [];
  const room = /^src\/virtio\/layout\//.test(path);
  const imports = importsOf(text)
    .map(({ from }) => resolved(path, from))
    .filter((target) => !room && !picksLayouts.test(path) && target.startsWith("src/virtio/layout/"))
    .map((target) => `${path}: knows ${target}`);
  const asks = withoutComments(text).match(
    /\blayout\s*(?:===|!==)(?!\s*undefined)|(?:===|!==)\s*"(?:legacy|overlay|modern|transitional)\b|switch \(\S*layout\)/g,
  );
  return [...imports, ...(asks ?? []).map((found) => `${path}: asks for the layout: ${found}`)];
};

/** In the guest a layout is a transport: a file of its own, and its checks. Only virtio_pci.c names them all, to pick one. */
const guestLayout =
  /^guest\/(?:drivers\/(?:virtio_pci_|selftest_|hostile_)|include\/virtio_pci_)(legacy|overlay|modern)/;
const picksTransport = /^guest\/(?:drivers\/virtio_pci\.c|include\/virtio\.h)$/;

export const driversAskForNoLayout: Rule = ({ path, text }) => {
  if (!/^guest\/.*\.[ch]$/.test(path) || picksTransport.test(path)) return [];
  const own = guestLayout.exec(path)?.[1];
  const code = withoutComments(text);
  const named = [...code.matchAll(/\bvirtio_pci_(legacy|overlay|modern)/g)]
    .filter(([, layout]) => layout !== own)
    .map(([found]) => `${path}: names ${found}`);
  const asked = code.match(/str\w*cmp\([^;]*->layout\b|->layout\s*(?:==|!=)/g) ?? [];
  return [...named, ...asked.map((found) => `${path}: asks for the layout: ${found}`)];
};

export const nothingIsPutOff: Rule = ({ path, text }) =>
  (text.match(/\b(?:TODO|FIXME|XXX)\b/g) ?? []).map((word) => `${path}: says ${word}`);

export const rules: Readonly<Record<string, Rule>> = {
  keepsToTheTable,
  machinesTakeOnlyTheType,
  onlyTheHostTouchesNode,
  packagesStayInTheirRooms,
  importsEndInTs,
  exportsHaveNames,
  onlyRamIndexesGuestMemory,
  layoutsAreRoomsApart,
  whatLayoutsShareKnowsNone,
  driversAskForNoLayout,
  nothingIsPutOff,
};
