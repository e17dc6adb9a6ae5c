// SPDX-License-Identifier: Apache-2.0

import type { Pool } from "@berth/core/capacity/pool";
import type { Policy } from "@berth/core/compatibility/policy";
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
import { explainSearch } from "../inventory/explain-search.ts";
import { FleetView, type ViewedHost } from "../inventory/fleet-view.ts";

/** Candidates unless said. */
const LIMIT_DEFAULT = 10;
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

/** Answers `POST /v1/candidates`. */
export function answerCandidates(view: FleetView, request: CandidatesRequest): CandidatesAnswer {
  const searched = request.policy === undefined ? view : viewUnder(view, request);
  const source = findProfile(view, { reference: request.source, place: "/source", policy: searched.policy });
  for (const [place, names] of [
    ["/hosts", request.hosts],
    ["/exceptHosts", request.exceptHosts],
  ] as const) {
    for (const [at, name] of (names ?? []).entries()) requireHost(view, name, `${place}/${at}`);
  }
  const own = source.subject.host;
  const excludedHosts = [...new Set([own, ...(request.exceptHosts ?? []), ...view.cordons])].toSorted();
  const numaNode = request.numaNode ?? numaNodeOf(view, source);
  const search: CandidateSearch = {
    source,
    strategy: request.strategy ?? "fragmentation",
    exceptHosts: excludedHosts,
    limit: request.limit ?? LIMIT_DEFAULT,
    ...(request.hosts === undefined ? {} : { onlyHosts: request.hosts }),
    ...(numaNode === undefined ? {} : { numaNode }),
  };
  const { candidates } = searchCandidates(searched, search);
  return {
    generation: view.generation,
    source: documentOf(source),
    candidates: candidates.map(({ place: { host, parent, type }, ...rest }) => ({ host, parent, type, ...rest })),
    ...(request.explain === false ? {} : { outcomes: explainSearch(searched, search) }),
    excludedHosts,
    notChecked: NOT_CHECKED,
  };
}

/** A view of the wanted hosts alone, judged by a policy that is not the one in force. */
function viewUnder(view: FleetView, request: CandidatesRequest): FleetView {
  const names = new Set(request.hosts ?? view.hostNames);
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
  throw new BerthError("unknown_host", `There is no host ${quote(name)} in the inventory`, {
    place,
    expected: "a host that GET /v1/hosts lists",
  });
}

function findDestination(view: FleetView, reference: EndReference): PairDestination | undefined {
  if ("profile" in reference) return undefined;
  const pools: readonly Pool[] = view.findHost(reference.host)?.host.pools ?? [];
  return "device" in reference
    ? { pools, host: reference.host, device: reference.device.toLowerCase() }
    : { pools, ...reference };
}

function numaNodeOf(view: FleetView, { subject }: MigrationProfile): number | undefined {
  const parents = view.findHost(subject.host)?.host.snapshot.parents;
  const parent = parents?.find(({ id }) => id === subject.parent);
  return parent === undefined ? undefined : valueOf(parent.numaNode);
}

function isSameDevice(a: { host: string; device: string }, b: { host: string; device: string }): boolean {
  return a.host === b.host && a.device.toLowerCase() === b.device.toLowerCase();
}

function documentOf(profile: MigrationProfile): object {
  return formatProfileDocument(profile) as object;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
