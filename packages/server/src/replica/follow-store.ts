// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";
import type { Alarm } from "../store/alarm.ts";
import type { Cursor, Store } from "../store/store.ts";
import type { KeptReplica } from "./kept-replica.ts";
import { listDocuments } from "./list-documents.ts";
import { pause } from "./pause.ts";

/** Pauses before a watch is tried again: the first, and the longest; each is twice the one before. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/** What is followed, and by whom. */
export interface Following {
  readonly store: Store;
  readonly replica: KeptReplica;
  readonly alarm: Alarm;
  readonly signal: AbortSignal;
  readonly onFailure: (error: unknown, what: "tried-again" | "is-over") => void;
}

/**
 * Follows a store from a cursor until the signal aborts. A watch that fails is tried again from where it stood, after
 * growing pauses; one that is reset begins anew with a listing. Never rejects.
 */
export async function followStore(following: Following, from: Cursor): Promise<void> {
  const { replica, alarm, signal, onFailure } = following;
  let at = from;
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      for await (const next of watchOnce(following, at)) {
        at = next;
        pauseMs = FIRST_PAUSE_MS;
      }
    } catch (error) {
      if (signal.aborted) return;
      replica.watch = "fails";
      const isOver = error instanceof NotFollowed;
      onFailure(isOver ? error.cause : error, isOver ? "is-over" : "tried-again");
      if (isOver) {
        replica.end();
        return;
      }
      await pause(alarm, pauseMs, signal);
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
  }
}

/** What happened cannot be mended by trying again. */
class NotFollowed extends Error {}

/** Watches once; answers each cursor that was taken in, to go on from. Ends after a reset. */
async function* watchOnce({ store, replica, signal }: Following, from: Cursor): AsyncGenerator<Cursor, void, void> {
  for await (const message of store.watch({ prefix: "", from, signal })) {
    if (message.cursor.epoch !== from.epoch) throw new NotFollowed("", { cause: restored() });
    if (message.kind === "reset") {
      const listing = await listDocuments(store);
      if (listing.cursor.epoch !== from.epoch) throw new NotFollowed("", { cause: restored() });
      takeIn(() => replica.takeListing(listing));
      yield listing.cursor;
      replica.watch = "stands";
      return;
    }
    takeIn(() => replica.takeChanges(message.cursor, message.changes));
    replica.watch = "stands";
    yield message.cursor;
  }
  if (!signal.aborted) throw new BerthError("store_unavailable", "The watch of the store has ended");
}

function takeIn(take: () => void): void {
  try {
    take();
  } catch (error) {
    throw new NotFollowed("", { cause: error });
  }
}

function restored(): BerthError {
  return new BerthError("store_unavailable", "The store was restored: its epoch is another one");
}
