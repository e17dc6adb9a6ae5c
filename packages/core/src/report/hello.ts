// SPDX-License-Identifier: Apache-2.0

import type { Digest } from "./inventory.ts";
import type { HostState, ReportOrder } from "./report.ts";

/** The versions of the protocol between agent and server that this program speaks, oldest and newest. */
export const PROTOCOL: ProtocolRange = { min: 1, max: 1 };

export interface ProtocolRange {
  readonly min: number;
  readonly max: number;
}

/** What an agent says first on every connection. */
export interface Hello {
  readonly hello: "berth.hello/v1";
  readonly host: string;
  /** Of the agent program, for people. */
  readonly version: string;
  readonly protocol: ProtocolRange;
  /** Names of what the agent can do besides, sorted; a name that the other side does not know means nothing to it. */
  readonly features: readonly string[];
  readonly generation: number;
}

/** What the server answers: how to speak, and what it knows of the host. */
export type HelloAnswer =
  | {
      readonly kind: "welcome";
      readonly protocol: number;
      /** What both sides can do, sorted. */
      readonly features: readonly string[];
      /** The newest report known, for the agent to go on from; absent where there is none. */
      readonly known?: ReportOrder & { readonly digest: Digest };
    }
  | {
      readonly kind: "refused";
      readonly code: "hello_wrong_host" | "hello_old_generation" | "protocol_unsupported";
      readonly message: string;
    };

/** One side of the conversation. */
export interface Speaker {
  /** The host that the sender's credential speaks for. */
  readonly host: string;
  readonly protocol: ProtocolRange;
  readonly features: readonly string[];
}

/**
 * Answers a hello with the newest version that both sides speak. An agent that starts again has a higher generation than
 * what is known; a lower one is an old copy of its state, or another machine with its credential.
 */
export function decideHello(hello: Hello, server: Speaker, known: HostState | undefined): HelloAnswer {
  if (hello.host !== server.host) {
    const message = `The agent says it is ${JSON.stringify(hello.host)}, its credential is of ${JSON.stringify(server.host)}`;
    return { kind: "refused", code: "hello_wrong_host", message };
  }
  const protocol = Math.min(hello.protocol.max, server.protocol.max);
  if (protocol < Math.max(hello.protocol.min, server.protocol.min)) {
    const message = `The agent speaks ${formatRange(hello.protocol)}, the server ${formatRange(server.protocol)}`;
    return { kind: "refused", code: "protocol_unsupported", message };
  }
  if (known !== undefined && hello.generation < known.generation) {
    const message = `The agent is in generation ${hello.generation}, generation ${known.generation} has reported before`;
    return { kind: "refused", code: "hello_old_generation", message };
  }
  const theirs = new Set(hello.features);
  const features = [...new Set(server.features)].filter((feature) => theirs.has(feature)).sort();
  const order = known && { generation: known.generation, sequence: known.sequence, digest: known.digest };
  return { kind: "welcome", protocol, features, ...(order === undefined ? {} : { known: order }) };
}

function formatRange({ min, max }: ProtocolRange): string {
  return min === max ? `protocol ${min}` : `protocols ${min} to ${max}`;
}
