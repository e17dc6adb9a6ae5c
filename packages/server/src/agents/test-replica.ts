// SPDX-License-Identifier: Apache-2.0

import type { Claim } from "@berth/core/claim/claim";
import type { LedgerDocument } from "@berth/core/claim/ledger-document";
import { parseShape, type Shape } from "@berth/core/report/fill-shape";
import { unpackInventory } from "@berth/core/report/inventory-document";
import type * as documents from "../documents/documents.ts";
import { keyOf, nameIn, type DocumentKind } from "../documents/keys.ts";
import type { Held, HostDocuments } from "../replica/replica.ts";
import type { Change, Cursor, Store, StoredDocument } from "../store/store.ts";
import type { DeskReplica } from "./desk-parts.ts";

/** A replica for tests: every document in one map, read when it is asked for, and as far behind as a test wants. */
export interface TestReplica extends DeskReplica {
  /** Keeps the replica where it is until the answer is called. */
  stop(): () => void;
  close(): void;
}

/** Follows a store from its beginning; through another one, where what the desk does with its own is slowed. */
export function openTestReplica(name: string, store: Store, watched: Store = store): TestReplica {
  const kept = new Map<string, StoredDocument>();
  const shapes = new Map<string, Shape>();
  const listeners = new Set<Listener>();
  const waiters = new Set<() => void>();
  const end = new AbortController();
  let cursor: Cursor = { epoch: store.epoch, revision: 0 };
  let [stopped, resume] = [Promise.resolve(), (): void => undefined];

  const { find, list } = readersOf(kept);
  const follow = async (): Promise<void> => {
    for await (const message of watched.watch({ prefix: "", from: cursor, signal: end.signal })) {
      await stopped;
      const hosts = new Set(
        message.kind === "changes" ? message.changes.map((change) => applyChange(kept, shapes, change)) : [],
      );
      ({ cursor } = message);
      for (const { host, told } of listeners) if (hosts.has(host)) told();
      for (const wake of waiters) wake();
    }
  };
  void follow();

  return {
    name,
    store,
    catalogue: { find: (digest) => shapes.get(digest) },
    get cursor() {
      return cursor;
    },
    findHost: (host) => hostOf(host, find),
    findClaim: (id) => find<Claim>("claim", id),
    findReported: (host) => find<documents.ReportedDocument>("reported", host),
    listAgents: () => list<documents.AgentDocument>("agent"),
    listClaims: (host) => list<Claim>("claim").filter(({ document }) => document.host === host),
    listProbes: (host) =>
      list<documents.ProbeDocument>("probe").filter(({ document }) => host === undefined || document.host === host),
    isPresent: (host) => heardIn(list).includes(host),
    onDesired: (host, told) => listenTo(listeners, { host, told }),
    reached: (revision, signal) => whenTrue(waiters, () => cursor.revision >= revision, signal),
    stop: () => {
      ({ promise: stopped, resolve: resume } = Promise.withResolvers<void>());
      return resume;
    },
    close: () => {
      resume();
      end.abort();
    },
  };
}

function readersOf(kept: ReadonlyMap<string, StoredDocument>): { readonly find: Find; readonly list: List } {
  return {
    find: <T>(kind: DocumentKind, id: string) => held<T>(kept.get(keyOf(kind, id))),
    list: <T>(kind: DocumentKind) =>
      [...kept.keys()]
        .filter((key) => nameIn(kind, key) !== undefined)
        .toSorted()
        .flatMap((key) => held<T>(kept.get(key)) ?? []),
  };
}

/** Takes in a change; the host whose agent is to know of it, where there is one. */
function applyChange(
  kept: Map<string, StoredDocument>,
  shapes: Map<string, Shape>,
  change: Change,
): string | undefined {
  const key = change.kind === "put" ? change.document.key : change.key;
  const value = change.kind === "put" ? change.document.value : kept.get(key)?.value;
  if (change.kind === "put") kept.set(key, change.document);
  else kept.delete(key);
  const digest = nameIn("catalogue", key);
  if (digest !== undefined && value !== undefined) shapes.set(digest, parseShape(value));
  const isDesired = (["claim", "adoption", "probe"] as const).some((kind) => nameIn(kind, key) !== undefined);
  return isDesired && value !== undefined ? (JSON.parse(value) as { readonly host: string }).host : undefined;
}

function heardIn(list: List): readonly string[] {
  return list<documents.PresenceDocument>("presence").flatMap(({ document }) => document.hosts);
}

type List = <T>(kind: DocumentKind) => readonly Held<T>[];
type Find = <T>(kind: DocumentKind, id: string) => Held<T> | undefined;

function hostOf(host: string, find: Find): HostDocuments | undefined {
  const inventory = find<unknown>("inventory", host);
  const reported = find<documents.ReportedDocument>("reported", host);
  const state =
    inventory === undefined || reported === undefined
      ? undefined
      : {
          revision: inventory.revision,
          document: { host, ...reported.document, inventory: unpackInventory(inventory.document) },
        };
  const ledger = find<LedgerDocument>("ledger", host);
  const agent = find<documents.AgentDocument>("agent", host);
  const adoption = find<documents.AdoptionDocument>("adoption", host);
  return {
    host,
    ...(state === undefined ? {} : { inventory: state }),
    ...(ledger === undefined ? {} : { ledger }),
    ...(agent === undefined ? {} : { agent }),
    ...(adoption === undefined ? {} : { adoption }),
  };
}

function held<T>(document: StoredDocument | undefined): Held<T> | undefined {
  return document && { document: JSON.parse(document.value) as T, revision: document.revision };
}

interface Listener {
  readonly host: string;
  readonly told: () => void;
}

function listenTo(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Resolves when it is true, which may change with each call of the waiters; rejects with the signal's reason. */
function whenTrue(waiters: Set<() => void>, isTrue: () => boolean, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (!isTrue()) return;
      waiters.delete(look);
      resolve();
    };
    waiters.add(look);
    signal?.addEventListener("abort", () => {
      waiters.delete(look);
      reject(signal.reason as Error);
    });
    look();
  });
}
