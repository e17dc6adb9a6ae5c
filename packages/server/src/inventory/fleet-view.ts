// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from "node:util";
import { NO_MEMORY, type Memory } from "@berth/core/compatibility/pair";
import type { LoadedPack } from "@berth/core/compatibility/packs/pack";
import type { Policy } from "@berth/core/compatibility/policy";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { fleetHostOf, type Fleet, type FleetHost } from "@berth/core/inventory/fleet";
import {
  addClass,
  addPlace,
  changePlace,
  createMigrationIndex,
  placeAt,
  removePlace,
  type MigrationIndex,
} from "@berth/core/inventory/migration-index";
import type { Place } from "@berth/core/inventory/place";
import { SCORES, type PlaceId } from "@berth/core/inventory/place-table";
import type { Damage } from "@berth/core/placement/rank";
import type { Generation } from "@berth/core/protocol/api/answers";
import { ChangeFeed } from "./change-feed.ts";
import { createDamageLabels, labelDamage } from "./damage-labels.ts";
import { judgeWithPlatform, platformClassRules } from "./fleet-judge.ts";
import { findPlaceRow } from "./place-row.ts";

/** What a view is made with. */
export interface FleetViewOptions {
  readonly policy: Policy;
  readonly packs: readonly LoadedPack[];
  /** Distinct for each view that was ever served under one address: revisions begin again with it. */
  readonly epoch: string;
  readonly memory?: Memory;
  /** Messages kept for readers who come back. */
  readonly keptMessages?: number;
}

/** One host as the view holds it. */
export interface ViewedHost {
  readonly host: FleetHost;
  /** Revision that changed it last. */
  readonly revision: number;
}

interface IndexedHost extends ViewedHost {
  readonly places: readonly PlaceId[];
}

interface IndexedRow {
  readonly place: Place;
  readonly damage: Damage;
  readonly exact: boolean;
}

/**
 * Many hosts in memory: what each showed, its pools, and the index of all their places. Changed by whole snapshots; every
 * change is a revision, and an unchanged snapshot is none. Owns the feed of its changes.
 */
export class FleetView {
  readonly policy: Policy;
  readonly packs: readonly LoadedPack[];
  readonly memory: Memory;
  readonly feed: ChangeFeed;
  readonly index: MigrationIndex;
  readonly #hosts = new Map<string, IndexedHost>();
  readonly #cordons = new Set<string>();
  readonly #rows: (IndexedRow | undefined)[] = [];
  readonly #labels = createDamageLabels();
  #inexact = 0;
  #names: readonly string[] | undefined;

  constructor(options: FleetViewOptions) {
    this.policy = options.policy;
    this.packs = options.packs;
    this.memory = options.memory ?? NO_MEMORY;
    this.feed = new ChangeFeed(options.epoch, options.keptMessages);
    const { policy, packs, memory } = this;
    this.index = createMigrationIndex({
      judge: judgeWithPlatform({ policy, packs, memory }),
      rules: platformClassRules(packs),
    });
  }

  get generation(): Generation {
    return this.feed.generation;
  }

  /** Whether the columns of the index hold all that a ranking of one-unit devices compares. */
  get isExact(): boolean {
    return this.#inexact === 0;
  }

  /** Names of all hosts, sorted by code unit. */
  get hostNames(): readonly string[] {
    this.#names ??= [...this.#hosts.keys()].toSorted();
    return this.#names;
  }

  /** Hosts on which nothing is to be placed, sorted; also such as are not there. */
  get cordons(): readonly string[] {
    return [...this.#cordons].toSorted();
  }

  /** The fleet without its hosts: what one place is judged by. */
  get frame(): Fleet {
    return { hosts: [], policy: this.policy, packs: this.packs };
  }

  /** Takes in what a host showed, in place of what it showed before. Answers the view's generation afterwards. */
  putSnapshot(snapshot: HostSnapshot): Generation {
    const before = this.#hosts.get(snapshot.host);
    if (before !== undefined && isDeepStrictEqual(before.host.snapshot, snapshot)) return this.generation;
    const host = fleetHostOf(snapshot, this.packs, this.policy);
    if (before === undefined) this.#names = undefined;
    else this.#dropPlaces(before);
    const places = host.places.map((place) => this.#addPlace(place));
    const revision = this.generation.revision + 1;
    this.#hosts.set(snapshot.host, { host, revision, places });
    return this.feed.publish([{ kind: "host-put", host: snapshot.host }]);
  }

  /** Forgets a host; its cordon stays. False where there is none of that name. */
  removeHost(name: string): boolean {
    const before = this.#hosts.get(name);
    if (before === undefined) return false;
    this.#dropPlaces(before);
    this.#hosts.delete(name);
    this.#names = undefined;
    this.feed.publish([{ kind: "host-removed", host: name }]);
    return true;
  }

  /** Stops placing on a host. False where that had been done. */
  cordonHost(name: string): boolean {
    if (this.#cordons.has(name)) return false;
    this.#cordons.add(name);
    this.feed.publish([{ kind: "host-cordoned", host: name }]);
    return true;
  }

  /** Allows placing on a host again. False where it was allowed. */
  uncordonHost(name: string): boolean {
    if (!this.#cordons.delete(name)) return false;
    this.feed.publish([{ kind: "host-uncordoned", host: name }]);
    return true;
  }

  isCordoned(name: string): boolean {
    return this.#cordons.has(name);
  }

  /** One host, or undefined where there is none of that name. */
  findHost(name: string): ViewedHost | undefined {
    return this.#hosts.get(name);
  }

  /** All hosts, sorted by name. */
  listHosts(): readonly ViewedHost[] {
    return this.hostNames.flatMap((name) => this.#hosts.get(name) ?? []);
  }

  /** The place behind a number of the index. Throws RangeError where there is none. */
  placeAt(id: PlaceId): Place {
    const row = this.#rows[id];
    if (row === undefined) throw new RangeError(`No place ${id} in the view`);
    return row.place;
  }

  #addPlace(place: Place): PlaceId {
    const { room, damage, numaNode, exact } = findPlaceRow(place);
    const labelled = labelDamage(this.#labels, damage);
    const id = addPlace(this.index, {
      host: place.host,
      name: placeName(place),
      class: addClass(this.index, { profile: place.profile, ...(numaNode === undefined ? {} : { numaNode }) }),
      room,
      score: labelled.label ?? SCORES - 1,
    });
    const row = { place, damage, exact: exact && labelled.label !== undefined };
    this.#rows[id] = row;
    if (!row.exact) this.#inexact += 1;
    if (labelled.label !== undefined && labelled.moved) this.#relabel();
    return id;
  }

  /** Writes all scores anew, after damages had to make way for one between them. */
  #relabel(): void {
    for (const [id, row] of this.#rows.entries()) {
      if (row === undefined) continue;
      const { label } = labelDamage(this.#labels, row.damage);
      changePlace(this.index, id, { room: placeAt(this.index, id).room, score: label ?? SCORES - 1 });
    }
  }

  #dropPlaces({ places }: IndexedHost): void {
    for (const id of places) {
      removePlace(this.index, id);
      if (this.#rows[id]?.exact === false) this.#inexact -= 1;
      this.#rows[id] = undefined;
    }
  }
}

/** Sorts as parent, then type, do: no name holds the character between them. */
function placeName({ parent, type }: Place): string {
  return `${parent}\u0000${type}`;
}
