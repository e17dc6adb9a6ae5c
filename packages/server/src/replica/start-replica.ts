// SPDX-License-Identifier: Apache-2.0

import type { LoadedPack } from "@berth/core/compatibility/packs/pack";
import type { Policy } from "@berth/core/compatibility/policy";
import { setRealAlarm, type Alarm } from "../store/alarm.ts";
import type { Revision, Store } from "../store/store.ts";
import { followStore } from "./follow-store.ts";
import { KeptReplica } from "./kept-replica.ts";
import { listDocuments } from "./list-documents.ts";
import { Pulse } from "./pulse.ts";
import type { Replica } from "./replica.ts";

/** What went wrong with a replica, as `ReplicaParts.onFailure` says. */
export type ReplicaFailure = "tried-again" | "is-over" | "listener-failed";

/** What a replica is made of. */
export interface ReplicaParts {
  readonly store: Store;
  readonly policy: Policy;
  readonly packs: readonly LoadedPack[];
  /** Of this process, distinct among all that are open on one store: in keys, so printable ASCII without spaces. */
  readonly name: string;
  /** Milliseconds of a clock that cannot be set: one that jumped back would hide for as long how far it is behind. */
  readonly now: () => number;
  /** Pauses and pulses; the process's own timer unless given. */
  readonly alarm?: Alarm;
  /** Ends the replica as `close` does. */
  readonly signal?: AbortSignal;
  /**
   * Told each time that the watch fails, before it is tried again. `is-over`: it is not tried again, because the store was
   * restored under the process or a change could not be taken in; the process must be restarted. `listener-failed`: one
   * who listens threw, and all others were told.
   */
  readonly onFailure?: (error: unknown, what: ReplicaFailure) => void;
}

/**
 * Reads the store and follows it. Resolves when everything that stood there at the start is in the view; rejects where
 * that cannot be read.
 */
export async function startReplica(parts: ReplicaParts): Promise<Replica> {
  const { store, name, now, alarm = setRealAlarm, onFailure = () => undefined } = parts;
  const ending = new AbortController();
  const signal = parts.signal === undefined ? ending.signal : AbortSignal.any([ending.signal, parts.signal]);
  const startedMs = now();
  const listing = await listDocuments(store);
  const replica = new KeptReplica(
    { ...parts, onListenerError: (error) => onFailure(error, "listener-failed") },
    listing,
  );
  const reached = (at: Revision, until: AbortSignal): Promise<void> => replica.reached(at, until);
  const pulse = new Pulse({ store, name, now, alarm, signal, reached, watch: () => replica.watch }, startedMs);
  const running = Promise.all([followStore({ store, replica, alarm, signal, onFailure }, listing.cursor), pulse.run()]);
  replica.attach({
    lagSeconds: () => pulse.lagSeconds(),
    close: async () => {
      ending.abort();
      await running;
    },
  });
  signal.addEventListener("abort", () => replica.end(), { once: true });
  if (signal.aborted) replica.end();
  await replica.reached(listing.newest, signal);
  return replica;
}
