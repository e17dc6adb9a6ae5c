// SPDX-License-Identifier: Apache-2.0

import type { ClaimBook } from "../claims/claim-book.ts";
import { History } from "../singletons/history.ts";
import { makeSingleton } from "../singletons/singleton.ts";
import type { Alarm } from "../store/alarm.ts";
import type { Store } from "../store/store.ts";

/** How long changes are kept for those who come back to a stream of events. */
export const HISTORY_MS: number = 15 * 60_000;
/** How often claims are looked at whose hold may have run out, and how often history is. */
const EXPIRY_MS = 1000;
const HISTORY_STEP_MS = 60_000;

/** What duties are done with. */
export interface DutyParts {
  readonly store: Store;
  /** Name of this server. */
  readonly replica: string;
  readonly claims: Pick<ClaimBook, "expire">;
  readonly now: () => number;
  readonly alarm: Alarm;
  /** Told of every failure; the duty is tried again at its next time. */
  readonly onFailure: (duty: string, error: unknown) => void;
  /** Told each time that the store did what it was asked. */
  readonly onSuccess: () => void;
}

/** What one of the servers does by itself, without being asked. */
export interface Duties {
  /** Resolves when what was under way has ended. */
  stop(): Promise<void>;
}

/** Begins to end claims whose time is over, and to forget history; each is done by one of all servers at a time. */
export function startDuties(parts: DutyParts): Duties {
  const { store, replica, claims } = parts;
  const expiry = makeSingleton("expiry", { store, replica });
  const compaction = makeSingleton("compaction", { store, replica });
  const history = new History(HISTORY_MS);
  const expire = async (): Promise<void> => {
    const guard = await expiry.hold();
    if (guard !== undefined) await claims.expire(guard);
    parts.onSuccess();
  };
  const forget = async (): Promise<void> => {
    if ((await compaction.hold()) === undefined) return;
    const { cursor } = await store.read({ key: "singleton/compaction" });
    const revision = history.note({ atMs: parts.now(), revision: cursor.revision });
    if (revision !== undefined) await store.compact(revision);
  };
  const { alarm, onFailure } = parts;
  const running = [
    repeat(expire, { alarm, everyMs: EXPIRY_MS, onFailure: (error) => onFailure("expiry", error) }),
    repeat(forget, { alarm, everyMs: HISTORY_STEP_MS, onFailure: (error) => onFailure("compaction", error) }),
  ];
  return {
    stop: async () => {
      await Promise.all(running.map(async (one) => one.stop()));
    },
  };
}

interface Repetition {
  readonly alarm: Alarm;
  readonly everyMs: number;
  readonly onFailure: (error: unknown) => void;
}

/** Does something again and again, never twice at once: the pause begins when it has ended. */
function repeat(task: () => Promise<void>, { alarm, everyMs, onFailure }: Repetition): Duties {
  let isStopped = false;
  let cancel = (): void => undefined;
  let current: Promise<void> = Promise.resolve();
  const plan = (): void => {
    if (isStopped) return;
    cancel = alarm(everyMs, () => {
      current = task().catch(onFailure).finally(plan);
    });
  };
  plan();
  return {
    stop: async () => {
      isStopped = true;
      cancel();
      await current;
    },
  };
}
