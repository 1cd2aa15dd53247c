/** Who started this process, asked before anything else: should it go away while we load, that must be noticed too. */
export const parent = process.ppid;
