/** The device number of a `device.function`. */
export function slotNumber(slot: string): number {
  return Number(slot.split(".")[0]);
}

/** The function number of a `device.function`. */
export function functionNumber(slot: string): number {
  return Number(slot.split(".")[1]);
}
