// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from "node:crypto";
import { openFollower } from "@berth/agent/follow/open-follower";
import { findDeviceUse } from "@berth/agent/host/device-users";
import type { SysfsTree } from "@berth/agent/host/sysfs-tree";
import type { HostWriter } from "@berth/agent/provision/host-writer";
import type { RunningAgent } from "@berth/agent/uplink/agent-parts";
import { raiseGeneration } from "@berth/agent/uplink/agent-state";
import { systemClock } from "@berth/agent/uplink/clock";
import { startAgent } from "@berth/agent/uplink/start-agent";
import { known, type Reading } from "@berth/core/device/evidence";
import { makeAgentClient } from "@berth/core/protocol/agent/agent-client";
import type { FetchLike } from "@berth/core/protocol/api/client";
import packageJson from "../../package.json" with { type: "json" };

/** A host that an agent of this process looks after. */
export interface AgentHost {
  readonly host: string;
  readonly tree: SysfsTree;
  readonly writer: HostWriter;
  /** What fact scripts would say, by name. */
  readonly facts: Readonly<Record<string, string>>;
}

/** How its agent reaches the server, and where it keeps what it has to remember. */
export interface AgentHome {
  readonly fetchLike: FetchLike;
  readonly credential: string;
  readonly stateDirectory: string;
  readonly rescanMs: number;
  readonly log: (line: string) => void;
}

/** Starts the agent of a host that is not this machine: the same agent as a real one, over another tree. */
export function startSimulatedAgent({ host, tree, writer, facts }: AgentHost, home: AgentHome): RunningAgent {
  const follower = openFollower({
    host,
    look: () => tree,
    writer,
    runner: { run: () => Promise.resolve({ kind: "not-started", errno: "ENOENT" }) },
    mdevctl: { kind: "unusable", why: "a simulated host has no mdevctl" },
    tool: "sysfs",
    stateDirectory: home.stateDirectory,
    useOf: (identity) => findDeviceUse(tree, identity),
    readFacts: () => Promise.resolve({ facts: readingsOf(host, facts), problems: [] }),
    now: Date.now,
    log: home.log,
  });
  return startAgent({
    servers: [{ place: "this process", client: makeAgentClient(home.fetchLike, { credential: home.credential }) }],
    follower,
    host,
    version: packageJson.version,
    generation: raiseGeneration(home.stateDirectory),
    session: randomBytes(16).toString("hex"),
    rescanMs: home.rescanMs,
    clock: systemClock(),
    random: Math.random,
    log: ({ level, text }) => {
      if (level !== "info") home.log(`${host}: ${text}`);
    },
  });
}

function readingsOf(host: string, facts: AgentHost["facts"]): Readonly<Record<string, Reading<string>>> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => {
      return [name, known(value, { host, source: "script", path: "simulated hypervisor", text: value })];
    }),
  );
}
