// SPDX-License-Identifier: Apache-2.0

import type { EventsRequest } from "@berth/core/protocol/agent/agent-wire";
import type { AgentNotice } from "@berth/core/provision/desired-state";
import { makeClosing, type Closing } from "./closing.ts";
import type { AgentDesk } from "./agent-desk.ts";
import { isListened, requireSession } from "./agent-documents.ts";
import { findAgentLife, listAgentItems } from "./agent-list.ts";
import { makeAuthenticate } from "./credentials.ts";
import { makeDesiredBoard, type DesiredBoard } from "./desired-board.ts";
import type { DeskParts } from "./desk-parts.ts";
import { enrol, makeEnrolment, revoke } from "./enrolment.ts";
import { hearEvents, isForeign } from "./hear-events.ts";
import { makePresence, type Presence } from "./presence.ts";
import { makeReportIntake, type ReportIntake } from "./report-intake.ts";
import { openDoor, sayHello, type Door } from "./say-hello.ts";
import { makeTextAsks, type TextAsks } from "./text-asks.ts";
import { waitForDesired } from "./wait-for-desired.ts";

/** Most notices of one host that are kept. */
const NOTICES_MAX = 256;

/** What a desk keeps between requests. */
interface Desk {
  readonly parts: DeskParts;
  readonly presence: Presence;
  readonly intake: ReportIntake;
  readonly board: DesiredBoard;
  readonly door: Door;
  readonly closing: Closing;
  /** What each host's agent says is in its way: told as a whole, and kept in memory alone. */
  readonly notices: Map<string, readonly AgentNotice[]>;
  readonly texts: TextAsks;
}

/** Opens the desk of all agents on what one server process knows. Owns its timers and its lease: close it. */
export function makeAgentDesk(parts: DeskParts): AgentDesk {
  const { replica } = parts;
  const board = makeDesiredBoard(parts);
  const desk: Desk = {
    parts,
    presence: makePresence(parts),
    intake: makeReportIntake(parts),
    board,
    door: openDoor(),
    closing: makeClosing(),
    notices: new Map(),
    texts: makeTextAsks({ alarm: parts.alarm, wake: (host) => board.wake(host) }),
  };
  // Who is not listened to is not heard, whatever it says.
  const isHeard = (host: string): boolean => {
    const agent = replica.findHost(host)?.agent?.document;
    return agent !== undefined && isListened(agent) && desk.presence.isHeard(host);
  };
  const listNotices = (host: string): readonly AgentNotice[] => desk.notices.get(host) ?? [];
  return {
    ...answersToAgents(desk),
    makeEnrolment: (body, caller) => makeEnrolment(parts, body, caller),
    enrol: (request) => enrol(parts, request),
    authenticate: makeAuthenticate(replica),
    revoke: (host, caller) => revoke(parts, host, caller),
    listAgents: () => listAgentItems(replica, { isHeard, listNotices }),
    findLife: (host) => findAgentLife(replica, { isHeard }, host),
    listNotices,
    isHeard,
    readText: (host, path) => desk.texts.ask(host, path),
    close: async () => {
      desk.closing.close();
      desk.board.close();
      await desk.presence.close();
    },
  };
}

/** What is answered to an agent whose credential was found good. */
function answersToAgents(desk: Desk): Pick<AgentDesk, "hello" | "report" | "desired" | "hear"> {
  const { parts, presence, intake, door } = desk;
  return {
    hello: async (host, request) => {
      const agent = parts.replica.findHost(host)?.agent;
      const known = agent && intake.newest(host, agent);
      const answer = await sayHello(parts, { host, known, door }, request);
      presence.note(host);
      return answer;
    },
    report: async (host, request) => {
      const answer = await intake.take(host, request);
      presence.note(host);
      return answer;
    },
    desired: async (host, request, signal) => {
      await requireSession(parts, host, request.session);
      presence.note(host);
      try {
        const answer = await waitForDesired(parts, desk.board, {
          host,
          request,
          signal,
          closing: desk.closing,
          takeUnasked: () => desk.texts.takeUnasked(host),
        });
        // Another session may have taken its place while it waited.
        await requireSession(parts, host, request.session);
        return answer;
      } finally {
        presence.note(host);
      }
    },
    hear: async (host, request) => {
      await requireSession(parts, host, request.session);
      presence.note(host);
      keepNotices(desk, host, request);
      desk.texts.hear(host, request.texts ?? []);
      return await hearEvents(parts, host, request);
    },
  };
}

function keepNotices({ parts, notices }: Desk, host: string, request: EventsRequest): void {
  const own = request.notices.filter(({ claim }) => claim === undefined || !isForeign(parts, host, claim));
  if (own.length === 0) notices.delete(host);
  else notices.set(host, own.slice(0, NOTICES_MAX));
}
