import { MachineError } from "./options.ts";
import type { MachineSpec } from "./spec.ts";

/** The longest machine file that is read, in characters. */
const longest = 1 << 20;

/**
 * A user's machine: JSON of the schema which the built-in machines have. Nothing in it is executed.
 *
 * @throws MachineError with one line: the file, the path of the field, what is wrong with it and the nearest known name.
 */
export async function readMachine(text: string, file: string): Promise<MachineSpec> {
  if (text.length > longest)
    throw new MachineError(`${file}: longer than ${longest} characters; this is no machine file`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new MachineError(`${file}: not JSON: ${error instanceof Error ? firstLine(error.message) : "unreadable"}`);
  }
  return checkMachine(json, file);
}

/** Holds a value to the schema. The schema library is loaded only when somebody has such a value. */
export async function checkMachine(value: unknown, file: string): Promise<MachineSpec> {
  const { machineSchema } = await import("./spec.ts");
  const result = machineSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue === undefined) throw new MachineError(`${file}: not a machine`);
  const path = issue.path.map(String).join(".");
  const where = path === "" ? "" : `${path}: `;
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0] ?? "";
    const near = nearest(key, knownKeys(machineSchema, value, issue.path));
    const hint = near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`;
    throw new MachineError(`${file}: ${where}unknown key ${JSON.stringify(key)}${hint}`);
  }
  throw new MachineError(`${file}: ${where}${firstLine(issue.message)}`);
}

/** As much of a schema's inside as is needed to list the names an object may have. */
interface SchemaNode {
  readonly shape?: Readonly<Record<string, SchemaNode>>;
  readonly options?: readonly SchemaNode[];
  readonly element?: SchemaNode;
  readonly def?: { readonly type: string; readonly innerType?: SchemaNode; readonly values?: readonly unknown[] };
}

/** The keys which the schema has for the object at `path` of `value`. */
function knownKeys(schema: unknown, value: unknown, path: readonly PropertyKey[]): readonly string[] {
  let node: SchemaNode | undefined = resolve(schema as SchemaNode, value);
  let inside: unknown = value;
  for (const step of path) {
    inside = (inside as Record<PropertyKey, unknown> | undefined)?.[step];
    const next: SchemaNode | undefined = node?.element ?? node?.shape?.[String(step)];
    node = next && resolve(next, inside);
  }
  return Object.keys(node?.shape ?? {});
}

/** Takes away "optional", and picks of a union the member whose literals agree with the value. */
function resolve(schema: SchemaNode, value: unknown): SchemaNode {
  if (schema.def?.type === "optional" && schema.def.innerType) return resolve(schema.def.innerType, value);
  if (schema.def?.type !== "union" || schema.options === undefined) return schema;
  const object = (value ?? {}) as Record<string, unknown>;
  const fits = (option: SchemaNode) =>
    Object.entries(option.shape ?? {}).every(([key, field]) => field.def?.values?.includes(object[key]) ?? true);
  return schema.options.find(fits) ?? schema;
}

/** The known name with the fewest letters changed, when those are few. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const best = known
    .map((candidate) => ({ candidate, distance: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return best !== undefined && best.distance <= Math.max(2, name.length / 3) ? best.candidate : undefined;
}

/** Letters to insert, remove or change to get from one word to the other. */
function distance(a: string, b: string): number {
  if (a.length > 100) return a.length;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

function firstLine(text: string): string {
  return text.split("\n")[0] as string;
}
