// SPDX-License-Identifier: Apache-2.0

import { isSeenByAgents } from "@berth/core/claim/transitions";
import {
  DESIRED_FORMAT,
  type DesiredCursor,
  type DesiredState,
  type WantedClaim,
} from "@berth/core/provision/desired-state";
import type { DesiredAnswer } from "@berth/core/protocol/agent/agent-wire";
import type { DeskParts } from "./desk-parts.ts";

type Content = Pick<DesiredState, "adoptedParents" | "claims" | "probes">;

/** What a host is to do, and since when. */
interface Part {
  content: Content;
  /** Claims that are to be repaired, which no document of the host may say. */
  repairs: string;
  /** Nothing of it has changed after this revision. It may have changed before: then a state is told that was seen. */
  changedAt: number;
  /** A change was told since. */
  isStale: boolean;
  readonly waiters: Set<() => void>;
}

/** What every host is to do, and who waits for news of it. */
export interface DesiredBoard {
  /** The answer where there is news for who has seen that much; undefined where there is none. */
  findNews(host: string, seen: DesiredCursor | undefined): DesiredAnswer | undefined;
  /** That nothing is new up to where the replica is. */
  same(): DesiredAnswer;
  /** Calls back once, with the next change of the host's part. The answer ends it. */
  onNews(host: string, wake: () => void): () => void;
  /** Ends the waits for a host's news, though there is none. */
  wake(host: string): void;
  close(): void;
}

type BoardParts = Pick<DeskParts, "replica" | "claims">;

/**
 * Keeps the part of each host that an agent has asked for. Only changes of its own part are news for a host: the cursor of
 * the store moves with every host's changes.
 */
export function makeDesiredBoard(parts: BoardParts): DesiredBoard {
  const { replica } = parts;
  const board = new Map<string, Part>();
  const endings: (() => void)[] = [];
  const open = (host: string): Part => {
    const found = board.get(host);
    if (found !== undefined) return found;
    const part = startPart(parts, host);
    board.set(host, part);
    endings.push(replica.onDesired(host, () => noteChange(part)));
    return part;
  };
  return {
    findNews: (host, seen) => {
      const part = open(host);
      refresh(parts, host, part);
      const { cursor } = replica;
      const isNews = seen === undefined || seen.epoch !== cursor.epoch || seen.revision < part.changedAt;
      if (!isNews) return undefined;
      return { kind: "state", state: { desired: DESIRED_FORMAT, host, cursor: { ...cursor }, ...part.content } };
    },
    same: () => ({ kind: "same", cursor: { ...replica.cursor } }),
    onNews: (host, wake) => {
      const { waiters } = open(host);
      waiters.add(wake);
      return () => waiters.delete(wake);
    },
    wake: (host) => {
      for (const wake of board.get(host)?.waiters ?? []) wake();
    },
    close: () => {
      for (const end of endings.splice(0)) end();
      board.clear();
    },
  };
}

function startPart(parts: BoardParts, host: string): Part {
  const content = readContent(parts, host);
  return {
    content,
    repairs: repairsOf(content.claims),
    changedAt: parts.replica.cursor.revision,
    isStale: false,
    waiters: new Set(),
  };
}

function noteChange(part: Part): void {
  part.isStale = true;
  for (const wake of part.waiters) wake();
}

/**
 * Brings a part up to date. A change that was told counts as news even where the content is what it was: another server may
 * have shown what was between.
 */
function refresh(parts: BoardParts, host: string, part: Part): void {
  const isRepairChanged = !part.isStale && repairsNow(parts, part.content.claims) !== part.repairs;
  if (!part.isStale && !isRepairChanged) return;
  part.isStale = false;
  part.content = readContent(parts, host);
  part.repairs = repairsOf(part.content.claims);
  part.changedAt = parts.replica.cursor.revision;
}

function readContent({ replica, claims }: BoardParts, host: string): Content {
  const wanted = replica
    .listClaims(host)
    .filter(({ document }) => document.host === host && isSeenByAgents(document.state))
    .map(({ document }): WantedClaim => {
      return { claim: document, ...(claims.repairsDrift(document.id) ? ({ repairsDrift: true } as const) : {}) };
    });
  const probes = replica
    .listProbes(host)
    .filter(({ document }) => document.host === host && document.reply === undefined);
  return {
    adoptedParents: replica.findHost(host)?.adoption?.document.parents ?? [],
    claims: wanted,
    probes: probes.map(({ document }) => document.wanted),
  };
}

function repairsOf(claims: readonly WantedClaim[]): string {
  return claims.flatMap(({ claim, repairsDrift }) => (repairsDrift === true ? [claim.id] : [])).join();
}

function repairsNow({ claims: book }: BoardParts, claims: readonly WantedClaim[]): string {
  return claims.flatMap(({ claim }) => (book.repairsDrift(claim.id) ? [claim.id] : [])).join();
}
