// SPDX-License-Identifier: Apache-2.0

import type { Occupant, Pool, PoolLaw } from "../capacity/pool.ts";
import type { Pair } from "../compatibility/pair.ts";
import { pairOf, profile, type ProfileParts } from "../compatibility/test-profile.ts";
import type { Claim, ClaimedDevice } from "./claim.ts";
import type { ClaimRequest, Holders, WantedDevice } from "./claim-request.ts";

/** A UUID of a test, told apart by its number. */
export function uuidOf(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
}

/** A pool of `mtty`-like parents on host `b`: `mtty-1` takes one port, `mtty-2` two. */
export function portsPool(parts: {
  readonly ports: number;
  readonly parents?: readonly string[];
  readonly occupants?: readonly Occupant[];
  readonly law?: PoolLaw;
  readonly perParent?: number;
}): Pool {
  const { ports, parents = ["mtty"], occupants = [], perParent } = parts;
  const law: PoolLaw = parts.law ?? { kind: "counters", total: { ports: { atLeast: ports, atMost: ports } } };
  const used = occupants.reduce((sum, { type, count }) => sum + (type === "mtty-2" ? 2 : 1) * count, 0);
  return {
    host: "b",
    owner: parents.length === 1 ? { kind: "parent", id: parents[0] ?? "" } : { kind: "unknown", why: "made up" },
    law,
    origin: { kind: "declared", pack: "made up" },
    parents,
    ...(perParent === undefined ? {} : { perParent }),
    types: [
      { type: "mtty-1", consumption: { counters: { ports: 1 } } },
      { type: "mtty-2", consumption: { counters: { ports: 2 } } },
    ],
    occupants,
    offers: parents.flatMap((parent) => [
      { parent, type: "mtty-1", available: Math.max(0, ports - used), maxAggregation: 16 },
      { parent, type: "mtty-2", available: Math.max(0, Math.floor((ports - used) / 2)) },
    ]),
    changed: false,
  };
}

const BOTH: ProfileParts = { type: "mtty-1", module: "mtty", pciIds: undefined, features: {} };
const RUNNING: ProfileParts = { facts: { libvirt_version: "11.0.0", qemu_version: "10.0.0" } };

/** A move from host `a` to a type on a parent of host `b`, that everything speaks for. */
export function offerTo(
  parent = "mtty",
  parts: { readonly source?: ProfileParts; readonly destination?: ProfileParts } & Partial<
    Omit<Pair, "source" | "destination">
  > = {},
): Pair {
  const { source, destination, ...rest } = parts;
  const type = destination?.type ?? source?.type ?? "mtty-1";
  return pairOf(
    profile({ ...BOTH, ...RUNNING, parent: "mtty", ...source }),
    profile({ ...BOTH, ...RUNNING, host: "b", subject: "type", parent, ...destination, type }),
    rest,
  );
}

/** A device that wants one of these offers. */
export function wanted(number: number, offers: readonly Pair[] = [offerTo()]): WantedDevice {
  return { source: `source-${number}`, uuid: uuidOf(number), offers };
}

export const NOBODY: Holders = { claimed: [], used: [] };

/** A request for one `mtty-1` on an empty parent of four ports, but for what is said otherwise. */
export function requestOf(parts: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    id: "claim-1",
    claimant: { kind: "vm", host: "a", vm: "web-1" },
    host: "b",
    devices: [wanted(1)],
    pools: [portsPool({ ports: 4 })],
    holders: NOBODY,
    nowMs: 1_000,
    ttlMs: 600_000,
    fence: 1,
    principal: "operator",
    ...parts,
  };
}

/** A device of a claim: one `mtty-1` on the parent `mtty`. */
export function claimedDevice(number = 1, parts: Partial<ClaimedDevice> = {}): ClaimedDevice {
  const { parent = "mtty", type = "mtty-1", count = 1, identity = { kind: "mdev", uuid: uuidOf(number) } } = parts;
  const id = identity.kind === "mdev" ? identity.uuid : identity.address;
  return {
    source: `source-${number}`,
    identity,
    parent,
    type,
    count,
    values: [],
    occupant: { id, type, count, parent },
    fingerprint: { deviceApi: "vfio-pci" },
    ...parts,
  };
}

/** A held claim of one device on host `b`, but for what is said otherwise. */
export function claimOf(parts: Partial<Claim> = {}): Claim {
  return {
    id: "claim-1",
    state: "held",
    claimant: { kind: "vm", host: "a", vm: "web-1" },
    host: "b",
    devices: [claimedDevice()],
    fence: 3,
    principal: "operator",
    createdAtMs: 0,
    ...(parts.state === undefined || parts.state === "held" ? { expiresAtMs: 100 } : {}),
    restsOn: [],
    packs: [],
    ...parts,
  };
}
