// SPDX-License-Identifier: Apache-2.0

import { groupBy } from "../device/group-by.ts";
import { checkPlatform } from "../compatibility/check-platform.ts";
import { NO_MEMORY } from "../compatibility/pair.ts";
import type { Remedy } from "../compatibility/verdict.ts";
import { valueOf } from "../device/evidence.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import type { Fleet, FleetHost } from "../inventory/fleet.ts";
import { profileOfDevice } from "../inventory/profile.ts";
import type { Judged, Refused } from "./answer.ts";
import { explainEmpty, nearestPlace, NOT_CHECKED, OUTCOMES } from "./find-candidates.ts";
import { judgePlace, refusalOf } from "./judge.ts";
import { findNearMisses } from "./near-miss.ts";
import { pairDevices, type Need, type Pairing } from "./pair-devices.ts";
import { rankPlaces } from "./rank.ts";
import type {
  VmCandidate,
  VmNearMiss,
  VmObstacle,
  VmPlacementAnswer,
  VmPlacementRequest,
  VmRefused,
} from "./vm-answer.ts";
import { compareKeys } from "./vm-key.ts";

/**
 * Answers "where may this VM go?" over a whole fleet: hosts where every one of its devices has a place, all at once and
 * each with room of its own, best first; and for every other host which device has none, and why. Several devices are
 * judged as such: all need P2P (R10).
 *
 * Throws RangeError where the fleet has no such host, the host no such VM or device, or the VM no device.
 */
export function findVmCandidates(fleet: Fleet, request: VmPlacementRequest): VmPlacementAnswer {
  const source = findSource(fleet, request);
  const excluded = new Set([request.host, ...(request.exceptHosts ?? [])]);
  const hosts = fleet.hosts.filter(({ snapshot }) => !excluded.has(snapshot.host));
  const searched = hosts
    .filter(({ places }) => places.length > 0)
    .map((host) => searchHost(host, { fleet, request, source }));
  const found = searched.flatMap((item) => ("candidate" in item ? item : []));
  const elsewhere = searched.flatMap((item) => ("refused" in item ? item.refused : []));
  return {
    host: request.host,
    ...(source.vm === undefined ? {} : { vm: source.vm }),
    sources: source.profiles,
    candidates: found
      .toSorted((a, b) => compareKeys(a.key, b.key) || compareText(a.candidate.host, b.candidate.host))
      .map(({ candidate }, index) => ({ ...candidate, rank: index + 1 })),
    elsewhere: elsewhere.toSorted(
      (a, b) => OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome) || compareText(a.host, b.host),
    ),
    nearMisses: findVmNearMisses(elsewhere, source.profiles),
    emptyHosts: hosts.filter(({ places }) => places.length === 0).map(explainEmpty),
    excludedHosts: [...excluded].toSorted(),
    notChecked: NOT_CHECKED,
  };
}

interface Source {
  readonly host: FleetHost;
  readonly vm?: FleetHost["snapshot"]["virtualMachines"][number];
  /** Sorted by device id. */
  readonly profiles: readonly MigrationProfile[];
}

function findSource(fleet: Fleet, request: VmPlacementRequest): Source {
  const host = fleet.hosts.find(({ snapshot }) => snapshot.host === request.host);
  if (host === undefined) throw new RangeError(`No host ${JSON.stringify(request.host)} in the fleet`);
  const vm = "vm" in request ? host.snapshot.virtualMachines.find(({ id }) => id === request.vm) : undefined;
  if ("vm" in request && vm === undefined) {
    throw new RangeError(`No VM ${JSON.stringify(request.vm)} on host ${JSON.stringify(request.host)}`);
  }
  const devices = "vm" in request ? (vm?.devices ?? []).map(({ device }) => device) : request.devices;
  if (devices.length === 0) throw new RangeError("A VM without devices can go wherever its guest can");
  const profiles = [...new Set(devices)].toSorted().map((device) => {
    const profile = profileOfDevice(host.snapshot, device, fleet.policy);
    if (profile !== undefined) return profile;
    throw new RangeError(`No device ${JSON.stringify(device)} on host ${JSON.stringify(request.host)}`);
  });
  return { host, ...(vm === undefined ? {} : { vm }), profiles };
}

interface Question {
  readonly fleet: Fleet;
  readonly request: VmPlacementRequest;
  readonly source: Source;
}

type Searched =
  { readonly candidate: Omit<VmCandidate, "rank">; readonly key: readonly number[] } | { readonly refused: VmRefused };

function searchHost(host: FleetHost, question: Question): Searched {
  const judged = question.source.profiles.map((profile) => judgeHost(host, profile, question));
  const obstacles = judged.flatMap(({ need, refused }) => {
    const nearest = need.places.length === 0 ? nearestPlace(refused, need.source) : undefined;
    return nearest === undefined ? [] : { device: need.source.subject.id, nearest };
  });
  const [first, ...others] = obstacles.toSorted((a, b) => distanceOf(b) - distanceOf(a));
  if (first !== undefined) return { refused: refuseFor(host, [first, ...others], judged.length) };
  const needs = judged.map(({ need }) => need);
  const pairing = pairDevices(needs, question.request.strategy);
  if (pairing.kind === "paired") return candidateOf(host, question, pairing);
  const mayHaveMore = judged.some(({ refused }) => refused.some(({ outcome }) => outcome === "unknown"));
  return { refused: refuseTogether(host, needs, { ...pairing, isUnknown: pairing.isUnknown || mayHaveMore }) };
}

interface JudgedHost {
  readonly need: Need;
  readonly refused: readonly Refused[];
}

function judgeHost(host: FleetHost, source: MigrationProfile, { fleet, request, source: from }: Question): JudgedHost {
  const free: Judged[] = [];
  const refused: Refused[] = [];
  const memory = request.memory === undefined ? {} : { memory: request.memory };
  const several = from.profiles.length > 1 ? { isOneOfSeveral: true as const } : {};
  for (const place of host.places) {
    const judged = judgePlace({ source, fleet, ...memory, ...several }, place);
    const refusal = refusalOf(judged);
    if (refusal === undefined) free.push(judged);
    else refused.push(refusal);
  }
  const own = from.host.snapshot.parents.find(({ id }) => id === source.subject.parent);
  const node = request.numaNode ?? (own === undefined ? undefined : valueOf(own.numaNode));
  const numaNode = node === undefined ? {} : { numaNode: node };
  const places = rankPlaces(free, { strategy: request.strategy, source, ...numaNode });
  return { need: { source, places, ...numaNode }, refused };
}

function candidateOf(host: FleetHost, question: Question, pairing: Pairing & { readonly kind: "paired" }): Searched {
  const { fleet, request, source } = question;
  const assignments = pairing.chosen.flatMap(({ judged, slot }, index) => {
    const profile = source.profiles[index];
    if (profile === undefined) return [];
    return { device: profile.subject.id, judged, ...(slot === undefined ? {} : { slot }) };
  });
  const pairs = assignments.flatMap(({ judged }, index) => {
    const profile = source.profiles[index];
    if (profile === undefined) return [];
    const { policy, packs } = fleet;
    return { source: profile, destination: judged.place.profile, policy, packs, memory: request.memory ?? NO_MEMORY };
  });
  const candidate = {
    host: host.snapshot.host,
    assignments,
    platform: checkPlatform({ pairs }),
    because: pairing.rank.because,
    isBest: pairing.isComplete,
  };
  return { candidate, key: pairing.rank.key };
}

function distanceOf({ nearest }: VmObstacle): number {
  return OUTCOMES.indexOf(nearest.outcome);
}

function refuseFor(host: FleetHost, obstacles: readonly [VmObstacle, ...VmObstacle[]], count: number): VmRefused {
  const [first] = obstacles;
  const [code, ...codes] = new Set(obstacles.flatMap(({ nearest }) => nearest.codes));
  const whys = [...groupBy(obstacles, ({ nearest }) => nearest.why)].map(([why, alike]) => {
    const isAll = count > 1 && alike.length === count;
    const which = isAll ? `any of the ${count} devices` : alike.map(({ device }) => device).join(", ");
    return `no place for ${which}: ${why}`;
  });
  return {
    host: host.snapshot.host,
    outcome: first.nearest.outcome,
    codes: [code ?? first.nearest.codes[0], ...codes],
    why: whys.join("; "),
    obstacles,
  };
}

/** Each device has a place, and no way was found to seat all of them. */
function refuseTogether(
  host: FleetHost,
  needs: readonly Need[],
  { at, why, isUnknown, isComplete }: Pairing & { readonly kind: "short" },
): VmRefused {
  const device = needs[at]?.source.subject.id ?? "";
  const after = at === 1 ? "1 device has" : `${at} devices have`;
  const text = `each of the ${needs.length} devices has a place, and not all together: after ${after} theirs, none is left for ${device} (${why})`;
  const here = { host: host.snapshot.host, obstacles: [] };
  if (!isComplete) {
    const cut = `${text}; the search was cut off, so this is not certain`;
    return { ...here, outcome: "unknown", codes: ["search_cut_off"], why: cut };
  }
  if (isUnknown)
    return { ...here, outcome: "unknown", codes: ["room_unknown"], why: `${text}; some room is not known` };
  return { ...here, outcome: "not-now", codes: ["no_room_together"], why: text };
}

/** Hosts where something would give each device without a place one, in the order of hosts that need least. */
function findVmNearMisses(refused: readonly VmRefused[], profiles: readonly MigrationProfile[]): readonly VmNearMiss[] {
  return refused
    .flatMap((host) => {
      const mended = host.obstacles.map(({ device, nearest }) => {
        const source = profiles.find(({ subject }) => subject.id === device);
        return source === undefined ? [] : (findNearMisses([nearest], source)[0]?.remedies ?? []);
      });
      const distinct = new Map<string, Remedy>(mended.flat().map((remedy) => [JSON.stringify(remedy), remedy]));
      const [first, ...others] = distinct.values();
      if (first === undefined || mended.some((remedies) => remedies.length === 0)) return [];
      const remedies: VmNearMiss["remedies"] = [first, ...others];
      return { refused: host, remedies };
    })
    .toSorted(
      (a, b) =>
        OUTCOMES.indexOf(a.refused.outcome) - OUTCOMES.indexOf(b.refused.outcome) ||
        a.remedies.length - b.remedies.length ||
        compareText(a.refused.host, b.refused.host),
    );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
