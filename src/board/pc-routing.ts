/** The device number of a `device.function`. */
export function slotNumber(slot: string): number {
  return Number(slot.split(".")[0]);
}

/** The function number of a `device.function`. */
export function functionNumber(slot: string): number {
  return Number(slot.split(".")[1]);
}

/**
 * Which of PIRQ A-D (0-3) a slot's pin (0 = INTA) is soldered to. Boards of this kind turn the pins by one a slot,
 * so that neighbours do not share: slot 1 INTA is PIRQA.
 */
export function interruptRoute(slot: number, pin: number): number {
  return (slot + pin - 1) & 3;
}
