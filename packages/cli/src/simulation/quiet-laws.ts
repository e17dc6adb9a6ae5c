// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from "node:util";
import type { Claim } from "@berth/core/claim/claim";
import { holdsRoom } from "@berth/core/claim/transitions";
import type { Control } from "@berth/server/http/control";
import type { Acknowledged } from "./simulated-client.ts";
import { listDevices, type SimulatedHypervisor } from "./simulated-hypervisor.ts";

/** Everything once it has come to rest. */
export interface Resting {
  readonly claims: ReadonlyMap<string, Claim>;
  readonly hosts: readonly SimulatedHypervisor[];
  /** Devices of others on each host. */
  readonly strangers: ReadonlyMap<string, ReadonlySet<string>>;
  readonly told: Acknowledged;
  /** Every server, and one more that has just read the store. */
  readonly servers: readonly Control[];
  readonly onViolation: (law: string, what: string) => void;
}

/** Whether nothing is under way any more: claims are held by nobody's time, made, or over. */
export function isAtRest(claims: ReadonlyMap<string, Claim>): boolean {
  return [...claims.values()].every(({ state }) => state === "bound" || !holdsRoom(state));
}

/**
 * Q1: every acknowledged claim is there, every acknowledged release is done. Q2: hosts hold the devices of bound claims, those
 * of strangers, and no others, with their units. Q3: all servers show the same, which is what one shows that has just read the
 * store. Q4: servers show of each type as many left as the kernel does. Q5: every agent is listened to.
 */
export function checkAtRest(resting: Resting): void {
  const { claims, told, onViolation } = resting;
  if (!isAtRest(claims)) {
    const open = [...claims.values()].filter(({ state }) => state !== "bound" && holdsRoom(state));
    const shown = open.map(({ id, host, state, reason }) => `${id} on ${host} ${state} ${reason?.code ?? ""}`);
    onViolation("Q0", `it comes to no rest: ${shown.join("; ")}`);
  }
  for (const id of told.granted.keys()) if (!claims.has(id)) onViolation("Q1", `${id} was granted and is gone`);
  for (const id of told.released) {
    const state = claims.get(id)?.state;
    if (state !== undefined && holdsRoom(state)) onViolation("Q1", `${id} was released and is ${state}`);
  }
  for (const id of told.confirmed) {
    const state = claims.get(id)?.state;
    if (state === "expired") onViolation("Q1", `${id} was confirmed and is ${state}`);
  }
  for (const host of resting.hosts) checkDevices(host, resting);
  checkViews(resting);
  const agents = resting.servers[0]?.agents.listAgents() ?? [];
  for (const { host, life } of agents) if (life !== "connected") onViolation("Q5", `the agent of ${host} is ${life}`);
}

function checkDevices(host: SimulatedHypervisor, { claims, strangers, onViolation }: Resting): void {
  const bound = [...claims.values()].filter((claim) => claim.host === host.name && claim.state === "bound");
  const wanted = new Map(bound.flatMap(({ devices }) => devices.map(({ occupant }) => [occupant.id, occupant.count])));
  const standing = listDevices(host.kernel);
  for (const [id, count] of wanted) {
    const found = standing.get(id);
    if (found !== count) onViolation("Q2", `${id} on ${host.name} is claimed with ${count} units and has ${found}`);
  }
  for (const id of standing.keys()) {
    const isKnown = wanted.has(id) || strangers.get(host.name)?.has(id) === true;
    if (!isKnown) onViolation("Q2", `${id} on ${host.name} is nobody's`);
  }
}

function checkViews({ servers, hosts, onViolation }: Resting): void {
  const [first, ...others] = servers.map(describeView);
  for (const [at, other] of others.entries()) {
    if (!isDeepStrictEqual(first, other)) onViolation("Q3", `server ${at + 1} shows other hosts than server 0`);
  }
  for (const { name, kernel } of hosts) {
    const shown = servers[0]?.replica.view.findHost(name)?.host.snapshot.parents.flatMap(({ types }) => types) ?? [];
    for (const { id: type, availableInstances: available } of shown) {
      const read = kernel.tree.read(
        `/sys/class/mdev_bus/0000:6a:01.0/mdev_supported_types/${type}/available_instances`,
        64,
      );
      const says = read.kind === "text" ? Number(read.text) : undefined;
      const knows = available.kind === "known" ? available.value : undefined;
      if (says !== knows) onViolation("Q4", `${name} has ${says} of ${type} left, and is shown to have ${knows}`);
    }
  }
}

/** All that is answered from, but when it changed last. */
function describeView({ replica: { view } }: Control): unknown {
  return [view.cordons, view.listHosts().map(({ host, ledger }) => [host, ledger])];
}
