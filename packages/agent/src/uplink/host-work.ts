// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import type { AgentNotice, DesiredCursor, DesiredState } from "@berth/core/provision/desired-state";
import type { AgentParts } from "./agent-parts.ts";
import { makeWakeup, type Wakeup } from "./clock.ts";
import { addFollowed, EMPTY_OUTBOX, type Outbox } from "./outbox.ts";
import { makeReporter, type Reporter } from "./reporter.ts";
import { nextRescanAt, RESCAN_MS, scanDueAt, withHint, type ScanTimes } from "./scan-schedule.ts";
import type { Session } from "./session.ts";

/** What an agent knows of its host and what it has to do there; it outlives sessions. One worker has it. */
export interface HostWork {
  readonly parts: AgentParts;
  readonly reporter: Reporter;
  readonly wakeup: Wakeup;
  isRecovered: boolean;
  /** The newest desired state. */
  wanted: DesiredState | undefined;
  /** A server of this session has said that it is the newest. */
  isConfirmed: boolean;
  followed: DesiredCursor | undefined;
  mustFollow: boolean;
  mustScan: boolean;
  times: ScanTimes;
  outbox: Outbox;
  /** What this agent itself has found to be in the way, by what it did. */
  readonly ownNotices: Map<string, AgentNotice>;
  /** Events wait until the change that they are about has been reported. */
  waitsForReport: boolean;
  /** A report of this session was taken. */
  hasReported: boolean;
  /** What this session was told to be in the way; undefined: nothing yet. */
  toldNotices: string | undefined;
}

/** Begins the work of one life of an agent. */
export function beginWork(parts: AgentParts): HostWork {
  const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
  return {
    parts,
    reporter: makeReporter({ generation: parts.generation, hash }),
    wakeup: makeWakeup(parts.clock),
    isRecovered: false,
    wanted: undefined,
    isConfirmed: false,
    followed: undefined,
    mustFollow: false,
    mustScan: true,
    times: { rescanAtMs: rescanAfterNow(parts), scannedAtMs: Number.NEGATIVE_INFINITY },
    outbox: EMPTY_OUTBOX,
    ownNotices: new Map(),
    waitsForReport: false,
    hasReported: false,
    toldNotices: undefined,
  };
}

/** A new session: it is shown the host as it is now, and nothing is done to it before a desired state is confirmed. */
export function beginSession(work: HostWork, { known }: Pick<Session, "known">): void {
  work.reporter.goOnFrom(known);
  work.isConfirmed = false;
  work.mustScan = true;
  // What was called off when the last session ended is taken up again.
  work.mustFollow = true;
  work.hasReported = false;
  work.toldNotices = undefined;
}

/** Something on the host may have changed. */
export function takeHint(work: HostWork): void {
  work.times = withHint(work.times, work.parts.clock.now());
  work.wakeup.wake();
}

/** A server said what it wants of the host, or that this is still all. */
export function takeWanted(work: HostWork, wanted: DesiredState): void {
  work.wanted = wanted;
  work.isConfirmed = true;
  work.wakeup.wake();
}

/** The same is wanted as before, up to a later cursor. Says whether there was anything before. */
export function takeSame(work: HostWork, cursor: DesiredCursor): boolean {
  const { wanted } = work;
  if (wanted === undefined) return false;
  // A server that lags behind the one that was asked before knows of nothing newer: what was seen stays seen.
  const isBehind = cursor.epoch === wanted.cursor.epoch && cursor.revision < wanted.cursor.revision;
  const seen = isBehind ? wanted.cursor : cursor;
  if (isSameCursor(work.followed, wanted.cursor)) work.followed = seen;
  takeWanted(work, { ...wanted, cursor: seen });
  return true;
}

/** Marks what time has made due. */
export function notePassedTime(work: HostWork): void {
  const now = work.parts.clock.now();
  if (now >= work.times.rescanAtMs) {
    work.times = { ...work.times, rescanAtMs: rescanAfterNow(work.parts) };
    work.mustScan = true;
    work.mustFollow = true;
  } else if (now >= scanDueAt(work.times)) work.mustScan = true;
}

/** Whether the desired state is to be followed now: never one that no server of this session has confirmed. */
export function isFollowDue({ wanted, isConfirmed, mustFollow, followed }: HostWork): boolean {
  return wanted !== undefined && isConfirmed && (mustFollow || !isSameCursor(followed, wanted.cursor));
}

/** Settles what a crash interrupted. What fails is tried again before the next following. */
export async function recoverHost(work: HostWork): Promise<void> {
  await attempt(work, "recovery_failed", async () => {
    const notices = await work.parts.follower.recover();
    work.isRecovered = true;
    work.outbox = { ...work.outbox, notices };
  });
}

/** Follows the desired state. Call it where `isFollowDue`. */
export async function followWanted(work: HostWork, hostSignal: AbortSignal): Promise<void> {
  const { wanted } = work;
  if (wanted === undefined) return;
  work.mustFollow = false;
  work.followed = wanted.cursor;
  if (!work.isRecovered) await recoverHost(work);
  // Until what a crash left is settled, nothing new is begun.
  if (!work.isRecovered) return;
  await attempt(work, "follow_failed", async () => {
    const followed = await work.parts.follower.follow(wanted, hostSignal);
    work.outbox = addFollowed(work.outbox, followed);
    if (!followed.hasChanged) return;
    work.mustScan = true;
    work.waitsForReport = true;
  });
}

/**
 * Does something to the host that may throw, which is then in the way until the same goes well. Says whether it went well.
 */
export async function attempt(work: HostWork, code: string, task: () => Promise<void>): Promise<boolean> {
  try {
    await task();
    work.ownNotices.delete(code);
    return true;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    work.ownNotices.set(code, { reason: { code, text } });
    work.parts.log({ level: "error", code, text });
    return false;
  }
}

/** All that is in the way now. */
export function noticesOf({ outbox, ownNotices }: HostWork): readonly AgentNotice[] {
  return [...outbox.notices, ...ownNotices.values()];
}

function rescanAfterNow({ clock, rescanMs = RESCAN_MS, random }: AgentParts): number {
  return nextRescanAt(clock.now(), rescanMs, random);
}

/** Whether two cursors name the same place in the life of the same store. */
export function isSameCursor(left: DesiredCursor | undefined, right: DesiredCursor): boolean {
  return left?.epoch === right.epoch && left.revision === right.revision;
}
