// SPDX-License-Identifier: Apache-2.0

import type { Apqn } from "../device/ap-matrix.ts";
import { valueOf } from "../device/evidence.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import type { VfioDevice } from "../device/vfio-device.ts";
import { sortOccupants } from "./changes.ts";
import type { OwnedGroup } from "./owners.ts";
import type { Occupant } from "./pool.ts";

/** The devices that sit in a group's pool, sorted by id. A whole function without a type takes no part in it. */
export function occupantsOf(snapshot: HostSnapshot, group: OwnedGroup): readonly Occupant[] {
  const parents = new Map(group.parents.map((parent) => [parent.id, parent]));
  const occupants = snapshot.devices.flatMap((device) => {
    const parent = parents.get(device.parent);
    if (parent === undefined || (device.kind === "function" && device.type.kind === "absent")) return [];
    return [occupantOf(device, parent.subchannel?.id)];
  });
  return sortOccupants(occupants);
}

/** Units of the pool that a group can share: queues bound to vfio_ap, or the subchannels. Sorted, may be empty. */
export function unitsOf(snapshot: HostSnapshot, group: OwnedGroup): readonly string[] {
  const subchannels = group.parents.flatMap((parent) => parent.subchannel?.id ?? []);
  if (subchannels.length > 0) return [...subchannels].sort();
  const queues = (snapshot.apBus?.queues ?? []).filter((queue) => valueOf(queue.driver) === "vfio_ap");
  return queues.map((queue) => unitName(queue.apqn)).sort();
}

/** The name of an AP queue as the kernel writes it in `matrix`, such as `01.0005`. */
export function unitName(apqn: Apqn): string {
  return `${apqn.adapter.toString(16).padStart(2, "0")}.${apqn.domain.toString(16).padStart(4, "0")}`;
}

function occupantOf(device: VfioDevice, subchannel: string | undefined): Occupant {
  const slot = valueOf(device.placementId);
  const units = subchannel === undefined ? apUnits(device) : [subchannel];
  const uncertain = uncertaintyOf(device);
  return {
    id: device.id,
    // An empty type names no type of any pool: what such a device takes is not known.
    type: valueOf(device.type) ?? "",
    count: countOf(device),
    parent: device.parent,
    ...(slot === undefined ? {} : { slot }),
    ...(units === undefined ? {} : { units }),
    ...(uncertain === undefined ? {} : { uncertain }),
  };
}

function countOf(device: VfioDevice): number {
  const count = valueOf(device.aggregation)?.count ?? 1;
  return Number.isSafeInteger(count) && count >= 1 ? count : 1;
}

function uncertaintyOf(device: VfioDevice): string | undefined {
  if (device.type.kind !== "known") return "its type could not be read";
  if (device.aggregation.kind === "unreadable") return `its count could not be read: ${device.aggregation.why}`;
  return undefined;
}

/** Queues of a vfio-ap device: what is assigned to it, in use by the guest or not. Undefined where not known. */
function apUnits(device: VfioDevice): readonly string[] | undefined {
  const matrix = device.ap?.matrix;
  if (matrix === undefined || matrix.kind === "unreadable") return undefined;
  return (valueOf(matrix) ?? []).map(unitName).sort();
}
