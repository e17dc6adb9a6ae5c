// SPDX-License-Identifier: Apache-2.0

import type { DeviceApi } from "../../device/device-api.ts";
import type { Pair } from "../pair.ts";
import { describeGaps, sidesOf } from "../side.ts";
import { findings, type Findings } from "../verdict.ts";

/**
 * R2: `device_api` is equal (seed 002).
 * A guest that drives a PCI device cannot be handed a channel subchannel, whatever else agrees.
 */
export function checkDeviceApi({ source, destination }: Pair): Findings {
  const [left, right] = [source.deviceApi, destination.deviceApi];
  const sides = sidesOf(left, right);
  if (left.kind !== "known" || right.kind !== "known") {
    const text = describeGaps("device_api", left, right);
    return findings({ missing: [{ rule: "R2", code: "device_api_unknown", text, ...sides }] });
  }
  if (left.value === right.value) {
    const text = `device_api is ${left.value} at both ends`;
    return findings({ agreements: [{ rule: "R2", code: "device_api_equal", text, ...sides }] });
  }
  const text = `device_api is ${left.value} at the source and ${right.value} at the destination`;
  return findings({ reasons: [{ rule: "R2", code: "device_api", text, ...sides }] });
}

/** Whether both ends are known to speak this API: then the identity rules of that API apply. */
export function speaksApi({ source, destination }: Pair, api: DeviceApi): boolean {
  return [source, destination].every(({ deviceApi }) => deviceApi.kind === "known" && deviceApi.value === api);
}
