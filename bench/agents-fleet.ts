// SPDX-License-Identifier: Apache-2.0

import type { Follower } from "@berth/agent/follow/follower";
import type { ServerLine } from "@berth/agent/uplink/agent-parts";
import { systemClock } from "@berth/agent/uplink/clock";
import { openServerLines } from "@berth/agent/uplink/server-lines";
import { startAgent } from "@berth/agent/uplink/start-agent";
import { credentialOf, nameOf, showHost } from "./claims-fleet.ts";

// Agents of made-up hosts in a process of their own: `node agents-fleet.ts PORT FROM COUNT RESCAN_MS`. Each is the agent
// of a real host, with its own sockets, but for what it looks at: a snapshot in memory.

/** What a fleet is told. `change`: another driver took a unit of these hosts; `look`: the kernel says that something changed. */
export type FleetOrder =
  { readonly kind: "change" | "look"; readonly hosts: "all" | readonly number[] } | { readonly kind: "count" };

/** Reports that servers have taken, by kind, since the start; and failures to reach a server. */
export interface FleetCounts {
  readonly reports: Readonly<Record<string, number>>;
  readonly failures: number;
  readonly welcome: number;
}

const CARDS = 4;
/** Agents of this process that have started and not reported. */
const AT_ONCE = 128;

const [port = 0, from = 0, count = 0, rescanMs = 30_000] = process.argv.slice(2).map(Number);
const reports: Record<string, number> = {};
let failures = 0;
const hosts: FleetHost[] = [];
process.on("message", (order: FleetOrder) => take(order));
process.on("disconnect", () => process.exit());
void startAll();

/** Starts the agents one after the other, so many at once as one server welcomes without a queue that grows. */
async function startAll(): Promise<void> {
  const starting = new Set<FleetHost>();
  while (hosts.length < count || starting.size > 0) {
    for (const host of starting) if (host.hasReported()) starting.delete(host);
    while (starting.size < AT_ONCE && hosts.length < count) {
      const host = openHost(from + hosts.length);
      hosts.push(host);
      starting.add(host);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

interface FleetHost {
  taken: number;
  hint: () => void;
  readonly isWelcome: () => boolean;
  readonly hasReported: () => boolean;
}

function openHost(number: number): FleetHost {
  const host = nameOf(number);
  const own = { taken: 0, reported: 0, hint: (): void => undefined };
  const credential = credentialOf(host);
  const lines = openServerLines({ host, credential, servers: [`http://127.0.0.1:${port}`] });
  const agent = startAgent({
    servers: lines.map((line) => countReports(line, own)),
    follower: lookAt(() => showHost(number, CARDS, own.taken)),
    host,
    version: "0.0.0",
    generation: 2,
    session: `session-of-${host}`.padEnd(32, "-"),
    rescanMs,
    changes: {
      subscribe: (listener) => {
        own.hint = listener;
        return () => undefined;
      },
    },
    clock: systemClock(),
    random: Math.random,
    log: ({ level, text }) => {
      if (level !== "info" && (failures += 1) <= 3) console.log(`${host}: ${text}`);
    },
  });
  return Object.assign(own, { isWelcome: () => agent.status.state === "welcome", hasReported: () => own.reported > 0 });
}

function countReports(line: ServerLine, own: { reported: number }): ServerLine {
  const report: ServerLine["client"]["report"] = async (request) => {
    const answer = await line.client.report(request);
    const kind = answer.kind === "applied" ? request.report.kind : answer.kind;
    reports[kind] = (reports[kind] ?? 0) + 1;
    if (answer.kind === "applied") own.reported += 1;
    return answer;
  };
  return { ...line, client: { ...line.client, report } };
}

/** A host that is only looked at. */
function lookAt(look: () => ReturnType<typeof showHost>): Follower {
  return {
    recover: async () => [],
    follow: async () => ({ events: [], notices: [], probes: [], hasChanged: false }),
    acknowledge: async () => undefined,
    readSnapshot: async () => look(),
    highestFence: 0,
  };
}

function take(order: FleetOrder): void {
  if (order.kind === "count") {
    const welcome = hosts.filter(({ isWelcome }) => isWelcome()).length;
    process.send?.({ reports, failures, welcome } satisfies FleetCounts);
    return;
  }
  const chosen = order.hosts === "all" ? hosts : order.hosts.flatMap((number) => hosts[number - from] ?? []);
  for (const host of chosen) {
    if (order.kind === "change") host.taken = (host.taken + 1) % 8;
    host.hint();
  }
}
