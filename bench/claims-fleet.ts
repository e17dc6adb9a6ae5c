// SPDX-License-Identifier: Apache-2.0

import type { LoadedPack } from "@berth/core/compatibility/packs/pack";
import { STRICT_POLICY, type Policy } from "@berth/core/compatibility/policy";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { testSnapshot } from "@berth/core/placement/test-fleet";
import { splitSnapshot } from "@berth/core/report/split-snapshot";
import { batchWrites } from "@berth/server/agents/write-batches";
import type {
  AdoptionDocument,
  AgentDocument,
  PresenceDocument,
  ReportedDocument,
} from "@berth/server/documents/documents";
import { keyOf, sha256, type DocumentKind } from "@berth/server/documents/keys";
import { TRANSACTION_MAX, type Store, type Write } from "@berth/server/store/store";

/** Cards of a host, and units of a card: fewer of all than claims fit into a ledger. */
const CARDS = 6;
const UNITS = 16;
/** Hosts with one card each that all want the last places of, and the units of such a card. */
export const RACE_HOSTS = 20;
export const RACE_UNITS = 64;
/** Kinds of cards; half of them are in each host. */
const KINDS = 12;
/** Devices that exist on each host: each uses a unit of a card of its own. */
const DEVICES = 4;
const PRESENT_IN_ONE = 1000;

const consumption: Readonly<Record<string, Readonly<Record<string, number>>>> = Object.fromEntries(
  Array.from({ length: KINDS }, (_, kind) => [
    [`drv-k${kind}`, { unit: 1 }],
    [`drv-k${kind}x2`, { unit: 2 }],
  ]).flat() as [string, { readonly unit: number }][],
);

/** How the units of a card are counted. */
export const PACKS: readonly LoadedPack[] = [
  countedPack("drv", { units: UNITS, consumption }),
  countedPack("race", { units: RACE_UNITS, consumption: { "race-k0": { unit: 1 } } }),
];

function countedPack(
  name: string,
  { units, consumption: taken }: { readonly units: number; readonly consumption: typeof consumption },
): LoadedPack {
  return {
    digest: `sha256:${name}`,
    pack: {
      pack: "berth.driver-pack/v1",
      name,
      version: "1.0.0",
      title: "a driver of the benchmark",
      match: { driverPrefixes: [name] },
      rules: [],
      pool: { owner: "physical-function-or-parent", law: "counters", totals: { unit: units }, consumption: taken },
    },
  };
}

export const POLICY: Policy = { ...STRICT_POLICY, assumePlatform: true };

/** A device of the fleet, as a claim names it. */
export interface FleetDevice {
  readonly host: string;
  readonly device: string;
}

/** `host00017`. */
export function nameOf(host: number): string {
  return `host${String(host).padStart(5, "0")}`;
}

/** What a host of the fleet shows; `taken`: units that something else has of its last card. */
export function showHost(number: number, cards: number = CARDS, taken: number = 0): HostSnapshot {
  const host = nameOf(number);
  const parents = Array.from({ length: cards }, (_, card) => {
    const kind = `drv-k${(number + card) % KINDS}`;
    const left = (card < DEVICES ? UNITS - 1 : UNITS) - (card === cards - 1 ? taken : 0);
    const types = [
      { id: kind, available: left, version: "1.5.0" },
      { id: `${kind}x2`, available: left >> 1, version: "1.5.0" },
    ];
    return { id: `p${card}`, types, numaNode: card % 2 };
  });
  const devices = Array.from({ length: Math.min(DEVICES, cards) }, (_, card) => ({
    id: deviceId(number, card),
    parent: `p${card}`,
    type: `drv-k${(number + card) % KINDS}`,
  }));
  return testSnapshot({ host, parents, devices });
}

function deviceId(host: number, card: number): string {
  return `00000000-0000-4000-8000-${String(host).padStart(8, "0")}${String(card).padStart(4, "0")}`;
}

/** The device that all want to move in a race, and where it is. */
export const RACE_DEVICE: FleetDevice = { host: "racesource", device: deviceId(99_999_999, 0) };

/** A host with one card of its own kind. */
export function raceHost(race: number): string {
  return `race${String(race).padStart(5, "0")}`;
}

function listRaceHosts(): readonly HostSnapshot[] {
  const card = (available: number) => ({ id: "p0", types: [{ id: "race-k0", available, version: "1.5.0" }] });
  const devices = [{ id: RACE_DEVICE.device, parent: "p0", type: "race-k0" }];
  const source = testSnapshot({ host: RACE_DEVICE.host, parents: [card(RACE_UNITS - 1)], devices });
  const hosts = Array.from({ length: RACE_HOSTS }, (_, race) => raceHost(race));
  return [source, ...hosts.map((host) => testSnapshot({ host, parents: [card(RACE_UNITS)] }))];
}

/** Every device once; neighbours are of hosts far apart. */
export function listDevices(hosts: number): readonly FleetDevice[] {
  return Array.from({ length: hosts * DEVICES }, (_, at) => {
    const host = (at * 7919) % hosts;
    return { host: nameOf(host), device: deviceId(host, Math.floor(at / hosts)) };
  });
}

/** Documents of a fleet whose agents have reported, are heard by another server, and whose cards were handed over. */
export function listFleetWrites(hosts: number): readonly Write[] {
  const shown = Array.from({ length: hosts }, (_, number) => showHost(number));
  return listHostWrites([...shown, ...listRaceHosts()]);
}

/** The same of these hosts. */
export function listHostWrites(shown: readonly HostSnapshot[]): readonly Write[] {
  const writes = new Map<string, Write>();
  const put = (kind: DocumentKind, name: string, value: object | string): void => {
    const key = keyOf(kind, name);
    writes.set(key, { kind: "put", key, value: typeof value === "string" ? value : JSON.stringify(value) });
  };
  for (const snapshot of shown) {
    const { host } = snapshot;
    const { text, digest, shapes } = splitSnapshot(snapshot, sha256);
    for (const [name, shape] of shapes) put("catalogue", name, shape);
    put("inventory", host, text);
    put("reported", host, { generation: 1, sequence: 1, digest, atMs: 0 } satisfies ReportedDocument);
    put("adoption", host, { host, parents: snapshot.parents.map(({ id }) => id), vms: [] } satisfies AdoptionDocument);
    put("agent", host, agentOf(host));
  }
  for (let from = 0; from < shown.length; from += PRESENT_IN_ONE) {
    const names = shown.slice(from, from + PRESENT_IN_ONE).map(({ host }) => host);
    put("presence", `bench/${names[0]}`, { replica: "bench", hosts: names } satisfies PresenceDocument);
  }
  return [...writes.values()];
}

/** The secret that a host's agent speaks with. */
export function credentialOf(host: string): string {
  return `credential-of-${host}`.padEnd(43, "-");
}

/** An agent that was enrolled. */
export function agentOf(host: string): AgentDocument {
  const credential = sha256(credentialOf(host));
  return { host, credential, enrolledAtMs: 0, enrolledBy: "bench", generation: 1, session: "one", replaced: [] };
}

/** Writes documents into a store. */
export async function fillStore(store: Store, writes: readonly Write[]): Promise<void> {
  for (const batch of batchWrites(writes, TRANSACTION_MAX)) await store.transact({ compares: [], writes: batch });
}
