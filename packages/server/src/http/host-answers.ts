// SPDX-License-Identifier: Apache-2.0

import { holdsRoom } from "@berth/core/claim/transitions";
import { valueOf } from "@berth/core/device/evidence";
import type { HostAnswer, HostItem } from "@berth/core/protocol/api/answers";
import type { AgentLife } from "@berth/core/protocol/api/control-answers";
import type { FleetView, ViewedHost } from "../inventory/fleet-view.ts";
import { formatClaim } from "./claim-handlers.ts";
import type { Control } from "./control.ts";
import { formatPool, listBy } from "./list-answers.ts";
import type { Listed } from "./page.ts";

/** Hosts in a list, sorted by name. */
export function listHosts(view: FleetView, control: Control | undefined): Listed<HostItem> {
  const lifeOf = (host: string): AgentLife | null => control?.agents.findLife(host) ?? null;
  return {
    entries: listBy({ view }, (viewed) => [formatHostItem(view, viewed, lifeOf(viewed.host.snapshot.host))]),
    keyOf: ({ host }) => [host],
  };
}

function formatHostItem(view: FleetView, { host, revision }: ViewedHost, agent: AgentLife | null): HostItem {
  const { snapshot, pools, places, problems } = host;
  return {
    host: snapshot.host,
    revision,
    cordoned: view.isCordoned(snapshot.host),
    kernel: valueOf(snapshot.kernel.release) ?? null,
    os: valueOf(snapshot.os) ?? null,
    parents: snapshot.parents.length,
    devices: snapshot.devices.length,
    pools: pools.length,
    places: places.length,
    problems: problems.length,
    agent,
  };
}

/** Everything that one host shows, and what Berth holds there. */
export function formatHost({ host, revision }: ViewedHost, view: FleetView, control: Control | undefined): HostAnswer {
  const name = host.snapshot.host;
  return {
    generation: view.generation,
    ...host.snapshot,
    revision,
    cordoned: view.isCordoned(name),
    pools: host.pools.map(formatPool),
    problems: host.problems,
    ...formatHeld(name, control),
  };
}

function formatHeld(host: string, control: Control | undefined): Pick<HostAnswer, "agent" | "adopted" | "claims"> {
  if (control === undefined) return { agent: null, adopted: { parents: [], vms: [] }, claims: [] };
  const { parents = [], vms = [] } = control.replica.findHost(host)?.adoption?.document ?? {};
  const claims = control.replica.listClaims(host).filter(({ document }) => holdsRoom(document.state));
  return {
    agent: control.agents.findLife(host) ?? null,
    adopted: { parents, vms },
    claims: claims.map((held) => formatClaim(control, held)),
  };
}
