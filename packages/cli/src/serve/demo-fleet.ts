// SPDX-License-Identifier: Apache-2.0

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openRoot } from "@berth/agent/host/open-root";
import type { RunningAgent } from "@berth/agent/uplink/agent-parts";
import { makeAgentClient } from "@berth/core/protocol/agent/agent-client";
import { parseEnrolmentToken } from "@berth/core/protocol/agent/agent-wire";
import type { FetchLike } from "@berth/core/protocol/api/client";
import type { Control } from "@berth/server/http/control";
import { DEMO_FLEET } from "@berth/simulator/machine/examples";
import { simulateHost, type SimulatedHostSpec } from "@berth/simulator/machine/host";
import { makeVmFiles } from "@berth/simulator/machine/vm-files";
import { capturedPath, CAPTURED_HOSTS, HYPERVISOR_FACTS } from "../input/demo-fleet.ts";
import { startSimulatedAgent, type AgentHost } from "./simulated-agent.ts";

/** Hosts of the demo that nobody handed over: Berth looks at them and makes nothing there. */
const NOT_ADOPTED: ReadonlySet<string> = new Set(["rack4-n1", "rack4-n2", ...CAPTURED_HOSTS]);
/** The VM of the demo that was handed over, and one that Nova keeps. */
const ADOPTED_VM = { host: "rack6-n1", name: "db1" };
const RESCAN_MS = 5000;
const WAIT_MS = 20_000;
const LOOK_MS = 20;
const CALLER = { principal: "berth demo" };

/** Hosts with their agents. */
export interface DemoAgents {
  readonly hosts: readonly AgentHost[];
  stop(): Promise<void>;
}

/** Where the demo's agents meet their server. */
export interface DemoPlace {
  readonly control: Control;
  readonly fetchLike: FetchLike;
  /** A directory for the state of the agents, removed by the caller. */
  readonly directory: string;
  readonly log: (line: string) => void;
}

/** Starts an agent on every host of the demo, waits until all have reported, and hands over what the demo hands over. */
export async function startDemoAgents(place: DemoPlace): Promise<DemoAgents> {
  const hosts = [...DEMO_FLEET.map(openSimulated), ...CAPTURED_HOSTS.map(openCaptured)];
  const agents = await Promise.all(hosts.map(async (host) => startOne(place, host)));
  const { view } = place.control.replica;
  await waitUntil("all hosts of the demo have reported", () =>
    hosts.every(({ host }) => view.findHost(host) !== undefined),
  );
  for (const { host } of hosts) await handOver(place.control, host);
  return {
    hosts,
    stop: async () => {
      await Promise.all(agents.map(async (agent) => agent.stop()));
    },
  };
}

/** Waits for what is on its way. Throws where it does not come. */
export async function waitUntil(what: string, isSo: () => boolean): Promise<void> {
  for (let waitedMs = 0; !isSo(); waitedMs += LOOK_MS) {
    if (waitedMs > WAIT_MS) throw new Error(`It took longer than ${WAIT_MS / 1000} s until ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, LOOK_MS);
    });
  }
}

async function startOne({ control, fetchLike, directory, log }: DemoPlace, host: AgentHost): Promise<RunningAgent> {
  const { token } = await control.agents.makeEnrolment({ host: host.host }, CALLER);
  const { secret } = parseEnrolmentToken(token);
  const { credential } = await makeAgentClient(fetchLike).enrol({ secret, host: host.host });
  const stateDirectory = join(directory, host.host);
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  return startSimulatedAgent(host, { fetchLike, credential, stateDirectory, rescanMs: RESCAN_MS, log });
}

/** A simulated host shows its processes, so that it can be told who uses a device. */
function openSimulated(spec: SimulatedHostSpec): AgentHost {
  const { tree } = simulateHost({ ...spec, files: spec.files ?? makeVmFiles([]) });
  return { host: spec.name, tree, writer: tree, facts: HYPERVISOR_FACTS };
}

/** A captured host is a picture: nothing can be written there. */
function openCaptured(name: string): AgentHost {
  const writer: AgentHost["writer"] = { write: () => ({ kind: "failed", errno: "EROFS" }) };
  return { host: name, tree: openRoot(capturedPath(name)), writer, facts: {} };
}

async function handOver({ orders, replica }: Control, host: string): Promise<void> {
  if (NOT_ADOPTED.has(host)) return;
  const snapshot = replica.view.findHost(host)?.host.snapshot;
  for (const { id } of snapshot?.parents ?? []) await orders.adopt({ host, parent: id }, CALLER);
  const vm = snapshot?.virtualMachines.find(({ name }) => host === ADOPTED_VM.host && name === ADOPTED_VM.name);
  if (vm !== undefined) await orders.adopt({ host, vm: vm.id }, CALLER);
}
