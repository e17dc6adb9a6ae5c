// SPDX-License-Identifier: Apache-2.0

import i915 from "./i915.json" with { type: "json" };
import idxd from "./idxd.json" with { type: "json" };
import mtty from "./mtty.json" with { type: "json" };
import nvidia from "./nvidia.json" with { type: "json" };
import type { DriverPack } from "./pack.ts";
import vfioAp from "./vfio_ap.json" with { type: "json" };
import vfioCcw from "./vfio_ccw.json" with { type: "json" };

/**
 * The packs that come with Berth, sorted by name. They are not validated at run time: the tests hold each against the
 * published schema and against its vectors.
 */
export const BUILT_IN_PACKS: readonly DriverPack[] = [
  i915,
  idxd,
  mtty,
  nvidia,
  vfioAp,
  vfioCcw,
] as unknown as readonly DriverPack[];
