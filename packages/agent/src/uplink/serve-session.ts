// SPDX-License-Identifier: Apache-2.0

import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { DESIRED_WAIT_MAX_MS, type EventsAnswer, type EventsRequest } from "@berth/core/protocol/agent/agent-wire";
import { BerthError } from "@berth/core/protocol/berth-error";
import {
  attempt,
  followWanted,
  isFollowDue,
  isSameCursor,
  noticesOf,
  notePassedTime,
  takeSame,
  takeWanted,
  type HostWork,
} from "./host-work.ts";
import { nextTelling, removeTold } from "./outbox.ts";
import { scanDueAt } from "./scan-schedule.ts";
import { classifyFailure } from "./server-failure.ts";
import { askServer, type Session } from "./session.ts";

/** Polls that bring no news are at least so far apart, whatever a server does. */
const POLL_GAP_MS = 1_000;

/** Asks for the desired state again and again. Ends by throwing alone: what failed, or the signal's reason. */
export async function pollDesired(work: HostWork, { line, signal }: Session): Promise<never> {
  const { clock, host, session } = work.parts;
  for (;;) {
    const askedAtMs = clock.now();
    const seen = work.wanted?.cursor;
    // A session begins with an answer at once: nothing is done to the host before one.
    const waitMs = work.isConfirmed ? DESIRED_WAIT_MAX_MS : 0;
    const body = { session, waitMs, ...(seen === undefined ? {} : { seen }) };
    const answer = await askServer(work.parts, line, {
      signal,
      waitMs,
      ask: (client, until) => client.desired(body, { signal: until }),
    });
    if (answer.kind === "state") {
      if (answer.state.host !== host) throw malformed(`The server answered for host ${quote(answer.state.host)}`);
      takeWanted(work, answer.state);
    } else if (!takeSame(work, answer.cursor)) {
      throw malformed("The server says that nothing is new, and nothing was known");
    }
    if (answer.texts !== undefined) await tellTexts(work, { line, signal }, answer.texts);
    const { cursor } = answer.kind === "state" ? answer.state : answer;
    const isNews = answer.kind === "state" && !isSameCursor(seen, cursor);
    if (!isNews && waitMs > 0) await clock.sleep(Math.max(0, askedAtMs + POLL_GAP_MS - clock.now()), signal);
  }
}

/** Tells raw texts that the last report left here, and nothing else that is on this host. */
async function tellTexts(
  work: HostWork,
  { line, signal }: Pick<Session, "line" | "signal">,
  paths: readonly string[],
): Promise<void> {
  const texts = paths.map((path) => ({ path, text: work.reporter.findText(path) ?? null }));
  const body = { session: work.parts.session, events: [], probes: [], notices: noticesOf(work), texts };
  await askServer(work.parts, line, { signal, ask: (client) => client.tell(body) });
}

/**
 * Does what is due, one thing after the other: follows, looks, reports, tells. What was changed is reported before it is
 * told, so that whoever hears of a device finds it. Ends by throwing alone.
 */
export async function workOnHost(work: HostWork, session: Session): Promise<never> {
  let hasLooked = false;
  for (;;) {
    session.signal.throwIfAborted();
    notePassedTime(work);
    if (isFollowDue(work)) await followWanted(work, session.hostSignal);
    session.signal.throwIfAborted();
    if (work.mustScan) {
      await reportHost(work, session);
      hasLooked = true;
    }
    await tellAll(work, session);
    if (isFollowDue(work)) continue;
    if (hasLooked) work.parts.rest?.();
    hasLooked = false;
    await work.wakeup.waitUntil(scanDueAt(work.times), session.signal);
  }
}

async function reportHost(work: HostWork, session: Session): Promise<void> {
  const { follower, clock } = work.parts;
  // A hint that comes while the host is looked at is one for the next look.
  const { hintedAtMs: _hint, ...times } = work.times;
  work.times = times;
  let snapshot: HostSnapshot | undefined;
  const isRead = await attempt(work, "scan_failed", async () => {
    snapshot = await follower.readSnapshot();
  });
  work.times = { ...work.times, scannedAtMs: clock.now() };
  if (isRead && snapshot !== undefined) await sendReport(work, session, snapshot);
  work.mustScan = false;
}

async function sendReport(work: HostWork, { line, signal }: Session, snapshot: HostSnapshot): Promise<void> {
  const { session } = work.parts;
  try {
    await work.reporter.report(snapshot, (report) =>
      askServer(work.parts, line, { signal, ask: (client) => client.report({ session, report }) }),
    );
    work.hasReported = true;
    work.ownNotices.delete("report_refused");
  } catch (error) {
    noteRefusal(work, error, "report_refused");
  }
  // A report that makes no sense to the server keeps nobody from hearing what was done.
  work.waitsForReport = false;
}

/** Tells until nothing is left to tell, or what is left has to wait. */
async function tellAll(work: HostWork, session: Session): Promise<void> {
  for (;;) {
    const notices = noticesOf(work);
    const told = nextTelling(work.outbox, work.waitsForReport ? "without events" : "with events");
    if (told.events.length + told.probes.length === 0 && !areNoticesNews(work)) return;
    if (!(await tellOnce(work, session, { ...told, notices }))) return;
  }
}

/** Whether the server has to hear what is in the way; that nothing is, once it is known. */
function areNoticesNews(work: HostWork): boolean {
  const notices = noticesOf(work);
  if (notices.length === 0 && (work.followed === undefined || !work.isConfirmed)) return false;
  return JSON.stringify(notices) !== work.toldNotices;
}

/** Says whether it was taken in; what was not is told again later. */
async function tellOnce(
  work: HostWork,
  { line, signal }: Session,
  told: Omit<EventsRequest, "session">,
): Promise<boolean> {
  const { session, follower } = work.parts;
  let answer: EventsAnswer;
  try {
    const body = { session, ...told };
    answer = await askServer(work.parts, line, { signal, ask: (client) => client.tell(body) });
  } catch (error) {
    noteRefusal(work, error, "events_refused");
    return false;
  }
  checkAnswers(answer, told);
  work.ownNotices.delete("events_refused");
  work.toldNotices = JSON.stringify(told.notices);
  for (const { kind, claim, code, text } of answer.events) {
    if (kind === "applied") continue;
    const why = `The server did not take an event of claim ${claim}: ${text ?? "no reason given"}`;
    work.parts.log({ level: "warning", text: why, ...(code === undefined ? {} : { code }) });
  }
  return attempt(work, "acknowledge_failed", async () => {
    // A refused event is settled as well: to say it again would not help.
    if (told.events.length > 0) await follower.acknowledge(told.events);
    work.outbox = removeTold(work.outbox, told);
  });
}

function checkAnswers({ events }: EventsAnswer, told: Omit<EventsRequest, "session">): void {
  const isEachAnswered =
    events.length === told.events.length && events.every(({ claim }, at) => claim === told.events[at]?.claim);
  if (!isEachAnswered) throw malformed("The server did not answer each event");
}

/** What this request alone failed with is shown and the session goes on; anything else ends the session. */
function noteRefusal(work: HostWork, error: unknown, code: string): void {
  if (!(error instanceof BerthError) || classifyFailure(error) !== "refused") throw error;
  const text = `The server does not take it: ${error.code}: ${error.message}`;
  work.ownNotices.set(code, { reason: { code, text } });
  work.parts.log({ level: "error", code: error.code, text: error.message });
}

function malformed(message: string): BerthError {
  return new BerthError("server_answer_malformed", message, { expected: "an answer of Berth's API, version 1" });
}

function quote(text: string): string {
  return JSON.stringify(String(text).slice(0, 80));
}
