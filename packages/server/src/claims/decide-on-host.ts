// SPDX-License-Identifier: Apache-2.0

import { DEVICES_MAX } from "@berth/core/claim/check-request";
import { decideClaim } from "@berth/core/claim/decide-claim";
import type { ClaimDecision, ClaimRefusal, WantedDevice } from "@berth/core/claim/claim-request";
import type { Pair } from "@berth/core/compatibility/pair";
import { nextFence, type LedgerDocument } from "@berth/core/claim/ledger-document";
import type { MigrationProfile } from "@berth/core/device/migration-profile";
import type { Place } from "@berth/core/inventory/place";
import { keyOf } from "../documents/keys.ts";
import { roomForSource } from "@berth/core/placement/room-for-source";
import type { ViewedHost } from "../inventory/fleet-view.ts";
import { findAdoption, findCordon, type ClaimContext } from "./claim-context.ts";
import type { ClaimWish } from "./claim-wish.ts";
import { findRoom, placeNow, type HostRoomNow } from "./host-room.ts";
import { findOffers, pairOf } from "./offers-on-host.ts";

/** A host that a claim may stand on. */
export interface ClaimTarget {
  readonly host: string;
  /** For each device the places that the search found best; absent: all of the host's are looked at. */
  readonly best?: readonly (readonly Place[])[];
  /** Where none of the best grants it, the others of the host are not looked at now. */
  readonly isQuick?: true;
  /** The host as it was searched. */
  readonly searched: ViewedHost | undefined;
}

type Refusals = readonly [ClaimRefusal, ...ClaimRefusal[]];

/** What keeps a whole host out, whatever its places are; undefined where nothing does. */
export function findBarrier(context: ClaimContext, wish: ClaimWish, host: string): Refusals | undefined {
  const foreign = findForeignRefusal(wish);
  if (foreign !== undefined) return [foreign];
  const { length } = wish.wanted.sources;
  if (length > DEVICES_MAX) {
    const text = `a claim is for at most ${DEVICES_MAX} devices, and there are ${length}`;
    return [{ code: "claim_search_bounded", text }];
  }
  if (host === wish.wanted.host) {
    return [{ code: "claim_own_host", text: `${host} is where the claimant is already` }];
  }
  const cordon = findCordon(context, host)?.document;
  if (cordon !== undefined) {
    const why = cordon.reason === undefined ? "" : `: ${cordon.reason}`;
    return [{ code: "host_cordoned", text: `${host} is cordoned by ${cordon.principal}${why}` }];
  }
  if (!context.isHeard(host)) {
    return [{ code: "host_silent", text: `no server hears the agent of ${host}, so what is there now is not known` }];
  }
  const unreadable = context.replica.listProblems().find(({ key }) => isOf(host, key));
  if (unreadable !== undefined) {
    return [{ code: "claim_room_unknown", text: `${unreadable.key} cannot be read: ${unreadable.message}` }];
  }
  if ((findAdoption(context, host)?.document.parents ?? []).length === 0) {
    return [{ code: "claim_not_adopted", text: `no parent of ${host} was handed over to Berth` }];
  }
  return undefined;
}

/** Whether a key is of a document that a claim on a host rests on. */
function isOf(host: string, key: string): boolean {
  return key === keyOf("ledger", host) || key === keyOf("adoption", host) || key === keyOf("cordon", host);
}

/** What keeps a claim from every host: the devices are in the hands of somebody else. */
export function findForeignRefusal({ wanted: { foreign } }: ClaimWish): ClaimRefusal | undefined {
  if (foreign === undefined) return undefined;
  const whose = foreign.owner.kind === "unknown" ? "made by somebody unknown" : `made by ${foreign.owner.kind}`;
  return { code: "claim_foreign_vm", text: `VM ${foreign.name} is ${whose} and was not handed over to Berth` };
}

/**
 * Decides a claim on one host by what is known of it now: first on the places that the search found best, then, where that
 * grants nothing, on all places of the host, so that the answer says everything that is in the way.
 */
export function decideOnHost(
  context: ClaimContext,
  { wish, target, ledger }: { readonly wish: ClaimWish; readonly target: ClaimTarget; readonly ledger: LedgerDocument },
): ClaimDecision {
  const viewed = context.replica.view.findHost(target.host);
  if (viewed === undefined) {
    const text = `${target.host} has shown nothing that is known now`;
    return { kind: "refused", reasons: [{ code: "claim_no_offer", text }] };
  }
  const room = findRoom(viewed, ledger, target.searched ?? viewed);
  const adopted = new Set(findAdoption(context, target.host)?.document.parents ?? []);
  const site: Site = { context, wish, target, viewed, room, ledger, adopted };
  const best = findBest(target, viewed)?.map((places) => places.filter(({ parent }) => adopted.has(parent)));
  if (best !== undefined && best.every((places) => places.length > 0)) {
    const taken = target.isQuick === true ? findTaken(site, best) : [];
    if (taken.length > 0) return refuse(taken);
    const quick = decideWith(site, best);
    if (quick.kind === "granted" || target.isQuick === true) return quick;
  }
  return decideOnAll(site);
}

/** The places that the search found, as the host shows them now. */
function findBest({ best, searched }: ClaimTarget, viewed: ViewedHost): ClaimTarget["best"] {
  if (best === undefined || searched?.base === viewed.base) return best;
  return best.map((places) =>
    places.flatMap(({ parent, type }) => {
      return viewed.base.places.find((place) => place.parent === parent && place.type === type) ?? [];
    }),
  );
}

interface Site {
  readonly context: ClaimContext;
  readonly wish: ClaimWish;
  readonly target: ClaimTarget;
  readonly viewed: ViewedHost;
  readonly room: HostRoomNow;
  readonly ledger: LedgerDocument;
  readonly adopted: ReadonlySet<string>;
}

/**
 * Places that claims of this moment took, where the only device finds all of its best ones so: known by their room alone,
 * without a verdict. Empty: that is not so.
 */
function findTaken({ wish, room }: Site, best: readonly (readonly Place[])[]): readonly ClaimRefusal[] {
  const [source, ...others] = wish.wanted.sources;
  if (others.length > 0) return [];
  const places = best.flat();
  const isFull = (place: Place): boolean => roomForSource(source, placeNow(place, room.pools)).atMost < 1;
  if (room.holders.seen !== undefined || !places.every(isFull)) return [];
  return places.map(({ parent, type }) => {
    const text = `no room for ${type} on ${parent} now: other claims took it since the search`;
    return { code: "claim_no_room", text, device: 0, parent, type };
  });
}

function decideOnAll(site: Site): ClaimDecision {
  const { wish, viewed, room, adopted, context } = site;
  const places = viewed.base.places.map((place) => placeNow(place, room.pools));
  const { strategy, numaNode } = wish;
  const order = { strategy, devices: wish.wanted.sources.length, ...(numaNode === undefined ? {} : { numaNode }) };
  const { view } = context.replica;
  const found = wish.wanted.sources.map((source) => {
    const all = findOffers(view, { source, places }, order);
    const isOurs = ({ parent }: Place): boolean => adopted.has(parent);
    const own = all.usable.filter(isOurs);
    const offered = [...own, ...all.refused.filter(isOurs)];
    return { offered, barred: all.usable.filter((place) => !isOurs(place)) };
  });
  const barred = found.flatMap(({ barred: places }, device) => notAdopted(places, device));
  if (found.some(({ offered }) => offered.length === 0) && barred.length > 0) return refuse(barred);
  const decision = decideWith(
    site,
    found.map(({ offered }) => offered),
  );
  if (decision.kind === "granted") return decision;
  return refuse([...decision.reasons, ...barred]);
}

/** Places that would do, on parents that were not handed over; each parent once. */
function notAdopted(places: readonly Place[], device: number): readonly ClaimRefusal[] {
  return [...new Map(places.map((place) => [place.parent, place])).values()].map(({ parent, type }) => ({
    code: "claim_not_adopted",
    text: `${parent} was not handed over to Berth`,
    device,
    parent,
    type,
  }));
}

function refuse(reasons: readonly ClaimRefusal[]): ClaimDecision {
  const [first, ...rest] = reasons;
  if (first === undefined) throw new Error("A claim is refused without a reason");
  return { kind: "refused", reasons: [first, ...rest] };
}

function decideWith(site: Site, places: readonly (readonly Place[])[]): ClaimDecision {
  const { wish, room, ledger, target, context } = site;
  const { view } = context.replica;
  const devices = wish.wanted.sources.map((source, index) =>
    deviceOf(wish, { source, index, offers: (places[index] ?? []).map((place) => pairOf(view, source, place)) }),
  );
  const [first, ...others] = devices;
  if (first === undefined) throw new Error("A claim is decided for no device");
  return decideClaim({
    id: wish.id,
    claimant: wish.wanted.claimant,
    host: target.host,
    devices: [first, ...others],
    ...room,
    nowMs: context.now(),
    ttlMs: wish.ttlMs,
    fence: nextFence(ledger),
    principal: wish.principal,
  });
}

function deviceOf(
  wish: ClaimWish,
  {
    source,
    index,
    offers,
  }: { readonly source: MigrationProfile; readonly index: number; readonly offers: readonly Pair[] },
): WantedDevice {
  const uuid = wish.uuids[index] ?? "";
  return { uuid, offers, ...(wish.wanted.host === undefined ? {} : { source: source.subject.id }) };
}
