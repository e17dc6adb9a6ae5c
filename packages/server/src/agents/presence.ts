// SPDX-License-Identifier: Apache-2.0

import type { PresenceDocument } from "../documents/documents.ts";
import { keyOf } from "../documents/keys.ts";
import type { Lease, Write } from "../store/store.ts";
import { TRANSACTION_MAX } from "../store/store.ts";
import type { DeskParts } from "./desk-parts.ts";
import { batchWrites } from "./write-batches.ts";

/** A host is heard for so long after it last said something, milliseconds: three times what it may wait for an answer. */
export const HEARD_MS = 90_000;
/** How long the lease outlives its replica: then its hosts are silent. */
export const PRESENCE_LEASE_MS = 15_000;
/** How often the lease is kept alive and silent hosts are looked for. */
const TICK_MS = 5_000;
/** Most often that changes are published. */
const PUBLISH_MS = 1_000;
/** This part is there as long as the server lives, also where it names nobody: who looks for the server finds it. */
const OWN_PART = 0;
/** Documents of one replica: with 10,000 hosts each names about 160, whatever their names far below 64 KiB. */
const PARTS = 64;

/** Which hosts are heard, by this server and by others. */
export interface Presence {
  /** The host's agent said something. */
  note(host: string): void;
  isHeard(host: string): boolean;
  close(): Promise<void>;
}

/** What one server publishes of whom it hears. */
interface Board {
  readonly parts: Pick<DeskParts, "replica" | "alarm">;
  /** Host -> tick at which it last said something: ticks run on the timer, so that a clock that jumps silences nobody. */
  readonly heard: Map<string, number>;
  /** Names of each part's hosts. */
  readonly names: readonly Set<string>[];
  /** Parts that are not published as they are. */
  readonly changed: Set<number>;
  tick: number;
  lease: Lease | undefined;
  isPublishing: boolean;
  isClosed: boolean;
  cancelTick: () => void;
  cancelPublish: (() => void) | undefined;
}

export function makePresence(parts: Pick<DeskParts, "replica" | "alarm">): Presence {
  const board: Board = {
    parts,
    heard: new Map(),
    names: Array.from({ length: PARTS }, () => new Set<string>()),
    changed: new Set(),
    tick: 0,
    lease: undefined,
    isPublishing: false,
    isClosed: false,
    cancelTick: () => undefined,
    cancelPublish: undefined,
  };
  setTick(board);
  markChanged(board, OWN_PART);
  return {
    note: (host) => noteHost(board, host),
    isHeard: (host) => board.heard.has(host) || parts.replica.isPresent(host),
    close: async () => {
      board.isClosed = true;
      board.cancelTick();
      board.cancelPublish?.();
      // What is left of it ends with the lease's time.
      await board.lease?.revoke().catch(() => undefined);
    },
  };
}

function noteHost(board: Board, host: string): void {
  const isNew = !board.heard.has(host);
  board.heard.set(host, board.tick);
  if (!isNew) return;
  const part = partOf(host);
  board.names[part]?.add(host);
  markChanged(board, part);
}

function markChanged(board: Board, part: number): void {
  board.changed.add(part);
  if (board.cancelPublish !== undefined || board.isClosed) return;
  board.cancelPublish = board.parts.alarm(PUBLISH_MS, () => {
    board.cancelPublish = undefined;
    void publish(board);
  });
}

function setTick(board: Board): void {
  board.cancelTick = board.parts.alarm(TICK_MS, () => {
    board.tick += 1;
    dropSilent(board);
    setTick(board);
    void keepAlive(board);
  });
}

function dropSilent(board: Board): void {
  const oldest = board.tick - HEARD_MS / TICK_MS;
  for (const [host, tick] of board.heard) {
    if (tick > oldest) continue;
    board.heard.delete(host);
    const part = partOf(host);
    board.names[part]?.delete(host);
    markChanged(board, part);
  }
}

/** A lease that has ended took its documents along: everything is published again. */
async function keepAlive(board: Board): Promise<void> {
  try {
    await board.lease?.keepAlive();
  } catch {
    loseLease(board);
  }
  if (board.changed.size > 0 && board.cancelPublish === undefined) await publish(board);
}

function loseLease(board: Board): void {
  board.lease = undefined;
  for (const [part, names] of board.names.entries()) if (names.size > 0 || part === OWN_PART) markChanged(board, part);
}

/** Publishes the parts that changed. What the store does not take is tried again with the next change or tick. */
async function publish(board: Board): Promise<void> {
  if (board.isPublishing || board.isClosed) return;
  board.isPublishing = true;
  const parts = [...board.changed].toSorted((a, b) => a - b);
  board.changed.clear();
  try {
    board.lease ??= await board.parts.replica.store.grantLease(PRESENCE_LEASE_MS);
    const { lease } = board;
    const writes = parts.map((part) => presenceWrite(board, part, lease));
    for (const batch of batchWrites(writes, TRANSACTION_MAX)) {
      await board.parts.replica.store.transact({ compares: [], writes: batch });
    }
  } catch {
    for (const part of parts) board.changed.add(part);
    loseLease(board);
  } finally {
    board.isPublishing = false;
  }
  // The desk was closed while the lease was on its way.
  if (board.isClosed) await board.lease?.revoke().catch(() => undefined);
  else for (const part of board.changed) markChanged(board, part);
}

function presenceWrite({ parts, names }: Board, part: number, lease: Lease): Write {
  const { name: replica } = parts.replica;
  const key = keyOf("presence", `${replica}/${String(part).padStart(2, "0")}`);
  const hosts = [...(names[part] ?? [])].toSorted();
  if (hosts.length === 0 && part !== OWN_PART) return { kind: "delete", key };
  return { kind: "put", key, value: JSON.stringify({ replica, hosts } satisfies PresenceDocument), lease };
}

/** Which part names a host: the same one in every process (FNV-1a). */
function partOf(host: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < host.length; at++) hash = Math.imul(hash ^ host.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % PARTS;
}
