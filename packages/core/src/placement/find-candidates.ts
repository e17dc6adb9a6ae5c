// SPDX-License-Identifier: Apache-2.0

import type { Fleet, FleetHost } from "../inventory/fleet.ts";
import { profileOfDevice } from "../inventory/profile.ts";
import { explainUsage, type Usage } from "../device/device-use.ts";
import { valueOf } from "../device/evidence.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import type { Count, EmptyHost, EmptyParent, Judged, Outcome, PlacementAnswer, Refused } from "./answer.ts";
import { findExistingDevices } from "./existing-devices.ts";
import { judgePlace, refusalOf } from "./judge.ts";
import { findNearMisses } from "./near-miss.ts";
import { comparePlaces, rankPlaces } from "./rank.ts";
import type { PlacementRequest } from "./request.ts";

/** What a place for a device does not say of a place for its VM. */
export const NOT_CHECKED: readonly string[] = [
  "free memory and hugepages for the guest",
  "CPU model and machine type",
  "storage, networks and firmware (libvirt's own pre-flight)",
  "existing devices as destinations (unused ones are named where they are seen to be unused, and not ranked)",
];

/** Nearest first. */
export const OUTCOMES: readonly Outcome[] = ["not-now", "unknown", "not-as-it-stands", "never"];

/**
 * Answers "where may this device go?" over a whole fleet: every place best first, and for every other parent why not.
 * Throws RangeError where the fleet has no such host or the host no such device.
 */
export function findCandidates(fleet: Fleet, request: PlacementRequest): PlacementAnswer {
  const source = findSource(fleet, request);
  const excluded = new Set([request.source.host, ...(request.exceptHosts ?? [])]);
  const hosts = fleet.hosts.filter((host) => !excluded.has(host.snapshot.host));
  const question = { source, fleet, ...(request.memory === undefined ? {} : { memory: request.memory }) };
  const free: Judged[] = [];
  const refused: Refused[] = [];
  for (const place of hosts.flatMap((host) => host.places)) {
    const judged = judgePlace(question, place);
    const refusal = refusalOf(judged);
    if (refusal === undefined) free.push(judged);
    else refused.push(refusal);
  }
  const elsewhere = nearestOfEachParent(refused, free, source);
  const numaNode = request.numaNode ?? numaNodeOf(fleet, source);
  return {
    source,
    sourceUsage: usageOf(fleet, request),
    candidates: rankPlaces(free, {
      strategy: request.strategy,
      source,
      ...(numaNode === undefined ? {} : { numaNode }),
    }),
    elsewhere,
    refused: refused.toSorted(comparePlaces),
    counts: countReasons(elsewhere),
    nearMisses: findNearMisses(elsewhere, source),
    emptyHosts: hosts.filter((host) => host.places.length === 0).map(explainEmpty),
    emptyParents: hosts.filter((host) => host.places.length > 0).flatMap(findEmptyParents),
    existing: findExistingDevices(hosts, question),
    excludedHosts: [...excluded].toSorted(),
    notChecked: NOT_CHECKED,
  };
}

function findSource(fleet: Fleet, request: PlacementRequest): MigrationProfile {
  const { host, device } = request.source;
  const found = fleet.hosts.find((candidate) => candidate.snapshot.host === host);
  if (found === undefined) throw new RangeError(`No host ${JSON.stringify(host)} in the fleet`);
  const profile = profileOfDevice(found.snapshot, device, fleet.policy);
  if (profile === undefined)
    throw new RangeError(`No device ${JSON.stringify(device)} on host ${JSON.stringify(host)}`);
  return profile;
}

function usageOf(fleet: Fleet, { source }: PlacementRequest): Usage {
  const host = fleet.hosts.find(({ snapshot }) => snapshot.host === source.host);
  if (host === undefined) throw new RangeError(`No host ${JSON.stringify(source.host)} in the fleet`);
  return explainUsage(host.snapshot, source.device);
}

function numaNodeOf(fleet: Fleet, source: MigrationProfile): number | undefined {
  const host = fleet.hosts.find((candidate) => candidate.snapshot.host === source.subject.host);
  const parent = host?.snapshot.parents.find((candidate) => candidate.id === source.subject.parent);
  return parent === undefined ? undefined : valueOf(parent.numaNode);
}

/** One entry for each parent without a candidate: its type that is nearest to a yes. */
function nearestOfEachParent(
  refused: readonly Refused[],
  free: readonly Judged[],
  source: MigrationProfile,
): readonly Refused[] {
  const served = new Set(free.map(parentKey));
  const nearest = new Map<string, Refused>();
  for (const place of refused) {
    const key = parentKey(place);
    if (served.has(key)) continue;
    const best = nearest.get(key);
    if (best === undefined || compareNearness(place, best, valueOf(source.type)) < 0) nearest.set(key, place);
  }
  return [...nearest.values()].toSorted(
    (a, b) => OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome) || comparePlaces(a, b),
  );
}

/** The place that is nearest to a yes; undefined where there is none at all. */
export function nearestPlace(refused: readonly Refused[], source: MigrationProfile): Refused | undefined {
  const type = valueOf(source.type);
  return refused.toSorted((a, b) => compareNearness(a, b, type))[0];
}

/** Nearer first; of equally near ones the one of the source's own type, then the one with fewer obstacles. */
function compareNearness(a: Refused, b: Refused, type: string | undefined): number {
  return (
    OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome) ||
    Number(b.place.type === type) - Number(a.place.type === type) ||
    a.codes.length - b.codes.length ||
    comparePlaces(a, b)
  );
}

function parentKey({ place }: Judged): string {
  return JSON.stringify([place.host, place.parent]);
}

/** Sorted by outcome, nearest first, then by how many parents, most first, then by code. */
function countReasons(elsewhere: readonly Refused[]): readonly Count[] {
  const groups = new Map<string, [Refused, ...Refused[]]>();
  for (const refused of elsewhere) {
    const key = JSON.stringify([refused.outcome, refused.codes[0]]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [refused]);
    else group.push(refused);
  }
  return [...groups.values()]
    .map((group) => ({
      outcome: group[0].outcome,
      code: group[0].codes[0],
      text: group[0].why,
      parents: group.length,
      hosts: [...new Set(group.map(({ place }) => place.host))].toSorted(),
    }))
    .toSorted(
      (a, b) =>
        OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome) ||
        b.parents - a.parents ||
        (a.code < b.code ? -1 : a.code > b.code ? 1 : 0),
    );
}

/** Why a host without places has none. */
export function explainEmpty({ snapshot, problems }: FleetHost): EmptyHost {
  const { length } = snapshot.parents;
  const nothing =
    length === 0 ? "it shows no parent device" : `none of its ${length} parent devices lists a type that can be made`;
  const why =
    problems.length === 0
      ? nothing
      : `${nothing}, and ${problems.length} ${problems.length === 1 ? "problem was" : "problems were"} met while it was read`;
  return { host: snapshot.host, why };
}

function findEmptyParents({ snapshot }: FleetHost): readonly EmptyParent[] {
  return snapshot.parents
    .filter(({ types }) => types.length === 0)
    .map(({ id }) => ({ host: snapshot.host, parent: id, why: "it lists no type that can be made" }))
    .toSorted((a, b) => (a.parent < b.parent ? -1 : 1));
}
