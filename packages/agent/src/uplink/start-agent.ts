// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";
import { logChanges } from "./agent-log.ts";
import type { AgentParts, AgentStatus, RunningAgent, ServerLine } from "./agent-parts.ts";
import { beginSession, beginWork, recoverHost, takeHint, type HostWork } from "./host-work.ts";
import { pollDesired, workOnHost } from "./serve-session.ts";
import { classifyFailure, type FailureKind } from "./server-failure.ts";
import { FIRST_ROUND, planRetry, STEADY_MS, type ServerRound } from "./server-round.ts";
import { sayHello, type Session } from "./session.ts";

/** An agent while it runs. */
interface Life {
  readonly parts: AgentParts;
  readonly work: HostWork;
  readonly signal: AbortSignal;
  round: ServerRound;
  status: AgentStatus;
}

/**
 * Starts an agent: it settles what a crash interrupted, says hello to one server after the other until one welcomes it,
 * and then shows that server the host and does there what the server wants. Nothing is done to the host, but for that
 * first settling, while no server welcomes the agent.
 */
export function startAgent(given: AgentParts): RunningAgent {
  if (given.servers.length === 0) throw new RangeError("Cannot start an agent: it has no server");
  const parts = { ...given, log: logChanges(given.log) };
  const stopping = new AbortController();
  const life: Life = {
    parts,
    work: beginWork(parts),
    signal: stopping.signal,
    round: FIRST_ROUND,
    status: { state: "connecting" },
  };
  const ended = live(life);
  return {
    ended,
    get status() {
      return life.status;
    },
    stop: async () => {
      stopping.abort(new Error("The agent is stopped"));
      await ended;
    },
  };
}

async function live(life: Life): Promise<void> {
  const { parts, work, signal } = life;
  const unsubscribe = parts.changes?.subscribe(() => takeHint(work));
  try {
    await recoverHost(work);
    for (;;) await holdSession(life);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    unsubscribe?.();
    for (const line of parts.servers) line.close?.();
    life.status = { state: "stopped" };
  }
}

/** One try with one server, and all that comes of it until something fails. Throws where the agent stops. */
async function holdSession(life: Life): Promise<void> {
  const { parts, work, signal } = life;
  signal.throwIfAborted();
  if (life.round.delayMs > 0) await parts.clock.sleep(life.round.delayMs, signal);
  const line = parts.servers[life.round.at] as ServerLine;
  let welcomeAtMs: number | undefined;
  try {
    const known = await sayHello(parts, line, signal);
    welcomeAtMs = parts.clock.now();
    life.status = { state: "welcome", server: line.place };
    parts.log({ level: "info", text: `Welcome at ${line.place}` });
    beginSession(work, { known });
    await serve(work, { line, known }, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof BerthError)) throw error;
    const isOld = welcomeAtMs !== undefined && parts.clock.now() - welcomeAtMs >= STEADY_MS;
    const isSteady = welcomeAtMs !== undefined && (work.hasReported || isOld);
    noteFailure(life, error, { line, before: isSteady ? { ...life.round, failures: 0 } : life.round });
  }
}

function noteFailure(
  life: Life,
  error: BerthError,
  { line, before }: { readonly line: ServerLine; readonly before: ServerRound },
): void {
  const { servers, random, log } = life.parts;
  const kind = toSessionFailure(error);
  life.round = planRetry(before, kind, { servers: servers.length, random });
  const { code, message } = error;
  if (kind === "unwelcome") {
    const isKnown = life.status.state === "unwelcome" && life.status.code === code;
    life.status = { state: "unwelcome", server: line.place, code };
    const text = `${line.place} refuses this agent, which now changes nothing here: ${message}`;
    if (!isKnown) log({ level: "error", code, text });
    return;
  }
  // Who was refused stays so until a server says otherwise.
  if (life.status.state !== "unwelcome") life.status = { state: "connecting" };
  if (kind === "unreachable") line.hangUp?.();
  log({ level: "warning", code, text: `${line.place}: ${message}` });
}

/** A request that a session cannot go on without makes another server the better one. */
function toSessionFailure(error: BerthError): Exclude<FailureKind, "refused"> {
  const kind = classifyFailure(error);
  return kind === "refused" ? "unreachable" : kind;
}

/** Serves one session until the first of its two loops fails, and throws what that failed with when both have ended. */
async function serve(work: HostWork, welcome: Pick<Session, "line" | "known">, stopping: AbortSignal): Promise<void> {
  const ending = new AbortController();
  const callingOff = new AbortController();
  const session: Session = { ...welcome, signal: ending.signal, hostSignal: callingOff.signal };
  const stop = (): void => {
    callingOff.abort(stopping.reason);
    ending.abort(stopping.reason);
  };
  stopping.addEventListener("abort", stop, { once: true });
  let failure: unknown;
  const end = (error: unknown): void => {
    failure ??= error;
    // An agent that is not welcome stops in the middle of what it does; one that lost its server finishes it.
    if (error instanceof BerthError && classifyFailure(error) === "unwelcome") callingOff.abort(error);
    ending.abort(error);
  };
  try {
    stopping.throwIfAborted();
    await Promise.all([pollDesired(work, session).catch(end), workOnHost(work, session).catch(end)]);
  } finally {
    stopping.removeEventListener("abort", stop);
  }
  throw failure as Error;
}
