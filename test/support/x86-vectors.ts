/*
 * Where a case taken from a real processor lies: user mode of a 32-bit process, some bytes of code behind which there are only INT3, 64 bytes of memory in
 * a page of zeros, two pages of stack.
 */

export const codeAt = 0x10000200;
export const dataPage = 0x20000000;
export const dataAt = 0x20000400;
export const stackTop = 0x30001000;
