// SPDX-License-Identifier: Apache-2.0

import type { Room } from "@berth/core/capacity/pool";
import type { MigrationProfile } from "@berth/core/device/migration-profile";
import type { Place } from "@berth/core/inventory/place";
import type { PlaceId } from "@berth/core/inventory/place-table";
import type { Candidate, Judged } from "@berth/core/placement/answer";
import { refusalOf } from "@berth/core/placement/judge";
import { measurePlace, rankPlaces, type PlaceMeasure } from "@berth/core/placement/rank";
import { roomForSource } from "@berth/core/placement/room-for-source";
import { fillTemplate, joinTemplates, settleTemplate, type Template } from "./answer-template.ts";
import { AnswerTexts, type KnownProfile, type PairAnswer } from "./answer-texts.ts";
import { findWinners, isColumnar, searchCandidates, type CandidateSearch } from "./candidate-search.ts";
import type { FleetView } from "./fleet-view.ts";
import { isSameList } from "./found-list.ts";

/** What a place is to any device of one unit. */
interface PlaceFacts extends PlaceMeasure {
  readonly place: Place;
  readonly room: Room;
  readonly known: KnownProfile;
  /** Most places are found by sources of one form: the last answer, made ready for all of those. */
  settled?: { readonly from: Template; readonly template: Template; readonly because: string };
}

interface Winner extends Judged {
  readonly facts: PlaceFacts;
  readonly answer: PairAnswer;
}

/** A source, and what the index found for it. */
interface Found {
  readonly source: KnownProfile;
  readonly ids: readonly PlaceId[];
}

/** Facts of more places are forgotten at once: some four kilobytes each. */
const MOST_PLACES = 32_768;

/**
 * Writes the answers to searches over one view as JSON, as `JSON.stringify` writes what `searchCandidates` finds. Keeps
 * what it found of places, and what it wrote of the best ones; owns that memory, which has an end.
 */
export class CandidateWriter {
  readonly #texts = new AnswerTexts();
  /** Another place under the same number later is another object. */
  readonly #places = new Map<PlaceId, PlaceFacts>();

  /**
   * Appends texts that make two members of an object when they are joined: `"source"`, the source of the search as a
   * document of docs/schemas/profile.json, and `"candidates"`, a list of `formatCandidate`, best first.
   */
  write(view: FleetView, search: CandidateSearch, out: string[]): void {
    const { policy, packs, memory, index } = view;
    this.#texts.restOn({ policy, packs, memory, index });
    if (this.#places.size >= MOST_PLACES) this.#places.clear();
    const source = this.#texts.know(search.source);
    out.push('"source":');
    this.#texts.writeDocument(source, out);
    out.push(',"candidates":');
    if (isColumnar(view, search.source)) {
      const ids = findWinners(view, search, this.#texts.compile(source));
      if (this.#writeFound(view, search, { found: { source, ids }, out })) return;
    }
    out.push(JSON.stringify(searchCandidates(view, search).candidates.map(formatCandidate)));
  }

  /** False, and nothing is written, where a winner turns out to be none, as in `searchCandidates`. */
  #writeFound(
    view: FleetView,
    search: CandidateSearch,
    to: { readonly found: Found; readonly out: string[] },
  ): boolean {
    const { found, out } = to;
    const { source, ids } = found;
    const { strategy } = search;
    const numaNode = strategy === "numa" ? search.numaNode : undefined;
    const kept = source.known?.lists[strategy];
    const isSame = isSameList(kept, { ids, numaNode }, (id) => view.placeAt(id));
    if (isSame && kept.text !== undefined) {
      kept.isMissed = false;
      fillTemplate(kept.text, source, out);
      return true;
    }
    const winners = this.#judgeWinners(view, search, found);
    if (winners === undefined) return false;
    const parts = partsOf(rankPlaces(winners, { ...search, measure: ({ facts }) => facts }));
    for (const part of parts) {
      if (typeof part === "string") out.push(part);
      else fillTemplate(part, source, out);
    }
    if (kept?.text !== undefined && !kept.isMissed) {
      kept.isMissed = true;
      return true;
    }
    const isCut = winners.every(({ answer }) => typeof answer.text === "object");
    const text = isSame && isCut ? joinTemplates(parts) : undefined;
    const places = winners.map(({ place }) => place);
    this.#texts.keepList(source, strategy, { places, numaNode, text, isMissed: false });
    return true;
  }

  #judgeWinners(view: FleetView, search: CandidateSearch, { source, ids }: Found): readonly Winner[] | undefined {
    const winners: Winner[] = [];
    for (const id of ids) {
      const facts = this.#factsOf(search.source, id, view.placeAt(id));
      const { place, room } = facts;
      const answer = this.#texts.answerPair(source, facts.known);
      const winner = { place, verdict: answer.verdict, platform: answer.platform, room, facts, answer };
      if (refusalOf(winner) !== undefined) return undefined;
      winners.push(winner);
    }
    return winners;
  }

  /** The index answers for devices of one unit and without named queues only: a place is the same to all of them. */
  #factsOf(source: MigrationProfile, id: PlaceId, place: Place): PlaceFacts {
    const seen = this.#places.get(id);
    const isKept = seen !== undefined && this.#texts.isKept(seen.known);
    if (isKept && seen.place === place) return seen;
    const { profile } = place;
    const room = roomForSource(source, place);
    const made = {
      ...measurePlace(source, { place, room }),
      place,
      room,
      known: isKept && seen.place.profile === profile ? seen.known : this.#texts.know(profile),
    };
    this.#places.set(id, made);
    return made;
  }
}

/** A candidate as an answer shows it. */
export function formatCandidate({
  place: { host, parent, type },
  ...rest
}: Candidate): Omit<Candidate, "place"> & Pick<Place, "host" | "parent" | "type"> {
  return { host, parent, type, ...rest };
}

/** A list, each as `formatCandidate`, in its order of keys. Infinity becomes null. */
function partsOf(winners: readonly (Winner & Candidate)[]): readonly (Template | string)[] {
  const parts: (Template | string)[] = ["["];
  for (const winner of winners) {
    const { facts, answer, rank, because } = winner;
    if (rank > 1) parts.push(",");
    if (typeof answer.text === "string") {
      parts.push(headOf(winner), answer.text, roomOf(winner), `${rank},"because":${JSON.stringify(because)}}`);
    } else {
      if (facts.settled?.from !== answer.text) facts.settled = settleWinner(winner, answer.text);
      const { template, because: end } = facts.settled;
      parts.push(template, String(rank), end);
    }
  }
  parts.push("]");
  return parts;
}

/** All of a candidate up to its rank, and what stands behind it: a reason of its rank is a matter of pair and place. */
function settleWinner(winner: Winner & Candidate, from: Template): NonNullable<PlaceFacts["settled"]> {
  const { pieces, ...rest } = settleTemplate(from, winner.facts.known.form);
  const own = [...pieces];
  own[0] = headOf(winner) + (own[0] ?? "");
  own[own.length - 1] = (own.at(-1) ?? "") + roomOf(winner);
  return { from, template: { pieces: own, ...rest }, because: `,"because":${JSON.stringify(winner.because)}}` };
}

function headOf({ place: { host, parent, type } }: Judged): string {
  return `${JSON.stringify({ host, parent, type }).slice(0, -1)},`;
}

function roomOf({ room }: Judged): string {
  return `,"room":${JSON.stringify(room)},"rank":`;
}
