import type { CommonCode } from "../../ir/frontend.ts";

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
};
