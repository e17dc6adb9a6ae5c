// SPDX-License-Identifier: Apache-2.0

import type { Pool } from "@berth/core/capacity/pool";
import { ledgerOccupants, type LedgerDocument } from "@berth/core/claim/ledger-document";
import type { Holders } from "@berth/core/claim/claim-request";
import type { Place } from "@berth/core/inventory/place";
import type { ViewedHost } from "../inventory/fleet-view.ts";
import { poolsWith } from "../inventory/viewed-host.ts";

/** What is free on a host: its pools as it showed them, with the newest ledger that is known in them. */
export interface HostRoomNow {
  readonly pools: readonly Pool[];
  readonly holders: Holders;
}

/** Joins what a host showed with a ledger that may be newer than the view's. `searched`: the host as a search saw it. */
export function findRoom(viewed: ViewedHost, ledger: LedgerDocument, searched: ViewedHost): HostRoomNow {
  const occupants = ledgerOccupants(ledger);
  return {
    pools: poolsWith(viewed, occupants),
    holders: {
      claimed: occupants.map(({ id }) => id),
      used: viewed.base.snapshot.uses.map(({ device }) => device),
      // What came since the search is news only where the host has shown something new since.
      ...(searched.base === viewed.base ? {} : { seen: occupantIds(searched) }),
    },
  };
}

/** Ids of all that sits in the pools of a host, as a search sees it. */
function occupantIds(viewed: ViewedHost): readonly string[] {
  return viewed.host.pools.flatMap(({ occupants }) => occupants.map(({ id }) => id));
}

/** A place with its pool as it is now. */
export function placeNow(place: Place, pools: readonly Pool[]): Place {
  return { ...place, pool: pools.find(({ parents }) => parents.includes(place.parent)) };
}
