/** What is made of an object the first time it is asked for, and kept while the object is there. */
export function oncePer<Of extends object, Made>(make: (of: Of) => Made): (of: Of) => Made {
  const made = new WeakMap<Of, Made>();
  return (of) => {
    const known = made.get(of);
    if (known !== undefined || made.has(of)) return known as Made;
    const one = make(of);
    made.set(of, one);
    return one;
  };
}
