// SPDX-License-Identifier: Apache-2.0

import { checkMigration } from "@berth/core/compatibility/check-migration";
import { checkPlatform } from "@berth/core/compatibility/check-platform";
import type { Pair } from "@berth/core/compatibility/pair";
import { valueOf } from "@berth/core/device/evidence";
import type { MigrationProfile } from "@berth/core/device/migration-profile";
import type { Place } from "@berth/core/inventory/place";
import type { Judged } from "@berth/core/placement/answer";
import { rankPlaces } from "@berth/core/placement/rank";
import type { Strategy } from "@berth/core/placement/request";
import { roomForSource } from "@berth/core/placement/room-for-source";
import type { FleetView } from "../inventory/fleet-view.ts";

/** What offers are put in order by. */
export interface OfferOrder {
  readonly strategy: Strategy;
  readonly numaNode?: number;
  /** The device is one of several of its VM. */
  readonly devices: number;
}

/** The places of one host for one device. */
export interface HostOffers {
  /** Compatible by pair and platform, best first; full ones too. */
  readonly usable: readonly Place[];
  /** Of each parent without a usable place the one that is nearest to a yes; sorted as the places of the host. */
  readonly refused: readonly Place[];
}

/** Judges every place of a host for a device, and puts those that may be used in order. */
export function findOffers(
  view: FleetView,
  { source, places }: { readonly source: MigrationProfile; readonly places: readonly Place[] },
  order: OfferOrder,
): HostOffers {
  const judged = places.map((place): Judged => {
    const pair = pairOf(view, source, place);
    const platform = checkPlatform({ pairs: order.devices > 1 ? [pair, pair] : [pair] });
    return { place, verdict: checkMigration(pair), platform, room: roomForSource(source, place) };
  });
  const isUsable = ({ verdict, platform }: Judged): boolean =>
    verdict.kind === "compatible" && platform.kind === "compatible";
  const { strategy, numaNode } = order;
  const ranking = { strategy, source, ...(numaNode === undefined ? {} : { numaNode }) };
  const usable = judged.filter(isUsable);
  const [free, full] = [usable.filter(({ room }) => room.atLeast >= 1), usable.filter(({ room }) => room.atLeast < 1)];
  const ranked = [...rankPlaces(free, ranking), ...rankPlaces(full, ranking)].map(({ place }) => place);
  const served = new Set(ranked.map(({ parent }) => parent));
  const others = judged.filter(({ place }) => !served.has(place.parent));
  return { usable: ranked, refused: nearestOfParents(others, source).map(({ place }) => place) };
}

function nearestOfParents(judged: readonly Judged[], source: MigrationProfile): readonly Judged[] {
  const type = valueOf(source.type);
  const nearness = ({ verdict, platform, place }: Judged): number => {
    const isNo = verdict.kind === "incompatible" || platform.kind === "incompatible";
    return (isNo ? 2 : 0) + (place.type === type ? 0 : 1);
  };
  const byParent = Map.groupBy(judged, ({ place }) => place.parent);
  return [...byParent.values()].flatMap((own) => own.toSorted((a, b) => nearness(a) - nearness(b)).slice(0, 1));
}

/** The question of one device and one place. */
export function pairOf({ policy, packs, memory }: FleetView, source: MigrationProfile, place: Place): Pair {
  return { source, destination: place.profile, policy, packs, memory };
}
