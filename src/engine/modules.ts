interface Made {
  readonly of: readonly unknown[];
  readonly module: WebAssembly.Module;
}

const modules = new WeakMap<object, Made>();

/**
 * A module that another machine of this process may have made already: they mostly meet the same code. The last one of each `key` is kept while the key is there, so what is
 * kept is no more than one machine has.
 *
 * @param of all that the module follows from, besides the key. A front end's slots stand for it there: they are the same objects for each of its models.
 */
export function moduleOf(key: object, of: readonly unknown[], emit: () => Uint8Array<ArrayBuffer>): WebAssembly.Module {
  const known = modules.get(key);
  if (known !== undefined && known.of.length === of.length && known.of.every((part, k) => part === of[k]))
    return known.module;
  const module = new WebAssembly.Module(emit());
  modules.set(key, { of, module });
  return module;
}
