// SPDX-License-Identifier: Apache-2.0

import type { FastifyInstance } from "fastify";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { testSnapshot } from "@berth/core/placement/test-fleet";
import { makeApiServer } from "@berth/server/http/make-server";
import { FleetView } from "@berth/server/inventory/fleet-view";
import { hostName, madeUpFleet, typeName } from "./made-up-fleet.ts";

/** Host that holds the devices that are asked for. */
const SOURCE_HOST = "source";

/** What is measured: the read API over a made-up fleet, and what to ask of it. */
export interface ServedFleet {
  readonly server: FastifyInstance;
  /** Bodies of `POST /v1/candidates`. */
  readonly bodies: readonly string[];
  readonly buildSeconds: number;
}

/** Serves so many hosts of the made-up fleet, and as many questions about devices of its kinds. */
export function serveFleet(hosts: number, questions: number): ServedFleet {
  const start = performance.now();
  const view = new FleetView({ policy: { ...STRICT_POLICY, assumePlatform: true }, packs: [], epoch: "bench" });
  const snapshots = makeSnapshots(hosts);
  for (const snapshot of snapshots) view.putSnapshot(snapshot);
  const parts = Array.from({ length: questions }, (_, at) => makeSource(snapshots[(at * 37) % hosts], at));
  const parents = parts.map(({ parent }) => parent);
  view.putSnapshot(testSnapshot({ host: SOURCE_HOST, parents, devices: parts.map(({ device }) => device) }));
  const bodies = parts.map(({ device }) =>
    JSON.stringify({ source: { host: SOURCE_HOST, device: device.id }, explain: false }),
  );
  const server = makeApiServer({ view, version: "0.0.0", tokens: () => undefined, lagSeconds: () => 0 });
  return { server, bodies, buildSeconds: (performance.now() - start) / 1000 };
}

type Parent = Parameters<typeof testSnapshot>[0]["parents"][number];

/** Ten places a host, one parent each. */
function makeSnapshots(hosts: number): readonly HostSnapshot[] {
  const fleet = madeUpFleet(hosts, 20200909);
  const parents = new Map<number, Parent[]>();
  fleet.walk(({ host, kind: number, free }) => {
    const kind = fleet.kinds[number]!;
    const own = parents.get(host) ?? [];
    parents.set(host, own);
    const compatible = { pci_ids: `id${kind.ids[0]}` };
    const type = { id: typeName(kind.type), available: free, version: `${kind.major}.${kind.minor}.0`, compatible };
    own.push({ id: `p${own.length}`, types: [type], numaNode: own.length % 2 });
  });
  return [...parents].map(([host, own]) => testSnapshot({ host: hostName(host), parents: own }));
}

/** A device of a type that a host of the fleet offers, on a parent of its own. */
function makeSource(
  like: HostSnapshot | undefined,
  at: number,
): { parent: Parent; device: { id: string; parent: string; type: string } } {
  const type = like?.parents[at % 10]?.types[0];
  if (type === undefined) throw new Error("The made-up fleet has a host without ten places");
  const { softwareVersion, compatible } = type.attributes;
  const version = softwareVersion.kind === "known" ? `${softwareVersion.value.major}.0.0` : "0.0.0";
  const ids = compatible["pci_ids"];
  const parent = {
    id: `s${at}`,
    types: [
      { id: type.id, available: 0, version, compatible: { pci_ids: ids?.kind === "known" ? ids.value.join() : "" } },
    ],
  };
  return {
    parent,
    device: { id: `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`, parent: parent.id, type: type.id },
  };
}
