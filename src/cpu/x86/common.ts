import type { CommonCode } from "../../ir/frontend.ts";
import { Mode } from "./slots.ts";

/*
 * The forms of nine tenths of what the interpreter does while our own kernel and Linux start, counted. Code of 32 bits in flat segments; one instruction stands for
 * all of its form.
 */
export const common: CommonCode = {
  mode: Mode.d32 | Mode.ss32 | Mode.flat,
  instructions: [
    // MOV, MOVZX, MOVSX, LEA
    ...["89e5", "8955e4", "8b5d08", "8b540410", "890c9500000000", "668906", "881500000000", "88c8", "8a06", "8a0432"],
    ...["b858000080", "c745e000000000", "c6052200000000", "b030", "a1204c0f00", "a324850f00"],
    ...["0fb602", "0fb60402", "0fb6d2", "0fb74508", "0fb75c4f08", "0fb7c0", "0fbe03", "0fbec0", "0fbfdb"],
    ...["8d4c2404", "8d7431d0"],
    // PUSH, POP
    ...["55", "5b", "6a01", "6801000000", "ff71fc"],
    // ADD, ADC, SUB, SBB, CMP
    ...["01d6", "83c410", "81c200000100", "0345e4", "01450c", "11d6", "83d200"],
    ...["29f9", "83ec0c", "81ecc4000000", "2d831f1200", "2b4508", "19f9"],
    ...[
      "39f2",
      "83f801",
      "81fb00000100",
      "3d00001000",
      "3b4508",
      "395dcc",
      "837d0800",
      "803a00",
      "803c0200",
      "38c8",
      "80fb0a",
      "3c08",
    ],
    // AND, OR, XOR, NOT, TEST
    ...[
      "21ce",
      "83e4f0",
      "81e2fc000000",
      "09c1",
      "83c801",
      "31c0",
      "83f3ff",
      "f7d0",
      "85d2",
      "84c0",
      "a820",
      "f6c120",
      "f6051102090001",
    ],
    // INC, DEC, shifts, IMUL
    ...["43", "4b", "ff45e4", "c1e010", "c1e902", "c1fe03", "d1e9", "d3e0", "d3e8", "0fafeb"],
    // Jumps, CALL, RET
    ...["7209", "7309", "740f", "750a", "7605", "7709", "7805", "7c05", "7d05", "7e05", "7f05", "eb05"],
    ...["0f8215010000", "0f8315010000", "0f84ea000000", "0f858a000000", "0f86d4000000", "0f87fa010000", "e951000000"],
    ...["e809010000", "ff5004", "ffd0", "c3"],
  ],
};
