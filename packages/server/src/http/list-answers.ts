// SPDX-License-Identifier: Apache-2.0

import type { Pool } from "@berth/core/capacity/pool";
import { roomFor } from "@berth/core/capacity/room";
import { valueOf } from "@berth/core/device/evidence";
import type { DeviceItem, ParentItem, PoolItem, ProblemItem } from "@berth/core/protocol/api/answers";
import type { FleetView, ViewedHost } from "../inventory/fleet-view.ts";
import type { Listed, PageKey } from "./page.ts";

/** Which hosts an answer reads: one, or all from a name on. */
export interface HostRange {
  readonly view: FleetView;
  readonly host?: string | undefined;
}

/** The entries of each host, host after host by name; those of hosts before the key are left out. */
export function listBy<T>(
  { view, host }: HostRange,
  entriesOf: (viewed: ViewedHost) => readonly T[],
): (after: PageKey | undefined) => Iterable<T> {
  return function* entries(after) {
    const first = after?.[0] ?? "";
    for (const name of host === undefined ? view.hostNames : [host]) {
      const viewed = name < first ? undefined : view.findHost(name);
      if (viewed !== undefined) yield* entriesOf(viewed);
    }
  };
}

/** Parent devices, sorted by host and id. */
export function listParents(view: FleetView, host: string | undefined): Listed<ParentItem> {
  return {
    entries: listBy({ view, host }, ({ host: { snapshot } }) =>
      snapshot.parents.toSorted(compareIds).map((parent) => ({ host: snapshot.host, ...parent })),
    ),
    keyOf: (parent) => [parent.host, parent.id],
  };
}

/** Pools, sorted by host and owner. */
export function listPools(view: FleetView, host: string | undefined): Listed<PoolItem> {
  return {
    entries: listBy({ view, host }, ({ host: { pools } }) =>
      pools.toSorted((a, b) => (poolKey(a) < poolKey(b) ? -1 : 1)).map(formatPool),
    ),
    keyOf: (pool) => [pool.host, poolKey(pool)],
  };
}

/** Distinct on its host: no two pools have a parent in common. */
function poolKey({ owner, parents }: Pick<PoolItem, "owner" | "parents">): string {
  return JSON.stringify([owner.kind === "unknown" ? "" : owner.id, owner.kind, parents[0] ?? ""]);
}

/** A pool with how many more of each type fit; without what only claims would change. */
export function formatPool({ changed: _changed, seen: _seen, ...pool }: Pool): PoolItem {
  const room = pool.types.map(({ type }) => ({ type, ...roomFor({ ...pool, changed: false }, { type }) }));
  return { ...pool, room };
}

/** Which devices are wanted. */
export interface DeviceFilter {
  readonly host?: string;
  readonly type?: string;
  readonly parent?: string;
}

/** Devices, sorted by host and id. */
export function listDevices(view: FleetView, filter: DeviceFilter): Listed<DeviceItem> {
  return {
    entries: listBy({ view, host: filter.host }, ({ host: { snapshot } }) =>
      snapshot.devices
        .filter(
          (device) =>
            (filter.type === undefined || valueOf(device.type) === filter.type) &&
            (filter.parent === undefined || device.parent === filter.parent),
        )
        .toSorted(compareIds)
        .map((device) => ({ host: snapshot.host, ...device })),
    ),
    keyOf: (device) => [device.host, device.id],
  };
}

/** Problems, sorted by host, path and code; equal ones by their order. */
export function listProblems(view: FleetView, host: string | undefined): Listed<ProblemItem> {
  const keys = new Map<ProblemItem, readonly string[]>();
  return {
    entries: listBy({ view, host }, ({ host: { snapshot, problems } }) => {
      const sorted = problems.toSorted((a, b) => compareText(a.path, b.path) || compareText(a.code, b.code));
      for (const [at, problem] of sorted.entries()) {
        keys.set(problem, [snapshot.host, problem.path, problem.code, String(at).padStart(8, "0")]);
      }
      return sorted;
    }),
    keyOf: (problem) => keys.get(problem) ?? [],
  };
}

function compareIds(a: { readonly id: string }, b: { readonly id: string }): number {
  return compareText(a.id, b.id);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
