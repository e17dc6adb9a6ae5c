// SPDX-License-Identifier: Apache-2.0

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseServerAddress } from "@berth/agent/uplink/server-address";
import { openTransport } from "@berth/agent/uplink/transport";
import type { RunningAgent } from "@berth/agent/uplink/agent-parts";
import { makeAgentClient } from "@berth/core/protocol/agent/agent-client";
import { parseEnrolmentToken } from "@berth/core/protocol/agent/agent-wire";
import type { FetchLike } from "@berth/core/protocol/api/client";
import type { ControlClient } from "@berth/core/protocol/api/control-client";
import { simulateHost, type SimulatedHost } from "@berth/simulator/machine/host";
import { makeVmFiles } from "@berth/simulator/machine/vm-files";
import { HYPERVISOR_FACTS } from "../input/demo-fleet.ts";
import { startSimulatedAgent, type AgentHost } from "./simulated-agent.ts";

/** The only parent of each host: an accelerator of 32 units. */
export const PARENT = "0000:6a:01.0";
export const UNITS = 32;
/** The device that is to move: it takes one unit. */
export const SOURCE_DEVICE = "50000000-0000-4000-8000-000000000001";
export const SOURCE = "source";

/** A simulated host with one accelerator; the one that is called `source` has a device on it. */
export function makeSmallHost(host: string): SimulatedHost {
  return simulateHost({
    name: host,
    vfioDebugfs: true,
    machines: [
      {
        kind: "dsa",
        address: PARENT,
        numaNode: 0,
        iommuGroup: 41,
        attributes: {
          softwareVersion: "1.5.0",
          compatible: { pci_ids: ["8086:0b25"] },
          dynamicResources: ["aggregator"],
        },
        migrationFeatures: ["stop-copy", "p2p", "pre-copy", "dirty-tracking"],
      },
    ],
    devices: host === SOURCE ? [{ parent: PARENT, type: "dsa-1dwq", uuid: SOURCE_DEVICE }] : [],
    files: makeVmFiles([]),
  });
}

/** What an agent needs of a host. */
export function agentHostOf({ name, tree }: SimulatedHost): AgentHost {
  return { host: name, tree, writer: tree, facts: HYPERVISOR_FACTS };
}

/** A transport to a server of another process. */
export function fetchFrom(url: URL): FetchLike {
  return openTransport(parseServerAddress(url.origin), {}).fetchLike;
}

/** Enrols a host and answers its credential. */
export async function enrolHost(
  server: { readonly control: ControlClient },
  fetchLike: FetchLike,
  host: string,
): Promise<{ readonly credential: string; readonly secret: string }> {
  const { token } = await server.control.makeEnrolment({ host });
  const { secret } = parseEnrolmentToken(token);
  const { credential } = await makeAgentClient(fetchLike).enrol({ secret, host });
  return { credential, secret };
}

/** Where the agents of a fleet live. */
export interface FleetPlace {
  readonly server: { readonly control: ControlClient; readonly url: URL };
  readonly directory: string;
  readonly rescanMs?: number;
  readonly log?: (line: string) => void;
}

/** One host with its agent. */
export interface SmallHost {
  readonly kernel: SimulatedHost;
  readonly credential: string;
  readonly stateDirectory: string;
  readonly agent: RunningAgent;
}

/** Enrols a host, starts its agent and hands its parent over as soon as it has reported; `source` is only looked at. */
export async function startSmallHost(host: string, place: FleetPlace): Promise<SmallHost> {
  const { server, directory, rescanMs = 500, log = () => undefined } = place;
  const fetchLike = fetchFrom(server.url);
  const { credential } = await enrolHost(server, fetchLike, host);
  const stateDirectory = join(directory, host);
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  const kernel = makeSmallHost(host);
  const agent = startSimulatedAgent(agentHostOf(kernel), { fetchLike, credential, stateDirectory, rescanMs, log });
  if (host !== SOURCE) await insistOn(() => server.control.adopt({ host, parent: PARENT }));
  else await insistOn(() => server.control.readVm(host, "none").catch(acceptUnknownVm));
  return { kernel, credential, stateDirectory, agent };
}

/** The host is known once it is its VM that is not. */
function acceptUnknownVm(error: unknown): void {
  if ((error as { readonly code?: string }).code !== "unknown_vm") throw error;
}

const WAIT_MS = 15_000;
const LOOK_MS = 5;

/** Tries again until it does not fail any more, or what it says is no longer false. Throws what it failed with last. */
export async function insistOn<T>(ask: () => Promise<T>): Promise<T> {
  const endMs = performance.now() + WAIT_MS;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== false) return answer;
      if (performance.now() > endMs) throw new Error(`It took longer than ${WAIT_MS / 1000} s`);
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, LOOK_MS);
    });
  }
}

/** The devices that stand on a host, sorted. */
export function listStanding({ tree }: SimulatedHost): readonly string[] {
  const found = tree.list("/sys/bus/mdev/devices");
  return found.kind === "names" ? found.names : [];
}
