// SPDX-License-Identifier: Apache-2.0

import type { MigrationProfile } from "@berth/core/device/migration-profile";
import { compileSource } from "@berth/core/inventory/migration-index";
import { profileOfDevice } from "@berth/core/inventory/profile";
import { unitsOf } from "@berth/core/placement/room-for-source";
import { searchCandidates } from "../inventory/candidate-search.ts";
import type { FleetView, ViewedHost } from "../inventory/fleet-view.ts";

/** How many devices have somewhere to go now, and how many have not. */
export interface DeviceCounts {
  /** Devices with a candidate on another host that is not cordoned. */
  readonly movable: number;
  readonly stuck: number;
  /** Devices of which nothing can be asked: the host shows no profile of them. */
  readonly unknown: number;
}

/** Devices of one host that every search treats alike, with one of them to search for. */
interface Alike {
  readonly source: MigrationProfile;
  count: number;
}

interface HostDevices {
  readonly viewed: ViewedHost;
  readonly unknown: number;
  readonly byKey: ReadonlyMap<string, Alike>;
}

/** Time that one slice may take before others are let in, milliseconds. */
const SLICE_MS = 5;
/** A count is as old as this before another one is made, and a count may take this part of the time at most. */
const AGE_MS = 60_000;
const SHARE = 1 / 20;

/**
 * Counts movable and stuck devices, now and then and in slices: a fleet of any size is counted without anybody waiting. Equal
 * devices are searched for once, and hosts that have not changed are not looked at again.
 */
export class DeviceCensus {
  readonly #view: FleetView;
  readonly #now: () => number;
  #hosts = new Map<string, HostDevices>();
  #counts: DeviceCounts | undefined;
  #revision = -1;
  #nextAtMs = 0;
  #running: Promise<void> | undefined;

  /** The clock is any in milliseconds. */
  constructor(view: FleetView, now: () => number) {
    this.#view = view;
    this.#now = now;
  }

  /** The last count; undefined until there is one. Begins another one where the last is old. */
  read(): DeviceCounts | undefined {
    const { revision } = this.#view.generation;
    if (this.#running === undefined && this.#now() >= this.#nextAtMs && revision !== this.#revision) {
      this.#running = this.#count(revision).finally(() => {
        this.#running = undefined;
      });
    }
    return this.#counts;
  }

  /** Resolves when the count that was begun is there. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #count(revision: number): Promise<void> {
    const slices = new Slices(this.#now);
    const hosts = new Map<string, HostDevices>();
    for (const name of this.#view.hostNames) {
      const viewed = this.#view.findHost(name);
      if (viewed === undefined) continue;
      const seen = this.#hosts.get(name);
      hosts.set(name, seen?.viewed === viewed ? seen : sortDevices(this.#view, viewed));
      await slices.rest();
    }
    this.#hosts = hosts;
    this.#counts = await this.#judge(hosts, slices);
    this.#revision = revision;
    this.#nextAtMs = this.#now() + Math.max(AGE_MS, slices.workedMs / SHARE);
  }

  async #judge(hosts: ReadonlyMap<string, HostDevices>, slices: Slices): Promise<DeviceCounts> {
    const found = new Map<string, (host: string) => boolean>();
    let [movable, stuck, unknown] = [0, 0, 0];
    for (const [host, devices] of hosts) {
      unknown += devices.unknown;
      for (const [key, { source, count }] of devices.byKey) {
        const hasPlace = found.get(key) ?? findPlaces(this.#view, source);
        found.set(key, hasPlace);
        if (hasPlace(host)) movable += count;
        else stuck += count;
        await slices.rest();
      }
    }
    return { movable, stuck, unknown };
  }
}

function sortDevices(view: FleetView, viewed: ViewedHost): HostDevices {
  const { snapshot } = viewed.host;
  const byKey = new Map<string, Alike>();
  let unknown = 0;
  for (const { id } of snapshot.devices) {
    const source = profileOfDevice(snapshot, id, view.policy);
    if (source === undefined) {
      unknown += 1;
      continue;
    }
    const key = keyOf(view, source, id);
    const alike = byKey.get(key) ?? { source, count: 0 };
    byKey.set(key, alike);
    alike.count += 1;
  }
  return { viewed, unknown, byKey };
}

/** Equal for devices that every search finds the same places for, but for their own hosts. */
function keyOf(view: FleetView, source: MigrationProfile, id: string): string {
  const { key } = compileSource(view.index, source);
  // The queues of a matrix are its own, and so is a device's number of units where it has more than one.
  return source.ap === undefined && unitsOf(source) === 1 ? key : `${source.subject.host} ${id}`;
}

/** Which hosts may send such a device away: all, none, or all but the one that has the only places. */
function findPlaces(view: FleetView, source: MigrationProfile): (host: string) => boolean {
  const search = { source, strategy: "fragmentation", limit: 1 } as const;
  const [first] = searchCandidates(view, { ...search, exceptHosts: view.cordons }).candidates;
  if (first === undefined) return () => false;
  const only = first.place.host;
  const others = searchCandidates(view, { ...search, exceptHosts: [...view.cordons, only] }).candidates;
  return others.length > 0 ? () => true : (host) => host !== only;
}

/** Work that lets others in after each slice. */
class Slices {
  readonly #now: () => number;
  #beganMs: number;
  workedMs = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#beganMs = now();
  }

  async rest(): Promise<void> {
    const worked = this.#now() - this.#beganMs;
    if (worked < SLICE_MS) return;
    this.workedMs += worked;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#beganMs = this.#now();
  }
}
