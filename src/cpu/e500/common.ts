import type { CommonCode } from "../../ir/frontend.ts";

const words = (line: string): readonly string[] => line.split(" ");
const commas = (line: string): readonly string[] => line.split(", ");

/* The forms of nine tenths of what the interpreter does while our own kernel starts, counted. One instruction stands for all of its form. */
export const common: CommonCode = {
  mode: 0,
  instructions: [
    // addi, addis, add, subf, mullw, addic.
    ...["38840004", "38600000", "3fff0400", "3c601001", "7d4a3a14", "7ca42850", "7f2951d6", "34a5ffff"],
    // lwz, lwzu, lwzx, lhz, lbz, lbzu, lbzx
    ...["80e60000", "84c30004", "7d3c502e", "a141000c", "892a0000", "8c7f0001", "7d2a18ae"],
    // stw, stwu, stwx, sth, stb, stbu, stbx
    ...["90c40000", "94c40004", "7d44492e", "b0690000", "988a0000", "9ce90001", "7d2751ae"],
    // rlwinm, rlwinm., rlwimi, slw, srw
    ...["54a5f0be", "54a5f0bf", "50a4e006", "7fbd4830", "7d4a5c30"],
    // or, mr, mr., and, andi., and., ori, xor
    ...["7c634378", "7c7e1b78", "7c7f1b79", "7d3ef038", "712900ff", "7d295039", "60630800", "7d2a5278"],
    // cmp, cmpi, cmpl, cmpli, isel
    ...["7c074800", "2c1f0000", "7c042840", "2803000a", "7d3ee89e"],
    // bc, b, bl, bclr, bcctr, bcctrl
    ...[
      "4180fff4",
      "40d400f8",
      "4200fff8",
      "42400050",
      "4bfff004",
      "48000041",
      "4e800020",
      "4dc20020",
      "4e800420",
      "4e800421",
    ],
    // mflr, mtlr, mtctr
    ...["7c0802a6", "7c0803a6", "7ca903a6"],
  ],
  // Those which our own kernel and Linux both have.
  usual: [
    ...words("7c709ba6 7c719ba6 7c729ba6 7c70eba6 7c739ba6 4c00012c 7c0007a4 7c0004ac 7d369ba6 7c004f24 7f909aa6"),
    ...words("7d319aa6 7d31aaa6 654a1000 214a0000 7d290194 7c601c2c 7fbd4a15 7d800026 3369ffff 7f7b4910 7d808120"),
    ...words("7f5a0034 7d261816 7ca43379 7d2948f8 7d404d2c 7ce04e2c 7ce04f2c 7d044814 7c635114 7ffd1e70 7d290190"),
    ...words("7fe601d4 7cfe3810 4ce20020 7c000124 7c001e24 7d5f0ba6 7d3063a6 7c0006ac 7d2000a6 7c000146 7d244a2e"),
    ...words("7d444b2e 7d5163a6 7d5263a6 7d5363a6 7d5463a6 7d5563a6 7d5663a6 7d5763a6 7d5863a6 7d5963a6 7d5a63a6"),
    ...words("7d5b63a6 7d5c63a6 7d5d63a6 7d5e63a6 7d3f63a6 6fe94550 7d4a2078 7d2948f9 7d30faa6 7d30fba6 7ce00106"),
    ...words("7d3453a6 7d3053a6 7c008146 1f2900b0 7d4103a6 7d4102a6 7d3ff0ee 68630001 7c3043a6 7c9343a6 7c9b02a6"),
    ...words("7cb042a6 7cba02a6 7cb342a6 7ca902a6 7cbe0aa6 7cbd0aa6 7cba03a6 7cbb03a6 7caff120 4c000064 7fc95396"),
    ...words("7ced42a6 7d0c42a6 7d3603a6 7cdee051 44000002 7d204828 7d820120 7d810120 7d300ba6 bfbafffc 7c00486c"),
    ...words("7c004fac 7d40492d 74a52000 7c004fec 7f484079"),
  ],
  // What stands most often in code of Linux's that it has run while it started and read from a disk, counted by how many dispatches each saves.
  sequences: [
    ...commas("80e60000 80e60000 80e60000, 90c40000 90c40000 90c40000, 2c1f0000 4180fff4 80e60000"),
    ...commas("2c1f0000 4180fff4, 90c40000 7c7e1b78 90c40000, 80e60000 2c1f0000 4180fff4, 7c7e1b78 48000041"),
    ...commas("94c40004 7c0802a6 90c40000, 80e60000 80e60000, 2c1f0000 40d400f8, 80e60000 80e60000 38840004"),
    ...commas("2c1f0000 40d400f8 80e60000, 60630800 60630800 60630800, 7c7e1b78 80e60000 80e60000"),
    ...commas("90c40000 80e60000 80e60000, 3c601001 38840004, 80e60000 80e60000 7c0803a6"),
    ...commas("7c7e1b78 90c40000 7c7e1b78, 90c40000 90c40000, 90c40000 80e60000, 38600000 90c40000"),
    ...commas("80e60000 38840004 4e800020, 38600000 38600000, 80e60000 7c7e1b78 80e60000"),
    ...commas("7c7e1b78 7c7e1b78 48000041, 80e60000 38840004, 90c40000 90c40000 80e60000, 90c40000 48000041"),
    ...commas("38840004 90c40000, 80e60000 7c0803a6 80e60000, 7c042840 40d400f8, 4180fff4 80e60000"),
    ...commas("7c7e1b78 7c7e1b78 7c7e1b78, 90c40000 38600000 90c40000, 7c7e1b78 38840004"),
    ...commas("90c40000 38840004 90c40000, 38840004 38840004, 7c074800 4180fff4, 94c40004 7c0802a6"),
    ...commas("7c7e1b78 7c7e1b78, 3c601001 80e60000, 80e60000 2c1f0000 40d400f8, 38840004 7c0803a6 4e800020"),
    ...commas("80e60000 90c40000, 7c042840 4180fff4, 38600000 90c40000 90c40000, 60630800 60630800"),
    ...commas("38600000 38840004, 38600000 7c7e1b78, 7c7f1b79 4180fff4, 40d400f8 80e60000, 90c40000 7c7e1b78"),
    ...commas("712900ff 40d400f8 80e60000, 7c7e1b78 90c40000 90c40000, 80e60000 38840004 7c0803a6"),
    ...commas("3c601001 90c40000 38840004, 80e60000 7c7e1b78, 712900ff 4180fff4 80e60000, 7c7e1b78 80e60000"),
    ...commas("38600000 38600000 38600000, 7c042840 4180fff4 80e60000, 80e60000 38600000, 712900ff 40d400f8"),
    ...commas("80e60000 38600000 80e60000, 38840004 48000041, 2c1f0000 4180fff4 2c1f0000, 7c7e1b78 38600000"),
    ...commas("38600000 48000041, 38840004 90c40000 90c40000, 2c1f0000 4180fff4 7c7e1b78, 54a5f0be 7d4a3a14"),
    ...commas("80e60000 80e60000 2c1f0000, 40d400f8 80e60000 80e60000, 38600000 80e60000 80e60000"),
    ...commas("7c074800 40d400f8, 90c40000 38840004, 94c40004 7c0802a6 38600000, 38840004 7c7e1b78"),
    ...commas("38600000 80e60000, 712900ff 4180fff4, 38600000 4bfff004, 90c40000 90c40000 7c7e1b78"),
    ...commas("38840004 38600000, 2c1f0000 90c40000 4180fff4, 2803000a 4180fff4, 80e60000 54a5f0be"),
    ...commas("54a5f0be 54a5f0be, 7ca903a6 4e800421, 3c601001 3c601001 38840004, 90c40000 38600000"),
    ...commas("7c0802a6 90c40000 90c40000, 3c601001 38840004 38840004, 892a0000 2c1f0000 4180fff4"),
    ...commas("38600000 4e800020"),
  ],
};
