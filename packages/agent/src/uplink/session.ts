// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";
import { PROTOCOL } from "@berth/core/report/hello";
import type { AgentClient } from "@berth/core/protocol/agent/agent-client";
import type { SessionAnswer, SessionRequest } from "@berth/core/protocol/agent/agent-wire";
import type { AgentParts, ServerLine } from "./agent-parts.ts";
import { askWithin } from "./clock.ts";
import type { KnownReport } from "./reporter.ts";
import { toServerError } from "./server-failure.ts";

/** How long a server may take for an answer that waits for nothing. */
export const ANSWER_MS = 10_000;

/** A server that has welcomed the agent, until something fails. */
export interface Session {
  readonly line: ServerLine;
  readonly known: KnownReport;
  /** Ends every request and every wait. */
  readonly signal: AbortSignal;
  /** Calls off what is being done to the host. */
  readonly hostSignal: AbortSignal;
}

/** One request of a session, and how long beyond `ANSWER_MS` the server is asked to wait for news. */
export interface Asking {
  readonly waitMs?: number;
  readonly signal: AbortSignal;
}

/** Asks a server. Throws BerthError, whatever the transport throws, and the signal's reason. */
export async function askServer<T>(
  parts: AgentParts,
  line: ServerLine,
  { ask, signal, waitMs = 0 }: Asking & { readonly ask: (client: AgentClient, signal: AbortSignal) => Promise<T> },
): Promise<T> {
  try {
    const limit = { clock: parts.clock, ms: ANSWER_MS + waitMs, signal };
    return await askWithin(limit, async (until) => ask(line.client, until));
  } catch (error) {
    signal.throwIfAborted();
    throw toServerError(error, line.place);
  }
}

/** Says hello to a server. Throws BerthError also where it refuses: with the code of the refusal. */
export async function sayHello(parts: AgentParts, line: ServerLine, signal: AbortSignal): Promise<KnownReport> {
  const answer = await askServer(parts, line, { signal, ask: (client) => client.hello(helloOf(parts)) });
  return requireWelcome(answer, line.place);
}

function helloOf({ host, version, features = [], generation, session, follower }: AgentParts): SessionRequest {
  const hello = { hello: "berth.hello/v1", host, version, protocol: PROTOCOL, features, generation } as const;
  return { session, hello, fence: follower.highestFence };
}

function requireWelcome(answer: SessionAnswer, place: string): KnownReport {
  if (answer.kind === "refused") throw new BerthError(answer.code, answer.message, { place });
  const { protocol, known } = answer;
  if (protocol >= PROTOCOL.min && protocol <= PROTOCOL.max) return known;
  throw new BerthError(
    "protocol_unsupported",
    `The server chose protocol ${protocol}, which this agent does not speak`,
    {
      place,
      expected: `${PROTOCOL.min} to ${PROTOCOL.max}`,
    },
  );
}
