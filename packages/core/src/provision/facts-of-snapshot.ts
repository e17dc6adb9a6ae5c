// SPDX-License-Identifier: Apache-2.0

import { valueOf } from "../device/evidence.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import type { ParentDevice } from "../device/parent-device.ts";
import type { HostFacts, ParentFacts } from "./host-facts.ts";

/**
 * What planning has to know of each parent of a host, from what the host shows: of mdev parents, of virtual functions in
 * the vendor framework, and of functions that are handed to guests as they are. `tool` makes the mdev devices.
 *
 * A type with an `aggregation` is of a driver whose `create` takes a count (section 2.1). The word before the count is
 * `aggregate`; no attribute tells a driver of the first draft, which wants `instances` and refuses the other.
 */
export function factsOfSnapshot(
  snapshot: Pick<HostSnapshot, "parents" | "devices" | "functions">,
  tool: ParentFacts["tool"],
): HostFacts {
  const facts = new Map<string, ParentFacts>();
  for (const { address, assigned } of snapshot.functions) {
    if (assigned) facts.set(address, { framework: "function", create: "plain", tool: "sysfs" });
  }
  for (const parent of snapshot.parents) {
    if (parent.framework === "mdev") facts.set(parent.id, factsOfMdevParent(snapshot, parent, tool));
    else facts.set(parent.id, { framework: "vendor-vfio", create: "plain", tool: "sysfs" });
  }
  return facts;
}

function factsOfMdevParent(
  { devices }: Pick<HostSnapshot, "devices">,
  { id, types }: ParentDevice,
  tool: ParentFacts["tool"],
): ParentFacts {
  const takesCount = types.some(({ maxAggregation }) => maxAggregation.kind === "known");
  if (!takesCount) return { framework: "mdev", create: "plain", tool };
  // A count that cannot be changed any more is the one that the device was created with.
  const counts = devices.flatMap(({ parent, aggregation }) => {
    const shown = parent === id ? valueOf(aggregation) : undefined;
    return shown?.attribute === undefined || shown.settable ? [] : [shown.attribute];
  });
  const [countAttribute] = counts.toSorted();
  return { framework: "mdev", create: "aggregate", ...(countAttribute === undefined ? {} : { countAttribute }), tool };
}
