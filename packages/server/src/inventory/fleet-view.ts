// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from "node:util";
import type { Occupant } from "@berth/core/capacity/pool";
import { NO_MEMORY, type Memory } from "@berth/core/compatibility/pair";
import type { LoadedPack } from "@berth/core/compatibility/packs/pack";
import type { Policy } from "@berth/core/compatibility/policy";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { Fleet } from "@berth/core/inventory/fleet";
import { createMigrationIndex, replaceJudge, type MigrationIndex } from "@berth/core/inventory/migration-index";
import type { Place } from "@berth/core/inventory/place";
import type { PlaceId } from "@berth/core/inventory/place-table";
import type { Generation, InventoryChange } from "@berth/core/protocol/api/answers";
import { Adoptions } from "./adoptions.ts";
import { ChangeFeed } from "./change-feed.ts";
import { writeEdit, type FleetEdit, type HostDraft, type WrittenEdit } from "./fleet-edit.ts";
import { judgeWithPlatform, platformClassRules } from "./fleet-judge.ts";
import { PlaceRows } from "./place-rows.ts";
import { hideHost, seeHost, seeHostAgain } from "./see-host.ts";
import {
  isSameLedger,
  NO_ADDITION,
  occupantsOf,
  type AddedHost,
  type HostAddition,
  type ViewedHost,
} from "./viewed-host.ts";

export type { FleetEdit } from "./fleet-edit.ts";
export type { ViewedHost } from "./viewed-host.ts";

/** What a view is made with. */
export interface FleetViewOptions {
  readonly policy: Policy;
  readonly packs: readonly LoadedPack[];
  /** Distinct for each view that was ever served under one address, unless revisions go on where they were. */
  readonly epoch: string;
  readonly memory?: Memory;
  /** Messages kept for readers who come back. */
  readonly keptMessages?: number;
  /** Told of a listener of the feed that threw; nobody unless said. */
  readonly onListenerError?: (error: unknown) => void;
}

interface IndexedHost extends ViewedHost, AddedHost {
  /** Of each place of the host, in their order. */
  readonly places: readonly PlaceId[];
}

/** What an edit makes of one host; undefined parts stay as they are. */
interface HostPlan {
  readonly name: string;
  readonly draft: Readonly<HostDraft>;
  readonly addition: HostAddition;
  readonly next: AddedHost | "nothing" | undefined;
}

/**
 * Many hosts in memory: what each showed, what claims hold there, its pools, and the index of all their places. Changed by
 * edits: each is a revision, and one that changes nothing tells nobody. Owns the feed of its changes.
 */
export class FleetView {
  readonly policy: Policy;
  readonly packs: readonly LoadedPack[];
  readonly feed: ChangeFeed;
  readonly index: MigrationIndex;
  readonly #rows: PlaceRows;
  readonly #hosts = new Map<string, IndexedHost>();
  readonly #additions = new Map<string, HostAddition>();
  readonly #cordons = new Set<string>();
  readonly #adoptions = new Adoptions();
  #memory: Memory;
  #names: readonly string[] | undefined;

  constructor(options: FleetViewOptions) {
    this.policy = options.policy;
    this.packs = options.packs;
    this.#memory = options.memory ?? NO_MEMORY;
    this.feed = new ChangeFeed(options.epoch, options);
    const { policy, packs, memory } = this;
    this.index = createMigrationIndex({
      judge: judgeWithPlatform({ policy, packs, memory }),
      rules: platformClassRules(packs),
    });
    this.#rows = new PlaceRows(this.index);
  }

  get generation(): Generation {
    return this.feed.generation;
  }

  /** What drivers answered and moves showed: all verdicts rest on it. */
  get memory(): Memory {
    return this.#memory;
  }

  /** Whether the columns of the index hold all that a ranking of one-unit devices compares. */
  get isExact(): boolean {
    return this.#rows.isExact;
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

  /**
   * Makes one revision of everything that the callback says: the given one, or the next. At most one message tells of it;
   * where nothing changes there is none, and the view moves on to a given revision all the same. Answers where the view
   * stands afterwards. All or nothing: where the callback throws, or what it says comes to no host, the view is as it was.
   * Throws RangeError for a generation of another epoch, or one that is older than the view's, or changes something at
   * the view's own.
   */
  edit(generation: Generation | undefined, write: (edit: FleetEdit) => void): Generation {
    const at = generation?.revision ?? this.generation.revision + 1;
    const isFirst = at === this.generation.revision;
    if (generation !== undefined && (generation.epoch !== this.generation.epoch || at < this.generation.revision)) {
      throw new RangeError(`Cannot edit at revision ${at} of another time: the view is at ${this.generation.revision}`);
    }
    const edit = writeEdit(write);
    const plans = [...edit.hosts].map(([name, draft]) => this.#plan(name, draft));
    if (isFirst && this.#wouldChange(plans, edit)) {
      throw new RangeError(`Cannot edit at revision ${at}: the view stands there already`);
    }
    const [first, ...rest] = [...plans.flatMap((plan) => this.#make(plan, at)), ...edit.notes];
    if (first !== undefined) return this.feed.publish([first, ...rest], at);
    if (generation !== undefined) this.feed.advance(at);
    return this.generation;
  }

  /** One edit: takes in what a host showed. Answers the view's generation afterwards. */
  putSnapshot(snapshot: HostSnapshot): Generation {
    return this.edit(undefined, (edit) => edit.putSnapshot(snapshot));
  }

  /** One edit: forgets a host; its cordon, its ledger and its adoption stay. False where there is none of that name. */
  removeHost(name: string): boolean {
    return this.#changes((edit) => edit.removeHost(name));
  }

  /** One edit: stops placing on a host. False where that had been done. */
  cordonHost(name: string): boolean {
    return this.#changes((edit) => edit.cordonHost(name));
  }

  /** One edit: allows placing on a host again. False where it was allowed. */
  uncordonHost(name: string): boolean {
    return this.#changes((edit) => edit.uncordonHost(name));
  }

  /** Judges by another memory from now on: an answer of a driver came, or went. Publishes nothing: note what it came from. */
  replaceMemory(memory: Memory): void {
    this.#memory = memory;
    const { policy, packs } = this;
    replaceJudge(this.index, judgeWithPlatform({ policy, packs, memory }));
  }

  isCordoned(name: string): boolean {
    return this.#cordons.has(name);
  }

  /** Whether a parent was handed over to Berth: nothing is made elsewhere. */
  isAdopted(host: string, parent: string): boolean {
    return this.#adoptions.hasParent(host, parent);
  }

  /** Whether a VM was handed over to Berth. */
  isVmAdopted(host: string, vm: string): boolean {
    return this.#adoptions.hasVm(host, vm);
  }

  /** What claims hold on a host, also on one that shows nothing; empty too where it is not known. */
  ledgerOf(host: string): readonly Occupant[] {
    return occupantsOf((this.#additions.get(host) ?? NO_ADDITION).ledger);
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
    return this.#rows.placeAt(id);
  }

  #changes(write: (edit: FleetEdit) => void): boolean {
    const before = this.generation.revision;
    return this.edit(undefined, write).revision !== before;
  }

  /** Works out what a draft comes to, and changes nothing. */
  #plan(name: string, draft: Readonly<HostDraft>): HostPlan {
    const old = this.#additions.get(name) ?? NO_ADDITION;
    const addition = mergeAddition(old, draft);
    const before = this.#hosts.get(name);
    const plan = { name, draft, addition };
    if (draft.shown === "nothing") return { ...plan, next: before === undefined ? undefined : "nothing" };
    const isShownAnew =
      draft.shown !== undefined && (before === undefined || !isSameSnapshot(before.base.snapshot, draft.shown));
    if (isShownAnew && draft.shown !== undefined) {
      return { ...plan, next: seeHost(draft.shown, this, addition) };
    }
    if (before === undefined || addition === old) return { ...plan, next: undefined };
    return { ...plan, next: seeHostAgain(before, addition) };
  }

  #wouldChange(plans: readonly HostPlan[], edit: WrittenEdit): boolean {
    if (edit.notes.length > 0) return true;
    return plans.some(
      ({ name, draft: { isCordoned, adoption }, next }) =>
        next !== undefined ||
        (isCordoned !== undefined && isCordoned !== this.#cordons.has(name)) ||
        (adoption !== undefined && !this.#adoptions.isSame(name, adoption)),
    );
  }

  #make({ name, draft, addition, next }: HostPlan, revision: number): readonly InventoryChange[] {
    const changes: InventoryChange[] = [];
    if (addition === NO_ADDITION) this.#additions.delete(name);
    else this.#additions.set(name, addition);
    if (next === "nothing") {
      this.#dropHost(name);
      changes.push({ kind: "host-removed", host: name });
    } else if (next !== undefined) {
      this.#putHost(name, next, revision);
      changes.push({ kind: "host-put", host: name });
    }
    const { isCordoned, adoption } = draft;
    if (isCordoned !== undefined && isCordoned !== this.#cordons.has(name)) {
      if (isCordoned) this.#cordons.add(name);
      else this.#cordons.delete(name);
      changes.push({ kind: isCordoned ? "host-cordoned" : "host-uncordoned", host: name });
    }
    if (adoption !== undefined && this.#adoptions.put(name, adoption)) {
      changes.push({ kind: "host-adopted", host: name });
    }
    return changes;
  }

  #putHost(name: string, next: AddedHost, revision: number): void {
    const before = this.#hosts.get(name);
    const ledger = occupantsOf(next.addition.ledger);
    if (before === undefined) this.#names = undefined;
    try {
      const places =
        before?.base === next.base
          ? this.#rows.changeAll(before.places, before.host.places, next.host.places)
          : this.#rows.replaceAll(before?.places ?? [], next.host.places);
      this.#hosts.set(name, { ...next, ledger, revision, places });
    } catch (error) {
      this.#hosts.set(name, { ...hideHost(name, next.addition, error), ledger, revision, places: [] });
    }
  }

  #dropHost(name: string): void {
    for (const id of this.#hosts.get(name)?.places ?? []) this.#rows.drop(id);
    this.#hosts.delete(name);
    this.#names = undefined;
  }
}

/** The same object where a draft says nothing new. */
function mergeAddition(old: HostAddition, { ledger = old.ledger, problems = old.problems }: HostDraft): HostAddition {
  const isSame = isSameLedger(old.ledger, ledger) && isDeepStrictEqual(old.problems, problems);
  if (isSame) return old;
  const isNothing = !("unknown" in ledger) && ledger.length === 0 && problems.length === 0;
  return isNothing ? NO_ADDITION : { ledger, problems };
}

function isSameSnapshot(before: HostSnapshot, after: HostSnapshot): boolean {
  return before === after || isDeepStrictEqual(before, after);
}
