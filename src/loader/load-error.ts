/** A file which is not what it should be, in one line. Whatever the bytes are, a loader throws nothing else. */
export class LoadError extends Error {
  override readonly name = "LoadError";
}
