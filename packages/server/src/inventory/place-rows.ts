// SPDX-License-Identifier: Apache-2.0

import {
  addClass,
  addPlace,
  changePlace,
  placeAt,
  removePlace,
  type MigrationIndex,
} from "@berth/core/inventory/migration-index";
import type { Place } from "@berth/core/inventory/place";
import { SCORES, type PlaceId } from "@berth/core/inventory/place-table";
import type { Damage } from "@berth/core/placement/rank";
import { createDamageLabels, labelDamage } from "./damage-labels.ts";
import { findPlaceRow, type PlaceRow } from "./place-row.ts";

interface IndexedRow {
  readonly damage: Damage;
  readonly exact: boolean;
}

/** The places of a view with what the index is told of them. Owns the columns of the index that change with rooms. */
export class PlaceRows {
  readonly #index: MigrationIndex;
  readonly #rows: (IndexedRow | undefined)[] = [];
  /** Beside the rows: searches ask for places, all over a column that is larger than a processor's caches. */
  readonly #places: (Place | undefined)[] = [];
  readonly #labels = createDamageLabels();
  #inexact = 0;

  constructor(index: MigrationIndex) {
    this.#index = index;
  }

  /** Whether the columns of the index hold all that a ranking of one-unit devices compares. */
  get isExact(): boolean {
    return this.#inexact === 0;
  }

  /** The place behind a number of the index. Throws RangeError where there is none. */
  placeAt(id: PlaceId): Place {
    const place = this.#places[id];
    if (place === undefined) throw new RangeError(`No place ${id} in the view`);
    return place;
  }

  add(place: Place): PlaceId {
    const { room, damage, numaNode, exact } = findPlaceRow(place);
    const labelled = labelDamage(this.#labels, damage);
    const id = addPlace(this.#index, {
      host: place.host,
      name: placeName(place),
      class: addClass(this.#index, { profile: place.profile, ...(numaNode === undefined ? {} : { numaNode }) }),
      room,
      score: labelled.label ?? SCORES - 1,
    });
    this.#write(id, place, { damage, exact: exact && labelled.label !== undefined });
    if (labelled.label !== undefined && labelled.moved) this.#relabel();
    return id;
  }

  /** The same place with another pool: its profile and its NUMA node are what they were. */
  change(id: PlaceId, place: Place): void {
    const { room, damage, exact }: PlaceRow = findPlaceRow(place);
    const labelled = labelDamage(this.#labels, damage);
    changePlace(this.#index, id, { room, score: labelled.label ?? SCORES - 1 });
    this.#write(id, place, { damage, exact: exact && labelled.label !== undefined });
    if (labelled.label !== undefined && labelled.moved) this.#relabel();
  }

  drop(id: PlaceId): void {
    removePlace(this.#index, id);
    this.#write(id, undefined, undefined);
  }

  /** Puts places in the place of others. Where one of them makes no sense none is left, and what was thrown is thrown. */
  replaceAll(old: readonly PlaceId[], places: readonly Place[]): readonly PlaceId[] {
    for (const id of old) this.drop(id);
    const added: PlaceId[] = [];
    try {
      for (const place of places) added.push(this.add(place));
      return added;
    } catch (error) {
      for (const id of added) this.drop(id);
      throw error;
    }
  }

  /** Changes those of a host's places that are other objects than before; as `replaceAll` where one makes no sense. */
  changeAll(ids: readonly PlaceId[], before: readonly Place[], after: readonly Place[]): readonly PlaceId[] {
    try {
      for (const [at, id] of ids.entries()) {
        const place = after[at];
        if (place !== undefined && place !== before[at]) this.change(id, place);
      }
      return ids;
    } catch (error) {
      for (const id of ids) this.drop(id);
      throw error;
    }
  }

  #write(id: PlaceId, place: Place | undefined, row: IndexedRow | undefined): void {
    this.#places[id] = place;
    if (this.#rows[id]?.exact === false) this.#inexact -= 1;
    this.#rows[id] = row;
    if (row?.exact === false) this.#inexact += 1;
  }

  /** Writes all scores anew, after damages had to make way for one between them. */
  #relabel(): void {
    for (const [id, row] of this.#rows.entries()) {
      if (row === undefined) continue;
      const { label } = labelDamage(this.#labels, row.damage);
      changePlace(this.#index, id, { room: placeAt(this.#index, id).room, score: label ?? SCORES - 1 });
    }
  }
}

/** Sorts as parent, then type, do: no name holds the character between them. */
function placeName({ parent, type }: Place): string {
  return `${parent}\u0000${type}`;
}
