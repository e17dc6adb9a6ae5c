// SPDX-License-Identifier: Apache-2.0

import type { Pool } from "@berth/core/capacity/pool";
import type { Policy } from "@berth/core/compatibility/policy";
import { explainUsage } from "@berth/core/device/device-use";
import { valueOf } from "@berth/core/device/evidence";
import type { MigrationProfile } from "@berth/core/device/migration-profile";
import { profileOfDevice, profileOfType } from "@berth/core/inventory/profile";
import { checkPair, type PairDestination } from "@berth/core/placement/check-pair";
import { NOT_CHECKED } from "@berth/core/placement/find-candidates";
import type { CandidatesAnswer, CheckAnswer } from "@berth/core/protocol/api/answers";
import type { CandidatesRequest, CheckRequest, EndReference } from "@berth/core/protocol/api/requests";
import { BerthError } from "@berth/core/protocol/berth-error";
import { parsePolicyDocument } from "@berth/core/protocol/policy-schema";
import { formatProfileDocument, parseProfileDocument } from "@berth/core/protocol/profile-schema";
import { searchCandidates, type CandidateSearch } from "../inventory/candidate-search.ts";
import { formatCandidate, type CandidateWriter } from "../inventory/candidate-writer.ts";
import { explainSearch } from "../inventory/explain-search.ts";
import { FleetView, type ViewedHost } from "../inventory/fleet-view.ts";
import { findWantedHosts, requireNamedHosts, searchByWeight } from "./candidate-wishes.ts";
import { quote, unknownHost } from "./served.ts";

/** Candidates unless said. */
export const LIMIT_DEFAULT = 10;
/** Hosts that a search may span whose policy is not the one in force: their places are all judged anew for it. */
export const OWN_POLICY_HOSTS_MAX = 256;

/** Answers `POST /v1/checks`. */
export function answerCheck(view: FleetView, request: CheckRequest): CheckAnswer {
  const policy = policyOf(view, request);
  const { source, destination } = request;
  if ("device" in source && "device" in destination && isSameDevice(source, destination)) {
    throw new BerthError("invalid_reference", "Source and destination are one and the same device", {
      place: "/destination",
      expected: "a type on a parent, or another device",
    });
  }
  const pair = {
    source: findProfile(view, { reference: source, place: "/source", policy }),
    destination: findProfile(view, { reference: destination, place: "/destination", policy }),
    policy,
    packs: view.packs,
    memory: view.memory,
  };
  const answer = checkPair(pair, findDestination(view, destination));
  return {
    generation: view.generation,
    ...answer,
    source: documentOf(answer.source),
    destination: documentOf(answer.destination),
    room: answer.room ?? null,
  };
}

/** Answers `POST /v1/candidates` for a device or a profile. */
export function answerCandidates(view: FleetView, request: CandidatesRequest): CandidatesAnswer {
  const { searched, search } = planSearch(view, request);
  const { weights } = request;
  const candidates =
    weights === undefined ? searchCandidates(searched, search).candidates : searchByWeight(searched, search, weights);
  return {
    generation: view.generation,
    source: documentOf(search.source),
    candidates: candidates.map(formatCandidate),
    ...(request.explain === false ? {} : { outcomes: explainSearch(searched, search) }),
    excludedHosts: search.exceptHosts,
    notChecked: NOT_CHECKED,
  };
}

/** The JSON text of what `answerCandidates` answers, at a fraction of its cost. */
export function writeCandidates(writer: CandidateWriter, view: FleetView, request: CandidatesRequest): string {
  // A view under a policy of its own lives for one question: nothing of it is worth keeping.
  if (request.policy !== undefined || request.weights !== undefined) {
    return JSON.stringify(answerCandidates(view, request));
  }
  const { search } = planSearch(view, request);
  const out = [`{"generation":${JSON.stringify(view.generation)},`];
  writer.write(view, search, out);
  if (request.explain !== false) out.push(`,"outcomes":${JSON.stringify(explainSearch(view, search))}`);
  out.push(`,"excludedHosts":${JSON.stringify(search.exceptHosts)},"notChecked":${NOT_CHECKED_TEXT}}`);
  let text = "";
  for (const part of out) text += part;
  return text;
}

const NOT_CHECKED_TEXT = JSON.stringify(NOT_CHECKED);

/** What a request comes to: the view that is searched, and for what. */
function planSearch(
  view: FleetView,
  request: CandidatesRequest,
): { readonly searched: FleetView; readonly search: CandidateSearch } {
  requireNamedHosts(view, request);
  const wanted = findWantedHosts(view, request);
  const searched = request.policy === undefined ? view : viewUnder(view, request, wanted ?? view.hostNames);
  const { source: reference } = request;
  if ("vm" in reference) throw new RangeError("A VM is searched for with all its devices");
  const source = findProfile(view, { reference, place: "/source", policy: searched.policy });
  const own = source.subject.host;
  const numaNode = request.numaNode ?? numaNodeOf(view, source);
  const search: CandidateSearch = {
    source,
    strategy: request.strategy ?? "fragmentation",
    exceptHosts: [...new Set([own, ...(request.exceptHosts ?? []), ...view.cordons])].toSorted(),
    limit: request.limit ?? LIMIT_DEFAULT,
    ...(wanted === undefined ? {} : { onlyHosts: wanted }),
    ...(numaNode === undefined ? {} : { numaNode }),
  };
  return { searched, search };
}

/** A view of some hosts alone, judged by a policy that is not the one in force. Throws BerthError `search_too_large`. */
export function viewUnder(view: FleetView, request: CandidatesRequest, hosts: readonly string[]): FleetView {
  const names = new Set(hosts);
  if (names.size > OWN_POLICY_HOSTS_MAX) {
    const message = `A search under a policy of its own may span ${OWN_POLICY_HOSTS_MAX} hosts, not ${names.size}`;
    throw new BerthError("search_too_large", message, { place: "/policy", expected: "fewer hosts named in hosts" });
  }
  const { packs, memory, generation } = view;
  const own = new FleetView({ policy: policyOf(view, request), packs, memory, epoch: generation.epoch });
  for (const name of names) {
    const viewed = view.findHost(name);
    if (viewed !== undefined) own.putSnapshot(viewed.host.snapshot);
  }
  return own;
}

function policyOf(view: FleetView, { policy }: { readonly policy?: object }): Policy {
  return policy === undefined ? view.policy : parsePolicyDocument(policy, "/policy");
}

interface End {
  readonly reference: EndReference;
  /** JSON pointer into the request. */
  readonly place: string;
  readonly policy: Policy;
}

function findProfile(view: FleetView, { reference, place, policy }: End): MigrationProfile {
  if ("profile" in reference) return parseProfileDocument(reference.profile, `${place}/profile`);
  const { snapshot } = requireHost(view, reference.host, `${place}/host`).host;
  if ("device" in reference) {
    const profile = profileOfDevice(snapshot, reference.device.toLowerCase(), policy);
    if (profile !== undefined) return profile;
    throw new BerthError("unknown_device", `Host ${quote(reference.host)} has no device ${quote(reference.device)}`, {
      place: `${place}/device`,
      expected: "a device that GET /v1/devices lists",
    });
  }
  const profile = profileOfType(snapshot, reference, policy);
  if (profile !== undefined) return profile;
  const parent = snapshot.parents.find(({ id }) => id === reference.parent);
  const [code, key, what] =
    parent === undefined
      ? (["unknown_parent", "parent", "parent"] as const)
      : (["unknown_type", "type", "type"] as const);
  throw new BerthError(code, `Host ${quote(reference.host)} has no such ${what} ${quote(reference[key])}`, {
    place: `${place}/${key}`,
    expected: "a parent and a type that GET /v1/parents lists",
  });
}

/** The host of that name. Throws BerthError `unknown_host`. */
export function requireHost(view: FleetView, name: string, place: string): ViewedHost {
  const found = view.findHost(name);
  if (found !== undefined) return found;
  throw unknownHost(name, place);
}

function findDestination(view: FleetView, reference: EndReference): PairDestination | undefined {
  if ("profile" in reference) return undefined;
  const host = view.findHost(reference.host)?.host;
  const pools: readonly Pool[] = host?.pools ?? [];
  if (!("device" in reference)) return { pools, ...reference };
  const device = reference.device.toLowerCase();
  const usage = host === undefined ? {} : { usage: explainUsage(host.snapshot, device) };
  return { pools, host: reference.host, device, ...usage };
}

function numaNodeOf(view: FleetView, { subject }: MigrationProfile): number | undefined {
  const parents = view.findHost(subject.host)?.host.snapshot.parents;
  const parent = parents?.find(({ id }) => id === subject.parent);
  return parent === undefined ? undefined : valueOf(parent.numaNode);
}

function isSameDevice(a: { host: string; device: string }, b: { host: string; device: string }): boolean {
  return a.host === b.host && a.device.toLowerCase() === b.device.toLowerCase();
}

/** A profile as a document of docs/schemas/profile.json. */
export function documentOf(profile: MigrationProfile): object {
  return formatProfileDocument(profile) as object;
}
