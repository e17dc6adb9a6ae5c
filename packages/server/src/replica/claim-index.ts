// SPDX-License-Identifier: Apache-2.0

import type { Claim } from "@berth/core/claim/claim";
import { holdsRoom } from "@berth/core/claim/transitions";

/** Where claims stand, and which devices they hold a place for. */
export class ClaimIndex {
  /** Host -> ids of claims there. */
  readonly #ofHost = new Map<string, Set<string>>();
  /** Device at its source -> ids of claims that hold a place for it. */
  readonly #forDevice = new Map<string, Set<string>>();

  /** Takes a claim in as it stands now. */
  add(claim: Claim): void {
    join(this.#ofHost, claim.host, claim.id);
    for (const key of sourcesOf(claim)) join(this.#forDevice, key, claim.id);
  }

  /** Takes out a claim as it stood before. */
  remove(claim: Claim): void {
    leave(this.#ofHost, claim.host, claim.id);
    for (const key of sourcesOf(claim)) leave(this.#forDevice, key, claim.id);
  }

  /** Ids of the claims of a host, in no order. */
  ofHost(host: string): Iterable<string> {
    return this.#ofHost.get(host) ?? [];
  }

  /** Ids of claims that hold a place for one of these devices of a host: the first ones, sorted. */
  forDevices(host: string, devices: readonly string[], limit: number): readonly string[] {
    const found = new Set<string>();
    for (const device of devices) {
      for (const id of this.#forDevice.get(keyOfDevice(host, device)) ?? []) {
        if (found.size >= limit) break;
        found.add(id);
      }
    }
    return [...found].toSorted();
  }
}

function sourcesOf({ claimant, state, devices }: Claim): readonly string[] {
  if (claimant.kind === "profile" || !holdsRoom(state)) return [];
  return devices.flatMap(({ source }) => (source === undefined ? [] : [keyOfDevice(claimant.host, source)]));
}

/** No name of a host holds a space. */
function keyOfDevice(host: string, device: string): string {
  return `${host} ${device}`;
}

function join(index: Map<string, Set<string>>, key: string, id: string): void {
  const ids = index.get(key) ?? new Set();
  index.set(key, ids.add(id));
}

function leave(index: Map<string, Set<string>>, key: string, id: string): void {
  const ids = index.get(key);
  ids?.delete(id);
  if (ids?.size === 0) index.delete(key);
}
