// SPDX-License-Identifier: Apache-2.0

import type { FastifyInstance } from "fastify";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { known } from "@berth/core/device/evidence";
import { parseSoftwareVersion } from "@berth/core/device/software-version";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { testSnapshot } from "@berth/core/placement/test-fleet";
import type { CandidatesRequest } from "@berth/core/protocol/api/requests";
import { makeApiServer } from "@berth/server/http/make-server";
import { answerCandidates } from "@berth/server/http/question-answers";
import { FleetView } from "@berth/server/inventory/fleet-view";
import { hostName, madeUpFleet, typeName } from "./made-up-fleet.ts";

/** Seed of the fleet. */
export const SEED = 20200909;

/** What is measured: the API over a made-up fleet, and what to ask of it. */
export interface ServedFleet {
  readonly server: FastifyInstance;
  readonly view: FleetView;
  /** Bodies of `POST /v1/candidates`, each about a device of its own. */
  readonly bodies: readonly string[];
  readonly buildSeconds: number;
}

/** Serves so many hosts of the made-up fleet, and as many questions as said, each about another device on one of them. */
export function serveFleet(hosts: number, questions: number): ServedFleet {
  const start = performance.now();
  const view = new FleetView({ policy: { ...STRICT_POLICY, assumePlatform: true }, packs: [], epoch: "bench" });
  const bodies: string[] = [];
  const devices = Math.ceil(questions / hosts);
  eachSnapshot(hosts, devices, (snapshot) => {
    view.putSnapshot(snapshot);
    for (const { id } of snapshot.devices) {
      bodies.push(JSON.stringify({ source: { host: snapshot.host, device: id }, explain: false }));
    }
  });
  const server = makeApiServer({ view, version: "0.0.0", tokens: () => undefined, lagSeconds: () => 0 });
  // Hosts come in no order of their names; the first ones asked about are spread over the fleet.
  return { server, view, bodies: bodies.slice(0, questions), buildSeconds: (performance.now() - start) / 1000 };
}

/** Takes the best place of one question for a claim of that number, in the view alone: later questions find one place less. */
export function claimFor({ view, bodies }: ServedFleet, number: number): void {
  const body = JSON.parse(bodies[(number * 7919) % bodies.length] ?? "{}") as CandidatesRequest;
  const [best] = answerCandidates(view, body).candidates;
  if (best === undefined) return;
  const { host, parent, type } = best;
  const claimed = { id: `00000000-0000-4000-9000-${String(number).padStart(12, "0")}`, parent, type, count: 1 };
  view.edit(undefined, (edit) => edit.putLedger(host, [...view.ledgerOf(host), claimed]));
}

type Parent = Parameters<typeof testSnapshot>[0]["parents"][number];

/** Ten places a host, one parent each, and devices on the first ones. Visited one by one: none is kept here. */
function eachSnapshot(hosts: number, devices: number, visit: (snapshot: HostSnapshot) => void): void {
  const fleet = madeUpFleet(hosts, SEED);
  let own: Parent[] = [];
  fleet.walk(({ host, kind: number, free }) => {
    const kind = fleet.kinds[number]!;
    const compatible = { pci_ids: `id${kind.ids[0]}` };
    const type = { id: typeName(kind.type), available: free, version: `${kind.major}.${kind.minor}.0`, compatible };
    own.push({ id: `p${own.length}`, types: [type], numaNode: own.length % 2 });
    if (own.length < 10) return;
    visit(withDevices(hostName(host), own, devices));
    own = [];
  });
}

/** A device speaks the first minor version of its type's stream, so that many places would take it. */
function withDevices(host: string, parents: readonly Parent[], count: number): HostSnapshot {
  const devices = parents.slice(0, count).map((parent, at) => ({
    id: `00000000-0000-4000-8000-${host.replace(/\D/g, "")}${String(at).padStart(5, "0")}`,
    parent: parent.id,
    type: parent.types[0]?.id ?? "",
  }));
  const snapshot = testSnapshot({ host, parents, devices });
  return {
    ...snapshot,
    devices: snapshot.devices.map((device, at) => {
      const version = `${parents[at]?.types[0]?.version?.split(".")[0] ?? "0"}.0.0`;
      const evidence = { host, source: "sysfs", path: `${device.path}/software_version`, text: version } as const;
      const softwareVersion = known(parseSoftwareVersion(version), evidence);
      return { ...device, attributes: { ...device.attributes, softwareVersion } };
    }),
  };
}
