// SPDX-License-Identifier: Apache-2.0

import type { Pool } from "../capacity/pool.ts";
import { giveBack } from "../capacity/take.ts";
import type { ClaimRefusal, Holders } from "./claim-request.ts";
import type { UsableOffer } from "./judge-offer.ts";
import type { Seeker } from "./match-devices.ts";
import { findPool, listSlots, occupantId, takeOffer, type Remains } from "./take-offer.ts";

/** A host as a claim finds it. */
export interface HostRoom extends Remains {
  readonly holders: Holders;
}

/** Why one device finds no room at one offer, taken by itself; undefined where it does. */
export function explainOffer(
  host: HostRoom,
  seeker: Seeker,
  offer: UsableOffer,
): Omit<ClaimRefusal, "device"> | undefined {
  const answers = listSlots(host.pools, offer).map((slot) =>
    takeOffer(host, offer, { uuid: seeker.uuid, ...(slot === undefined ? {} : { slot }) }),
  );
  const [first] = answers;
  if (first === undefined || answers.some(({ kind }) => kind === "taken") || first.kind === "taken") return undefined;
  const place = { parent: offer.parent, type: offer.type };
  if (first.kind === "unknown") {
    const text = `whether ${offer.type} fits on ${offer.parent} is not known: ${first.why}`;
    return { code: "claim_room_unknown", text, ...place };
  }
  const strangers = findStrangers(host, seeker, offer);
  if (strangers.length > 0) {
    const text = `${strangers.join(", ")} took the place on ${offer.parent} since the search, and is no claim's`;
    return { code: "claim_stranger", text, short: first.missing, ...place };
  }
  const text = `no room for ${offer.type} on ${offer.parent} now: ${first.why}`;
  return { code: "claim_no_room", text, short: first.missing, ...place };
}

/**
 * The devices that came since the caller's search, are no claim's, and without which the place would not certainly be
 * short. Sorted; none where the caller does not know what its search saw.
 */
function findStrangers(host: HostRoom, seeker: Seeker, offer: UsableOffer): readonly string[] {
  const { seen, claimed, used } = host.holders;
  if (seen === undefined) return [];
  const told = new Set([...seen, ...claimed]);
  if (offer.framework === "function") {
    const id = occupantId(offer, "");
    return used.includes(id) && !told.has(id) ? [id] : [];
  }
  const pool = findPool(host.pools, offer.parent);
  const strangers = (pool?.occupants ?? []).map(({ id }) => id).filter((id) => !told.has(id));
  if (pool === undefined || strangers.length === 0) return [];
  const without = strangers.reduce((left: Pool, id) => giveBack(left, id) ?? left, pool);
  const pools = host.pools.map((other) => (other === pool ? without : other));
  return takeOffer({ ...host, pools }, offer, { uuid: seeker.uuid }).kind === "short" ? [] : strangers.toSorted();
}
