// SPDX-License-Identifier: Apache-2.0

import { CONFIDENCES, type PackUse, type Verdict } from "../compatibility/verdict.ts";
import { checkPlatform } from "../compatibility/check-platform.ts";
import { checkRequest } from "./check-request.ts";
import type { ClaimDecision, ClaimRefusal, ClaimRequest } from "./claim-request.ts";
import type { Claim, ClaimAssumption, ClaimedDevice, ClaimedIdentity } from "./claim.ts";
import { explainOffer, type HostRoom } from "./explain-refusal.ts";
import { judgeOffer, refusalOf, type UsableOffer } from "./judge-offer.ts";
import { matchDevices, type Match, type Placed, type Seeker } from "./match-devices.ts";

type Matched = Extract<Match, { readonly kind: "matched" }>;

/** One device with the offers that it may use, and what speaks against the others. */
interface JudgedDevice extends Seeker {
  readonly refused: readonly ClaimRefusal[];
}

/**
 * Decides a claim: places for all devices of a claimant on one host, or none and everything that is in the way.
 *
 * Compatibility and platform need a yes for every device, room has to be certain. Offers are tried best first, so that
 * the first device keeps its best place as long as all others find one. What must be set after creation goes with
 * each device, in order. Nothing here looks at the store: on data that has changed the caller decides again.
 * Throws RangeError or SyntaxError for a request that makes no sense, such as one UUID for two devices.
 */
export function decideClaim(request: ClaimRequest): ClaimDecision {
  checkRequest(request);
  const judged = request.devices.map((_, index) => judgeDevice(request, index));
  const { claimed, used } = request.holders;
  const host: HostRoom = { pools: request.pools, taken: new Set([...claimed, ...used]), holders: request.holders };
  if (judged.some(({ offers }) => offers.length === 0)) return refuse(judged, host, undefined);
  const match = matchDevices(judged, request.pools, host.taken);
  if (match.kind !== "matched") return refuse(judged, host, match);
  // Each offer was judged by itself; policies of several devices may differ, so the VM is judged as a whole.
  const platform = checkPlatform({ pairs: match.placed.map(({ offer }) => offer.pair) });
  const against = refusalOf(platform, ["claim_platform_incompatible", "claim_platform_undetermined"]);
  if (against !== undefined) return { kind: "refused", reasons: [against] };
  const claim = claimOf(request, match, platform);
  return {
    kind: "granted",
    claim,
    pools: match.pools,
    occupants: match.placed.map(({ occupant }) => occupant),
    platform,
  };
}

function judgeDevice(request: ClaimRequest, index: number): JudgedDevice {
  const { uuid = "", offers: pairs = [] } = request.devices[index] ?? {};
  const offers: UsableOffer[] = [];
  const refused: ClaimRefusal[] = [];
  if (pairs.length === 0) {
    refused.push({ code: "claim_no_offer", text: `no place on ${request.host} is offered to it`, device: index });
  }
  for (const pair of pairs) {
    const judged = judgeOffer(pair, { device: index, devices: request.devices.length });
    if (judged.kind === "usable") offers.push(judged.offer);
    else refused.push(...judged.reasons);
  }
  return { uuid: uuid.toLowerCase(), offers, refused };
}

/** Everything that keeps offers from being taken, by device; then what only all devices together meet. */
function refuse(judged: readonly JudgedDevice[], host: HostRoom, match: Match | undefined): ClaimDecision {
  const reasons: ClaimRefusal[] = [];
  let isEachPlaced = true;
  for (const [device, seeker] of judged.entries()) {
    const full = seeker.offers.map((offer) => explainOffer(host, seeker, offer));
    isEachPlaced &&= full.includes(undefined);
    reasons.push(...seeker.refused, ...full.flatMap((found) => (found === undefined ? [] : [{ ...found, device }])));
  }
  if (match?.kind === "bounded") {
    const text = `no way to place ${judged.length} devices was found in ${match.tries} tries, and not all were tried`;
    reasons.push({ code: "claim_search_bounded", text });
  } else if (isEachPlaced) {
    const text = `each of the ${judged.length} devices finds a place by itself, and not all of them together`;
    reasons.push({ code: "claim_not_together", text });
  }
  const [first, ...rest] = reasons;
  if (first === undefined) throw new Error("A claim is refused without a reason");
  return { kind: "refused", reasons: [first, ...rest] };
}

function claimOf(request: ClaimRequest, { placed }: Matched, platform: Verdict): Claim {
  const devices = placed.map((place, index) => deviceOf(place, request.devices[index]?.source));
  const [first, ...rest] = devices;
  if (first === undefined) throw new Error("A claim is granted without a device");
  const verdicts = [...placed.map(({ offer }) => offer.verdict), platform];
  return {
    id: request.id,
    state: "held",
    claimant: request.claimant,
    host: request.host,
    devices: [first, ...rest],
    fence: request.fence,
    principal: request.principal,
    createdAtMs: request.nowMs,
    expiresAtMs: request.nowMs + request.ttlMs,
    restsOn: assumptionsOf(verdicts),
    packs: packsOf(verdicts),
  };
}

function deviceOf({ offer, occupant }: Placed, source: string | undefined): ClaimedDevice {
  const { parent, type, count, countAttribute, units, verdict, fingerprint } = offer;
  return {
    ...(source === undefined ? {} : { source }),
    identity: identityOf(offer, occupant),
    parent,
    type,
    count,
    values: verdict.claims,
    ...(countAttribute === undefined ? {} : { countAttribute }),
    ...(units === undefined ? {} : { units }),
    occupant,
    fingerprint,
  };
}

function identityOf({ framework }: UsableOffer, { id, slot }: Placed["occupant"]): ClaimedIdentity {
  if (framework === "mdev") return { kind: "mdev", uuid: id };
  if (framework === "function") return { kind: "function", address: id };
  return { kind: "vendor-vfio", address: id, ...(slot === undefined ? {} : { slot }) };
}

/** What neither a probe nor a declaration of the drivers carries, each once, in the order of the verdicts. */
function assumptionsOf(verdicts: readonly Verdict[]): readonly ClaimAssumption[] {
  const weak = CONFIDENCES.slice(CONFIDENCES.indexOf("declared") + 1);
  const all = verdicts.flatMap((verdict) => (verdict.kind === "compatible" ? verdict.restsOn : []));
  const kept = all.filter(({ confidence }) => weak.includes(confidence));
  const plain = kept.map(({ rule, code, text, confidence }) => ({ rule, code, text, confidence }));
  return [...new Map(plain.map((item) => [JSON.stringify(item), item])).values()];
}

/** Sorted by name, then version, then digest. */
function packsOf(verdicts: readonly Verdict[]): readonly PackUse[] {
  const all = verdicts.flatMap(({ packs }) => packs);
  const byText = new Map(all.map((pack) => [JSON.stringify([pack.name, pack.version, pack.digest]), pack]));
  return [...byText].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, pack]) => pack);
}
