// SPDX-License-Identifier: Apache-2.0

import { EVENTS_MAX, type EventsRequest } from "@berth/core/protocol/agent/agent-wire";
import type { AgentEvent, AgentNotice, ProbeReply } from "@berth/core/provision/desired-state";
import type { Followed } from "../follow/follower.ts";

/** What an agent has to tell and no server has answered. */
export interface Outbox {
  /** In the order in which they happened, for each claim. */
  readonly events: readonly AgentEvent[];
  /** Newest of each id. */
  readonly probes: readonly ProbeReply[];
  /** All that is in the way now. */
  readonly notices: readonly AgentNotice[];
}

export const EMPTY_OUTBOX: Outbox = { events: [], probes: [], notices: [] };

/**
 * Adds what came of following; what is still untold from before is not told twice. Whether a VM uses a device is said of
 * now: what the newest following does not say again was so once, and is not told late.
 */
export function addFollowed(outbox: Outbox, followed: Followed): Outbox {
  const claims = [...new Set(followed.events.map(({ claim }) => claim))];
  const waiting = outbox.events.filter(
    (event) => !isOfUse(event) || ofClaim(followed.events, event.claim).some((said) => isSame(event, said)),
  );
  const added = new Set(claims.flatMap((claim) => findNew(ofClaim(waiting, claim), ofClaim(followed.events, claim))));
  const ids = new Set(followed.probes.map(({ id }) => id));
  return {
    events: [...waiting, ...followed.events.filter((event) => added.has(event))],
    probes: [...outbox.probes.filter(({ id }) => !ids.has(id)), ...followed.probes],
    notices: followed.notices,
  };
}

/** What goes into the next request, without the events where these have to wait. */
export function nextTelling(outbox: Outbox, events: "with events" | "without events"): Omit<EventsRequest, "session"> {
  const { notices, probes } = outbox;
  return { events: events === "with events" ? outbox.events.slice(0, EVENTS_MAX) : [], notices, probes };
}

/** Takes out what was answered: the first events, and these probes. */
export function removeTold(outbox: Outbox, told: Omit<EventsRequest, "session">): Outbox {
  const events = new Set(told.events);
  const probes = new Set(told.probes);
  return {
    events: outbox.events.filter((event) => !events.has(event)),
    probes: outbox.probes.filter((probe) => !probes.has(probe)),
    notices: outbox.notices,
  };
}

function isOfUse({ event }: AgentEvent): boolean {
  return event === "attached" || event === "detached";
}

function ofClaim(events: readonly AgentEvent[], claim: string): readonly AgentEvent[] {
  return events.filter((event) => event.claim === claim);
}

/**
 * The events that are not the end of those that wait: a follower may say again what was not acknowledged, and the longest
 * such repetition is passed over.
 */
function findNew(waiting: readonly AgentEvent[], said: readonly AgentEvent[]): readonly AgentEvent[] {
  for (let repeated = Math.min(waiting.length, said.length); repeated > 0; repeated--) {
    const tail = waiting.slice(waiting.length - repeated);
    if (tail.every((event, at) => isSame(event, said[at]))) return said.slice(repeated);
  }
  return said;
}

function isSame(left: AgentEvent, right: AgentEvent | undefined): boolean {
  return (
    left.event === right?.event &&
    left.fence === right.fence &&
    left.reason?.code === right.reason?.code &&
    left.reason?.text === right.reason?.text
  );
}
