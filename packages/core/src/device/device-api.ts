// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "./quoted-text.ts";

/** The values of `device_api`, from include/uapi/linux/vfio.h. `vfio-mdev` is not one of them. */
export const DEVICE_APIS = ["vfio-pci", "vfio-platform", "vfio-amba", "vfio-ccw", "vfio-ap"] as const;

export type DeviceApi = (typeof DEVICE_APIS)[number];

/** Reads a `device_api` text without its trailing newline. Throws SyntaxError for anything else. */
export function parseDeviceApi(text: string): DeviceApi {
  const api = DEVICE_APIS.find((candidate) => candidate === text);
  if (api !== undefined) return api;
  throw new SyntaxError(`Cannot parse device_api: expected one of ${DEVICE_APIS.join(", ")}, got ${quoteText(text)}`);
}
