import * as branch from "./branch.ts";
import { keepsCtr } from "./checks.ts";
import * as condition from "./condition.ts";
import { Attribute, byExtendedOpcode, op } from "./pattern.ts";
import * as system from "./system-bodies.ts";

/* Primary opcode 19, by extended opcode. */

const { branch: Branch, first: First, ends: Ends, privileged: Privileged } = Attribute;

export const table19 = byExtendedOpcode([
  [0, op("mcrf", "BF,BFA", condition.mcrf)],
  [16, op("bclr", "BI", branch.bclr, Branch | First)],
  [33, op("crnor", "BT,BA,BB", condition.crnor)],
  [38, op("rfmci", "", system.leaveTo("rfmci"), Ends | Privileged)],
  [39, op("rfdi", "", system.leaveTo("rfdi"), Ends | Privileged)],
  [50, op("rfi", "", system.leaveTo("rfi"), Ends | Privileged)],
  [51, op("rfci", "", system.leaveTo("rfci"), Ends | Privileged)],
  [102, op("rfgi", "", system.leaveTo("rfgi"), Ends | Privileged)],
  [129, op("crandc", "BT,BA,BB", condition.crandc)],
  [150, op("isync", "", system.nothing)],
  [193, op("crxor", "BT,BA,BB", condition.crxor)],
  [225, op("crnand", "BT,BA,BB", condition.crnand)],
  [257, op("crand", "BT,BA,BB", condition.crand)],
  [289, op("creqv", "BT,BA,BB", condition.creqv)],
  [417, op("crorc", "BT,BA,BB", condition.crorc)],
  [449, op("cror", "BT,BA,BB", condition.cror)],
  [528, op("bcctr", "BI", branch.bcctr, Branch | First, keepsCtr)],
]);
