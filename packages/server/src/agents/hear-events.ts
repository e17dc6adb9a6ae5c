// SPDX-License-Identifier: Apache-2.0

import {
  EVENTS_MAX,
  type EventAnswer,
  type EventsAnswer,
  type EventsRequest,
} from "@berth/core/protocol/agent/agent-wire";
import { BerthError } from "@berth/core/protocol/berth-error";
import { placeOf } from "./agent-documents.ts";
import type { DeskParts } from "./desk-parts.ts";

/**
 * Passes on what an agent says of its claims and probes. What it says of another host's claim is answered as if there were no
 * such claim, so that nothing of other hosts shows. Throws BerthError request_malformed, store_*.
 */
export async function hearEvents(parts: DeskParts, host: string, request: EventsRequest): Promise<EventsAnswer> {
  const { events, probes } = request;
  if (events.length > EVENTS_MAX) {
    const message = `A request may tell ${EVENTS_MAX} events, not ${events.length}`;
    throw new BerthError("request_malformed", message, { place: placeOf(host) });
  }
  if (probes.length > 0) await parts.probes.hear(host, probes);
  // Decided once: another host's claim may become known meanwhile.
  const sorted = events.map((event) => ({ event, isOwn: !isForeign(parts, host, event.claim) }));
  const own = sorted.flatMap(({ event, isOwn }) => (isOwn ? [event] : []));
  const answers = own.length === 0 ? [] : await parts.claims.hear(host, own);
  let at = 0;
  const answered = sorted.map(({ event, isOwn }): EventAnswer => {
    const answer = isOwn ? answers[at++] : undefined;
    return answer === undefined || answer.code === "unknown_claim" ? unknownClaim(event.claim) : answer;
  });
  return { events: answered };
}

/** Whether a claim is known to be of another host. */
export function isForeign({ replica }: Pick<DeskParts, "replica">, host: string, claim: string): boolean {
  const held = replica.findClaim(claim);
  return held !== undefined && held.document.host !== host;
}

function unknownClaim(claim: string): EventAnswer {
  return { claim, kind: "refused", code: "unknown_claim", text: "There is no such claim on this host" };
}
