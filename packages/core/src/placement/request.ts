// SPDX-License-Identifier: Apache-2.0

import type { Memory } from "../compatibility/pair.ts";
import type { DeviceRef } from "../inventory/place.ts";

/** In which order places that are equally good otherwise are offered. Ties end at the host's name, then the parent's. */
export const STRATEGIES = ["fragmentation", "pack", "spread", "numa"] as const;

/**
 * `fragmentation`: first where taking the place takes least from others; `pack`: fullest pool first; `spread`: emptiest
 * first; `numa`: parents on the wanted NUMA node first.
 */
export type Strategy = (typeof STRATEGIES)[number];

/** Where may this device go? */
export interface PlacementRequest {
  readonly source: DeviceRef;
  readonly strategy: Strategy;
  /** Wanted NUMA node at the destination; undefined: the one of the source's parent. */
  readonly numaNode?: number;
  /** Hosts that are not to be used; the source's own host never is. */
  readonly exceptHosts?: readonly string[];
  readonly memory?: Memory;
}
