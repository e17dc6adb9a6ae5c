// SPDX-License-Identifier: Apache-2.0

import type { AgentClient } from "@berth/core/protocol/agent/agent-client";
import type { Follower } from "../follow/follower.ts";
import type { AgentLog } from "./agent-log.ts";
import type { Clock } from "./clock.ts";

/** One server as an agent reaches it. */
export interface ServerLine {
  /** For people: the server's address, without any secret. */
  readonly place: string;
  readonly client: AgentClient;
  /** Ends what is under way: this server was too slow. The line can be used again. */
  hangUp?(): void;
  /** Ends the line. */
  close?(): void;
}

/** Says that something on the host may have changed; what it was is seen by looking. */
export interface HintSource {
  /** Calls the listener at every hint until the returned function is called. */
  subscribe(listener: () => void): () => void;
}

/** Everything that an agent works with. */
export interface AgentParts {
  /** At least one; the first is tried first. */
  readonly servers: readonly ServerLine[];
  readonly follower: Follower;
  /** The name under which the host was enrolled. */
  readonly host: string;
  /** Of the agent program, for people. */
  readonly version: string;
  /** Names of what the agent can do besides, sorted. */
  readonly features?: readonly string[];
  /** Of this start, on disk before the agent says it (`raiseGeneration`). */
  readonly generation: number;
  /** Drawn at the start of this process, for it alone. */
  readonly session: string;
  /** Milliseconds, `RESCAN_MS` unless said. */
  readonly rescanMs?: number;
  readonly changes?: HintSource;
  /** Called when a look at the host is over: what it took is needed no more until the next one. */
  readonly rest?: () => void;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly log: AgentLog;
}

/** Where an agent stands. */
export type AgentStatus =
  | { readonly state: "connecting" }
  | { readonly state: "welcome"; readonly server: string }
  /** No server will have it, and it changes nothing on its host. */
  | { readonly state: "unwelcome"; readonly server: string; readonly code: string }
  | { readonly state: "stopped" };

/** An agent that runs. */
export interface RunningAgent {
  readonly status: AgentStatus;
  /**
   * Ends all waits, lets what is being done to the host come to its end or be taken back, and closes the lines. Returns
   * when nothing of the agent is left.
   */
  stop(): Promise<void>;
  /** Settles when the agent has ended: rejects only where Berth itself is at fault. */
  readonly ended: Promise<void>;
}
