// SPDX-License-Identifier: Apache-2.0

import { parseStreamText, type StreamEvent } from "@berth/core/protocol/api/event-stream";
import type { ErrorCode } from "@berth/core/protocol/error-codes";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { World } from "../world.ts";
import type { ServerLink } from "./server-link.ts";

/** What a follower is told: an event, that the connection broke, or that nothing more waits there now. */
export type FollowNews =
  | { readonly kind: "event"; readonly event: StreamEvent }
  | { readonly kind: "lost"; readonly why: string; readonly waitMs: number }
  | { readonly kind: "quiet" };

/** The first wait before a broken connection is opened again; each further one is twice as long. */
const WAIT_FIRST_MS = 500;
const WAIT_MAX_MS = 30_000;
/** A heartbeat comes every 15 s: a connection that says nothing for longer is dead. */
const QUIET_MS = 60_000;
/** Most text of one event, in characters. */
const EVENT_MAX = 16 * 1024 * 1024;

/** Codes that another attempt may not meet. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "internal",
  "not_ready",
  "rate_limited",
  "request_timeout",
  "server_unreachable",
  "store_unavailable",
  "too_many_streams",
]);

/** Reads one connection's events, after the event of an id or from now on. Throws BerthError when it cannot be opened or breaks. */
export async function* readEvents(
  { read }: Pick<ServerLink, "read">,
  lastEventId: string | undefined,
): AsyncGenerator<FollowNews> {
  const body = await read({
    path: "/v1/events",
    headers: { accept: "text/event-stream", ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }) },
    quietMs: QUIET_MS,
  });
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const found = parseStreamText(rest + decoder.decode(chunk, { stream: true }));
    rest = found.rest;
    if (rest.length > EVENT_MAX) {
      throw new BerthError("server_answer_malformed", `An event has more than ${EVENT_MAX} characters`, {
        place: "GET /v1/events",
        expected: "an answer of Berth's API, version 1",
      });
    }
    for (const event of found.events) yield { kind: "event", event };
    if (found.events.length === 0 && rest === "") yield { kind: "quiet" };
  }
}

/**
 * Follows the events for good: a connection that breaks is opened again after a growing wait, from the last event that
 * came. Throws BerthError where another attempt would meet the same answer.
 */
export async function* followEvents(
  link: Pick<ServerLink, "read">,
  since: string | undefined,
  world: Pick<World, "wait">,
): AsyncGenerator<FollowNews> {
  let lastEventId = since;
  let waitMs = WAIT_FIRST_MS;
  for (;;) {
    let why = "the server ended it";
    try {
      for await (const news of readEvents(link, lastEventId)) {
        if (news.kind === "event") lastEventId = news.event.id ?? lastEventId;
        waitMs = WAIT_FIRST_MS;
        yield news;
      }
    } catch (error) {
      if (!(error instanceof BerthError) || !PASSING.has(error.code)) throw error;
      why = error.message;
    }
    yield { kind: "lost", why, waitMs };
    await world.wait(waitMs);
    waitMs = Math.min(waitMs * 2, WAIT_MAX_MS);
  }
}
