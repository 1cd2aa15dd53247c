import type { CommonCode } from "../../ir/frontend.ts";
import { commas, words } from "../lists.ts";
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
    ...["43", "4b", "ff45e4", "c1e010", "c1e902", "c1fe03", "d1e9", "d3e0", "d3e8", "0fafeb", "0faf4508", "0faf048a"],
    // Jumps, CALL, RET
    ...["7209", "7309", "740f", "750a", "7605", "7709", "7805", "7c05", "7d05", "7e05", "7f05", "eb05"],
    ...["0f8215010000", "0f8315010000", "0f84ea000000", "0f858a000000", "0f86d4000000", "0f87fa010000", "e951000000"],
    ...["e809010000", "ff5004", "ffd0", "c3"],
  ],
  // Those which our own kernel and Linux both have.
  usual: [
    ...words("fa fc 0f20c0 0f22c0 66b81800 8ed8 ef ee 66ef f3a5 f3ab 0f011518330f00 ec 6bf60a c9 f36c 80e202 0f95c2"),
    ...words("a223850f00 0fc8 f083042400 86e0 135514 f3a4 1b7de4 6b4ddc14 05404c0f00 66c7050e040000c09f 0facd004"),
    ...words("884c1dcf c6441dcf30 0fbe441dd0 e620 0fa2 0fbae209 0d00000080 66ed 6683f8fd 663d8680 7912 f7f7 247f ed"),
    ...words("f7c601000000 f7d8 0f94c2 817dd800100000 0f8893000000 ff4de0 020413 28040b 0fa3c2 11955cffffff f3aa"),
    ...words("a9f8ff0000 66817db80101 66837dc603 0f9445df 0f93c3 845ddf 69c001010101 839574ffffff00 81f100001000"),
    ...words("0b4804 ffe2 08ca 6690 80ea30 fec8 0f8f38ffffff 0f47d8 0fa4c210 81cb00890000 66a3c63e1400 0f00da"),
    ...words("668914c500711400 0f015c240a 0211 0f8ef4000000 091485401e1300 9c 291d241e1300 fb 0f013b 8320fd 0f42d8"),
    ...words(
      "0f437c2428 3401 388f603f1400 f7642420 0f31 f4 1e ff049d20121300 0f96c0 0fa9 cf 80671401 8144243890000000",
    ),
    ...words("c7040200000000 f60433df ff14dda4481200 0f44d1 035c8118 1374811c 2391f0000000 834c242801 0c08 0f45c2"),
    ...words("66394128 6639d8 0f92c0 0f97c0 224309 0f48d0 a4 f7e6 0fbdf8 f7742408 35100020ba f7442440ff0f0000 ff6214"),
    ...words(
      "99 f7f9 cc 0f0b 64a100000000 64a300000000 fd 816240fffeffff 810c2400010000 9d 0f23f0 e480 cd50 f3a6 f2ae",
    ),
    ...words("f00fc1442424 f00fc74c2428 0fab5c2424 0f4fc1 0f954358 66015340 fec0 3302 83dbff 21b5e8000000"),
  ],
  // What stands most often in code of Linux's that it has run while it started and read from a disk, counted by how many dispatches each saves.
  sequences: [
    ...commas("8d4c2404 55 89e5, 5b 5b c3, 5b 5b 5b, 55 89e5 55, 89e5 e809010000, 5b c3, 55 55 55, 8b5d08 85d2 740f"),
    ...commas(
      "b858000080 e809010000, 8d4c2404 5b 5b, 85d2 740f, 83c410 5b 5b, 85d2 740f 8b5d08, 8955e4 8b5d08 8955e4, 55 55 89e5",
    ),
    ...commas(
      "8b5d08 8b5d08, 8b5d08 8955e4 8b5d08, 8d4c2404 55 b858000080, 85d2 0f84ea000000, 8955e4 8b5d08, 8b5d08 8b5d08 8b5d08",
    ),
    ...commas(
      "8955e4 31c0, b858000080 89e5 e809010000, 8d4c2404 89e5 5b, 85d2 0f84ea000000 8b5d08, 89e5 89e5 e809010000",
    ),
    ...commas(
      "c745e000000000 c745e000000000 c745e000000000, 750a 8b5d08, 8b5d08 8955e4, 8b5d08 89e5, 85d2 750a, 8955e4 89e5",
    ),
    ...commas("8b5d08 8b5d08 8955e4, 89e5 8b5d08, 8b5d08 e809010000, 89e5 89e5, 8d4c2404 55, 89e5 55 55"),
    ...commas(
      "b858000080 b858000080 e809010000, 740f 8b5d08, 8b5d08 8955e4 8955e4, 8955e4 8955e4, 8d4c2404 8955e4, 8b5d08 8d4c2404",
    ),
    ...commas(
      "89e5 5b 5b, 85d2 0f858a000000 8b5d08, 89e5 85d2 740f, 0f858a000000 8b5d08, 89e5 55 89e5, 6801000000 e809010000, 55 55",
    ),
    ...commas(
      "85d2 740f 89e5, 0f84ea000000 8b5d08, 8b5d08 89e5 e809010000, 8b5d08 85d2 0f84ea000000, 85d2 750a 8b5d08, 55 89e5",
    ),
    ...commas(
      "8d4c2404 8b5d08, 83ec0c 8b5d08, 85d2 0f858a000000, 8b5d08 8b5d08 85d2, 83ec0c 8955e4, c745e000000000 c745e000000000",
    ),
    ...commas(
      "8b5d08 b858000080, 8d4c2404 55 31c0, 8955e4 8955e4 8955e4, 31c0 89e5, 8955e4 8b5d08 8b5d08, c745e000000000 8955e4",
    ),
    ...commas(
      "8d4c2404 e809010000, 8b5d08 85d2 750a, 8955e4 8d4c2404, 55 e809010000, 31c0 b858000080, 55 89e5 e809010000",
    ),
    ...commas(
      "89e5 85d2 750a, 8b5d08 8b5d08 89e5, 55 89e5 83ec0c, 8d4c2404 89e5 e809010000, 31c0 8955e4, 83f801 740f, 31c0 5b 5b",
    ),
    ...commas(
      "8955e4 8955e4 8b5d08, 89e5 8955e4, 8d4c2404 b858000080, 8d4c2404 89e5, 89e5 55, 6801000000 6801000000 e809010000",
    ),
    ...commas(
      "8b5d08 8b5d08 e809010000, 55 8b5d08, 5b 5b, c745e000000000 8b5d08, 8955e4 85d2 0f84ea000000, 84c0 740f 8b5d08",
    ),
    ...commas("85d2 740f 8d4c2404, 83c410 89e5 5b"),
  ],
};
