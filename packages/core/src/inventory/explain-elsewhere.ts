// SPDX-License-Identifier: Apache-2.0

import { hasBit, type Bitset } from "./bitset.ts";
import type { ClassId } from "./class-columns.ts";
import { patternOf, viewFrom, type CompiledSource, type StemView } from "./compiled-source.ts";
import type { Judgement } from "./judgement.ts";
import type { MigrationIndex } from "./migration-index.ts";
import { comparePlaceIds, NO_CLASS, UNLIMITED_ROOM, type PlaceId } from "./place-table.ts";
import {
  answersAbout,
  answersOneByOne,
  outcomeOfRuling,
  outcomeOfPattern,
  type Asked,
  type Gate,
  type OutcomeId,
} from "./source-answers.ts";

/** Which places are to be counted. Hosts that are left out are not counted at all. */
export interface ElsewhereQuery {
  readonly source: CompiledSource;
  /** Devices that must surely fit. */
  readonly atLeastFree: number;
  readonly exceptHost?: string;
  readonly exceptHosts?: Bitset;
}

/** How far a place is from being one to move to; the first is one. Nearest first. */
export const ELSEWHERE_KINDS = [
  "candidate",
  "not-now",
  "room-unknown",
  "unknown",
  "not-as-it-stands",
  "never",
] as const;
export type ElsewhereKind = (typeof ELSEWHERE_KINDS)[number];

/** How many places, and hosts, come to one outcome. */
export interface ElsewhereCount {
  readonly kind: ElsewhereKind;
  /** Code of the first reason or missing fact, `no_room`, `room_unknown`, or empty for candidates. */
  readonly code: string;
  readonly places: number;
  /** Hosts whose nearest place comes to this: every host with a place is counted once. */
  readonly hosts: number;
  /** The first such place by host name, then place name. */
  readonly example: PlaceId;
}

/**
 * What becomes of every place of the fleet for this source, counted, nearest outcome first: candidates, no room now,
 * room not known, undetermined, incompatible as it stands, incompatible for good; of one kind the later rule first, which
 * is the one that got further, then by code. One pass over the classes, one over the places.
 */
export function explainElsewhere(index: MigrationIndex, query: ElsewhereQuery): readonly ElsewhereCount[] {
  if (!(query.atLeastFree >= 0)) throw new RangeError(`Room asked for must be a count, got ${query.atLeastFree}`);
  const steps = stepsOf(index.book.judgements, outcomesOfClasses(index, query.source));
  const tally = tallyPlaces(index, query, steps);
  const counts: ElsewhereCount[] = [];
  for (const [step, { kind, code }] of steps.outcomes.entries()) {
    const places = tally.places[step] ?? 0;
    if (places === 0) continue;
    counts.push({ kind, code, places, hosts: tally.hosts[step] ?? 0, example: tally.examples[step] ?? 0 });
  }
  return counts;
}

// Columns that every question writes anew: allocating a megabyte for each would keep the garbage collector busy.
let classOutcomes: Int32Array = new Int32Array(0);
let classSteps: Uint16Array = new Uint16Array(0);
let nearestSteps: Uint16Array = new Uint16Array(0);

/** The outcome of each class that has places, whatever their room. Most stems are ruled out at one look for all their classes. */
function outcomesOfClasses(index: MigrationIndex, source: CompiledSource): Int32Array {
  const { columns, book } = index;
  const asked = { book, columns, source };
  const answers = answersAbout(asked);
  const singles = answersOneByOne(answers, asked).byClass;
  const views = new Map<number, StemView>();
  if (classOutcomes.length < columns.length) classOutcomes = new Int32Array(columns.length * 2);
  const outcomes = classOutcomes.subarray(0, columns.length);
  const ruledOut = new Int32Array(columns.allStems.length).fill(-1);
  for (let id = 0; id < columns.length; id += 1) {
    if (columns.counts[id] === 0) continue;
    const stem = columns.stems[id] ?? 0;
    const found = ruledOut[stem] ?? -1;
    if (found >= 0) {
      outcomes[id] = found;
      continue;
    }
    const gate = answers.gates.get(stem);
    const single = singles.get(id);
    if (gate !== undefined) outcomes[id] = outcomeAtGate(gate, id, { asked, views });
    else if (single !== undefined) outcomes[id] = single;
    else outcomes[id] = ruledOut[stem] = outcomeOfRuling(answers, id, asked);
  }
  return outcomes;
}

function outcomeAtGate(
  gate: Gate,
  id: ClassId,
  { asked, views }: { readonly asked: Asked; readonly views: Map<number, StemView> },
): OutcomeId {
  const view = views.get(gate.stem.id) ?? viewFrom(gate.stem, asked.source);
  views.set(gate.stem.id, view);
  const pattern = patternOf(asked.columns, id, { stem: gate.stem, view });
  const found = gate.outcomes[pattern] ?? -1;
  return found >= 0 ? found : outcomeOfPattern(gate, { pattern, id }, asked);
}

interface Outcome {
  readonly kind: ElsewhereKind;
  readonly code: string;
}

/** Outcomes in order of nearness, by number; classes that are compatible have the number 0. */
interface Steps {
  readonly outcomes: readonly Outcome[];
  readonly byClass: Uint16Array;
}

const CANDIDATE = 0;
const NO_ROOM = 1;
const ROOM_UNKNOWN = 2;
const OF_ROOM: readonly Outcome[] = [
  { kind: "candidate", code: "" },
  { kind: "not-now", code: "no_room" },
  { kind: "room-unknown", code: "room_unknown" },
];

function stepsOf(judgements: readonly Judgement[], outcomes: Int32Array): Steps {
  const refused = judgements.flatMap((judgement, id) =>
    judgement.kind === "compatible" ? [] : [{ id, ...judgement }],
  );
  refused.sort(
    (a, b) =>
      ELSEWHERE_KINDS.indexOf(a.kind) - ELSEWHERE_KINDS.indexOf(b.kind) ||
      b.rule - a.rule ||
      (a.code < b.code ? -1 : a.code > b.code ? 1 : 0),
  );
  const stepOf = new Uint16Array(judgements.length);
  for (const [step, { id }] of refused.entries()) stepOf[id] = OF_ROOM.length + step;
  if (classSteps.length < outcomes.length) classSteps = new Uint16Array(outcomes.length * 2);
  const byClass = classSteps;
  for (let id = 0; id < outcomes.length; id += 1) byClass[id] = stepOf[outcomes[id] ?? 0] ?? 0;
  return { outcomes: [...OF_ROOM, ...refused], byClass };
}

/** Places, hosts and the first place, by step. */
interface Tally {
  readonly places: Int32Array;
  readonly hosts: Int32Array;
  readonly examples: Int32Array;
}

/** No host's rank is as high. */
const HIGHEST_RANK = 2 ** 31 - 1;

function tallyPlaces(index: MigrationIndex, query: ElsewhereQuery, steps: Steps): Tally {
  const { places } = index;
  const { classes, hosts, hostNames, length, roomAtLeast, roomAtMost } = places;
  const { ranks } = hostNames;
  const { byClass } = steps;
  const count = steps.outcomes.length;
  const exceptHost = query.exceptHost === undefined ? -1 : (hostNames.ordinals.get(query.exceptHost) ?? -1);
  const { exceptHosts } = query;
  const wanted = Math.min(query.atLeastFree, UNLIMITED_ROOM);
  const hostCount = hostNames.texts.length;
  if (nearestSteps.length < hostCount) nearestSteps = new Uint16Array(hostCount * 2);
  const nearest = nearestSteps.subarray(0, hostCount).fill(count);
  const counts = new Int32Array(count);
  const examples = new Int32Array(count);
  const exampleRanks = new Int32Array(count).fill(HIGHEST_RANK);
  for (let id = 0; id < length; id += 1) {
    const own = classes[id] ?? NO_CLASS;
    const host = hosts[id] ?? 0;
    if (own === NO_CLASS || host === exceptHost) continue;
    if (exceptHosts !== undefined && hasBit(exceptHosts, host)) continue;
    let step = byClass[own] ?? 0;
    if (step === CANDIDATE && (roomAtLeast[id] ?? 0) < wanted) {
      step = (roomAtMost[id] ?? 0) < wanted ? NO_ROOM : ROOM_UNKNOWN;
    }
    counts[step] = (counts[step] ?? 0) + 1;
    if (step < (nearest[host] ?? 0)) nearest[host] = step;
    const rank = ranks[host] ?? 0;
    const least = exampleRanks[step] ?? 0;
    if (rank > least || (rank === least && comparePlaceIds(places, id, examples[step] ?? 0) > 0)) continue;
    exampleRanks[step] = rank;
    examples[step] = id;
  }
  const hostCounts = new Int32Array(count + 1);
  for (const step of nearest) hostCounts[step] = (hostCounts[step] ?? 0) + 1;
  return { places: counts, hosts: hostCounts, examples };
}
