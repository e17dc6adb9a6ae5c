// SPDX-License-Identifier: Apache-2.0

import type { Place } from "@berth/core/inventory/place";
import type { PlaceId } from "@berth/core/inventory/place-table";
import type { Strategy } from "@berth/core/placement/request";
import type { Template } from "./answer-template.ts";

/**
 * The places that a search found for sources of one form. The next source of that form finds the same ones for as long as
 * nothing changes among the best; then only what a source says of itself is another.
 */
export interface FoundList {
  /** Best first. A place is never changed: where its pool is another, it is another object. */
  readonly places: readonly Place[];
  /** Wanted node, where the strategy asks for one. */
  readonly numaNode: number | undefined;
  /** What is written of them; undefined where they were found once. */
  readonly text: Template | undefined;
  /** The last search found others: a source's own host is left out, and may be one of the best to all others of its form. */
  isMissed: boolean;
}

/** What was found last, by strategy. */
export type FoundLists = Partial<Record<Strategy, FoundList>>;

/** Whether a search found once more what is in a list: `placeAt` tells which places stand behind numbers now. */
export function isSameList(
  list: FoundList | undefined,
  found: { readonly ids: readonly PlaceId[]; readonly numaNode: number | undefined },
  placeAt: (id: PlaceId) => Place,
): list is FoundList {
  if (list === undefined || list.numaNode !== found.numaNode || list.places.length !== found.ids.length) return false;
  return list.places.every((place, at) => place === placeAt(found.ids[at] ?? -1));
}

/** What a list takes: a number for each place, and the characters of its text. */
export function sizeOfList(list: FoundList | undefined): number {
  if (list === undefined) return 0;
  const pieces = list.text?.pieces ?? [];
  return pieces.reduce((sum, piece) => sum + piece.length, list.places.length * 2);
}
