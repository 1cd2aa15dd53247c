import type { VirtioCore } from "../../core.ts";
import { type Features, feature } from "../../features.ts";
import { status } from "../../status.ts";

const known = status.acknowledge | status.driver | status.driverOk | status.featuresOk | status.failed;

/**
 * A write to device_status (virtio 1.2 sections 2.1.1, 2.1.2 and 3.1.1).
 *
 * Zero resets. A write which would clear a bit is refused whole. FEATURES_OK stays clear when the features are no valid set, and
 * DRIVER_OK while FEATURES_OK is clear. DEVICE_NEEDS_RESET is the device's own, reserved bits read 0.
 */
export function writeStatus(core: VirtioCore, offered: Features, chosen: Features, value: number): void {
  const now = core.state.now;
  if (value === 0) {
    core.reset();
    return;
  }
  const held = now.status & known;
  if ((held & ~value) !== 0) {
    refuse(core, `status 0x${value.toString(16)} would clear bits of 0x${now.status.toString(16)}`);
    return;
  }
  const set = value & known & ~held;
  now.status |= set & ~(status.featuresOk | status.driverOk);
  if ((set & status.featuresOk) !== 0) acceptFeatures(core, offered, chosen);
  if ((set & status.driverOk) !== 0) {
    if ((now.status & status.featuresOk) === 0) refuse(core, "DRIVER_OK without FEATURES_OK");
    else now.status |= status.driverOk;
  }
  now.live = (now.status & status.driverOk) !== 0 && (now.status & status.failed) === 0;
}

/** Section 2.2.2: a set which was not offered, or which lacks what one of it needs, is not accepted. */
function acceptFeatures(core: VirtioCore, offered: Features, chosen: Features): void {
  const extra = chosen & ~offered;
  if (extra !== 0n) refuse(core, `features 0x${extra.toString(16)} were not offered`);
  else if ((chosen & feature.version1) === 0n) refuse(core, "VERSION_1 was not accepted");
  else if (!core.device.supports(chosen)) refuse(core, `features 0x${chosen.toString(16)} do not go together`);
  else {
    core.state.now.status |= status.featuresOk;
    core.negotiate(chosen, "little");
  }
}

function refuse(core: VirtioCore, why: string): void {
  if (core.trace.on) core.trace.log(`${core.device.name} device_status refused: ${why}`);
}
