// SPDX-License-Identifier: Apache-2.0

import type { LoadedPack } from "@berth/core/compatibility/packs/pack";
import type { Policy } from "@berth/core/compatibility/policy";
import { quoteText } from "@berth/core/device/quoted-text";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { fleetHostOf } from "@berth/core/inventory/fleet";
import { unreadableHost } from "./unreadable-host.ts";
import { addToHost, type AddedHost, type HostAddition } from "./viewed-host.ts";

/**
 * What a host shows, with its additions. Where nothing can be made of it, because of a fault of the program, it is a host
 * that shows nothing: one host is never the end of all others.
 */
export function seeHost(
  shown: HostSnapshot,
  { packs, policy }: { readonly packs: readonly LoadedPack[]; readonly policy: Policy },
  addition: HostAddition,
): AddedHost {
  try {
    return addToHost(fleetHostOf(shown, packs, policy), addition);
  } catch (error) {
    return hideHost(shown.host, addition, error);
  }
}

/** A host that shows what it showed, with other additions; as `seeHost`. */
export function seeHostAgain(before: AddedHost, addition: HostAddition): AddedHost {
  try {
    return addToHost(before.base, addition, before);
  } catch (error) {
    return hideHost(before.base.snapshot.host, addition, error);
  }
}

/** A host of which nothing can be made: it offers no place, and its problem says why. */
export function hideHost(host: string, addition: HostAddition, error: unknown): AddedHost {
  const snapshot = unreadableHost(host, `what the host shows cannot be read: ${quoteText(String(error))}`);
  return addToHost({ snapshot, pools: [], places: [], problems: snapshot.problems }, addition);
}
