// SPDX-License-Identifier: Apache-2.0

import type { Room } from "@berth/core/capacity/pool";
import { roomFor } from "@berth/core/capacity/room";
import { valueOf } from "@berth/core/device/evidence";
import { formatSoftwareVersion } from "@berth/core/device/software-version";
import { profileOfClass } from "@berth/core/inventory/compiled-source";
import type { CapacityItem, ClassItem, TypeItem } from "@berth/core/protocol/api/answers";
import type { FleetView } from "../inventory/fleet-view.ts";
import type { Listed } from "./page.ts";

/**
 * Answers that are sums over the whole fleet, made once for each revision that is asked for: page after page of a list
 * reads the same ones.
 */
export class FleetSums {
  readonly #view: FleetView;
  readonly #made = new Map<string, { readonly revision: number; readonly items: readonly unknown[] }>();

  constructor(view: FleetView) {
    this.#view = view;
  }

  listTypes(): Listed<TypeItem> {
    return { entries: () => this.#once("types", sumTypes), keyOf: ({ type }) => [type] };
  }

  listCapacity(): Listed<CapacityItem> {
    return { entries: () => this.#once("capacity", sumCapacity), keyOf: ({ type }) => [type] };
  }

  /** Classes that have places, by number. */
  listClasses(): Listed<ClassItem> {
    return {
      entries: () => this.#once("classes", listClasses),
      keyOf: (item) => [String(item.class).padStart(10, "0")],
    };
  }

  #once<T>(name: string, make: (view: FleetView) => readonly T[]): readonly T[] {
    const { revision } = this.#view.generation;
    const made = this.#made.get(name);
    if (made?.revision === revision) return made.items as readonly T[];
    const items = make(this.#view);
    this.#made.set(name, { revision, items });
    return items;
  }
}

interface TypeSum {
  readonly driver: string;
  readonly deviceApis: Set<string>;
  readonly names: Set<string>;
  readonly hosts: Set<string>;
  parents: number;
}

function sumTypes(view: FleetView): readonly TypeItem[] {
  const sums = new Map<string, TypeSum>();
  for (const { host } of view.listHosts()) {
    for (const type of host.snapshot.parents.flatMap((parent) => parent.types)) {
      const sum = sums.get(type.id) ?? {
        driver: type.driverPrefix,
        deviceApis: new Set(),
        names: new Set(),
        hosts: new Set(),
        parents: 0,
      };
      sums.set(type.id, sum);
      addKnown(sum.deviceApis, valueOf(type.deviceApi));
      addKnown(sum.names, valueOf(type.name));
      sum.hosts.add(host.snapshot.host);
      sum.parents += 1;
    }
  }
  return sortedEntries(sums).map(([type, { driver, deviceApis, names, hosts, parents }]) => {
    return {
      type,
      driver,
      deviceApis: [...deviceApis].toSorted(),
      names: [...names].toSorted(),
      hosts: hosts.size,
      parents,
    };
  });
}

interface CapacitySum {
  readonly hosts: Set<string>;
  pools: number;
  devices: number;
  room: Room;
  full: number;
  unknown: number;
  cordoned: Room;
}

const NOTHING: Room = { atLeast: 0, atMost: 0 };

function sumCapacity(view: FleetView): readonly CapacityItem[] {
  const sums = new Map<string, CapacitySum>();
  const sumOf = (type: string): CapacitySum => {
    const sum = sums.get(type) ?? {
      hosts: new Set(),
      pools: 0,
      devices: 0,
      room: NOTHING,
      full: 0,
      unknown: 0,
      cordoned: NOTHING,
    };
    sums.set(type, sum);
    return sum;
  };
  for (const { host } of view.listHosts()) {
    const isCordoned = view.isCordoned(host.snapshot.host);
    for (const device of host.snapshot.devices) {
      const type = valueOf(device.type);
      if (type !== undefined) sumOf(type).devices += 1;
    }
    for (const pool of host.pools) {
      for (const { type } of pool.types)
        addPool(sumOf(type), { host: host.snapshot.host, room: roomFor(pool, { type }), isCordoned });
    }
  }
  return sortedEntries(sums).map(([type, { hosts, ...sum }]) => ({ type, ...sum, hosts: hosts.size }));
}

function addPool(
  sum: CapacitySum,
  pool: { readonly host: string; readonly room: Room; readonly isCordoned: boolean },
): void {
  const { host, room, isCordoned } = pool;
  sum.hosts.add(host);
  sum.pools += 1;
  sum.room = addRooms(sum.room, room);
  if (room.atMost < 1) sum.full += 1;
  else if (room.atLeast < 1) sum.unknown += 1;
  if (isCordoned) sum.cordoned = addRooms(sum.cordoned, room);
}

function addRooms(a: Room, b: Room): Room {
  return { atLeast: a.atLeast + b.atLeast, atMost: a.atMost + b.atMost };
}

function listClasses({ index }: FleetView): readonly ClassItem[] {
  const { columns } = index;
  const items: ClassItem[] = [];
  for (let id = 0; id < columns.length; id += 1) {
    const places = columns.counts[id] ?? 0;
    if (places === 0) continue;
    const { type, vendorDriver, deviceApi, attributes } = profileOfClass(columns, id);
    const version = valueOf(attributes.softwareVersion);
    const zone = columns.zones[id] ?? 0;
    const fields = Object.entries(attributes.compatible).flatMap(([name, reading]) =>
      reading.kind === "known" ? [[name, reading.value] as const] : [],
    );
    items.push({
      class: id,
      type: valueOf(type) ?? null,
      driver: valueOf(vendorDriver) ?? null,
      deviceApi: valueOf(deviceApi) ?? null,
      softwareVersion: version === undefined ? null : formatSoftwareVersion(version),
      compatible: Object.fromEntries(fields),
      numaNode: zone === 0 ? null : zone - 1,
      places,
    });
  }
  return items;
}

function addKnown(set: Set<string>, value: string | undefined): void {
  if (value !== undefined) set.add(value);
}

function sortedEntries<T>(map: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
