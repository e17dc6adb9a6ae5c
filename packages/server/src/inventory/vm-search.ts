// SPDX-License-Identifier: Apache-2.0

import type { MigrationProfile } from "@berth/core/device/migration-profile";
import type { FleetHost } from "@berth/core/inventory/fleet";
import { findBest } from "@berth/core/inventory/find-best";
import { compileSource } from "@berth/core/inventory/migration-index";
import { profileOfDevice } from "@berth/core/inventory/profile";
import { findVmCandidates } from "@berth/core/placement/find-vm-candidates";
import type { Strategy } from "@berth/core/placement/request";
import type { VmPlacementAnswer } from "@berth/core/placement/vm-answer";
import { findLeftOut, isColumnar } from "./candidate-search.ts";
import type { FleetView } from "./fleet-view.ts";

/** Where may all devices of a VM go, together? */
export interface VmSearch {
  readonly host: string;
  /** Id of the VM on its host. */
  readonly vm: string;
  readonly strategy: Strategy;
  /** Wanted NUMA node for all devices; undefined: for each the one of its own parent. */
  readonly numaNode?: number;
  /** Hosts that are not to be used, cordoned ones among them; the VM's own never is. */
  readonly exceptHosts: readonly string[];
  /** Only these hosts; undefined: all. */
  readonly onlyHosts?: readonly string[];
  /** Most candidates wanted. */
  readonly limit: number;
}

/** What a search found. */
export interface FoundVmCandidates {
  readonly sources: readonly MigrationProfile[];
  /** Best first; the same as the first ones of `findCandidates` over the whole fleet. */
  readonly candidates: VmPlacementAnswer["candidates"];
  /** Hosts on which every device has a place by itself, and not all of them together: nearest first, then by host. */
  readonly elsewhere: VmPlacementAnswer["elsewhere"];
}

/**
 * Finds the best hosts for a VM with all its devices. The index names the hosts on which each device has a place by
 * itself; only those are looked at, and there every way to seat all devices is weighed.
 * Throws RangeError where there is no such host or VM, or the VM has no device that the host shows.
 */
export function searchVmCandidates(view: FleetView, search: VmSearch): FoundVmCandidates {
  const own = view.findHost(search.host)?.host;
  if (own === undefined) throw new RangeError(`No host ${JSON.stringify(search.host)} in the view`);
  const hosts = listPossibleHosts(view, search, own);
  const { strategy, numaNode, host, vm, exceptHosts } = search;
  const answer = findVmCandidates(
    { ...view.frame, hosts: [own, ...hosts] },
    { host, vm, strategy, exceptHosts, memory: view.memory, ...(numaNode === undefined ? {} : { numaNode }) },
  );
  return {
    sources: answer.sources,
    candidates: answer.candidates.slice(0, search.limit),
    elsewhere: answer.elsewhere,
  };
}

/** Hosts on which each device of the VM has a place with room, sorted by name. */
function listPossibleHosts(view: FleetView, search: VmSearch, own: FleetHost): readonly FleetHost[] {
  const { snapshot } = own;
  const devices = snapshot.virtualMachines.find(({ id }) => id === search.vm)?.devices ?? [];
  const sources = devices.flatMap(({ device }) => profileOfDevice(snapshot, device, view.policy) ?? []);
  const [first, ...others] = sources.map((source) => listHostsFor(view, search, source));
  if (first === undefined) return [];
  const names = [...first].filter((name) => name !== search.host && others.every((hosts) => hosts.has(name)));
  return names.toSorted().flatMap((name) => view.findHost(name)?.host ?? []);
}

/** Hosts with a place that is compatible with one device and, where the columns tell, has room for it. */
function listHostsFor(view: FleetView, search: VmSearch, source: MigrationProfile): ReadonlySet<string> {
  const { places } = view.index;
  const ids = findBest(view.index, {
    source: compileSource(view.index, source),
    order: "score",
    atLeastFree: isColumnar(view, source) ? 1 : 0,
    limit: places.length,
    exceptHosts: findLeftOut(view, search),
  });
  return new Set(ids.map((id) => places.hostNames.texts[places.hosts[id] ?? 0] ?? ""));
}
