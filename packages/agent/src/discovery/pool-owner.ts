// SPDX-License-Identifier: Apache-2.0

import { valueOf } from "@berth/core/device/evidence";
import type { MdevType } from "@berth/core/device/mdev-type";
import type { PoolOwner } from "@berth/core/device/parent-device";
import type { PciFunction } from "@berth/core/device/pci-function";
import { parseDescription } from "@berth/core/device/description";

/** What tells who owns the room behind a parent. */
export interface OwnerFacts {
  readonly id: string;
  readonly path: string;
  /** Set where the parent is a PCI function. */
  readonly pci?: PciFunction;
  /** Its folder has a `physfn` link, readable or not. */
  readonly hasPhysfn: boolean;
  /** Its folder has the `subsystem` link that the kernel gives every device: links were captured. */
  readonly hasSubsystem: boolean;
  /** One of its own virtual functions is a parent too. */
  readonly sharesWithVirtualFunctions: boolean;
  /** MIG GPU instance behind a virtual function. */
  readonly gpuInstance?: number;
  /** Why it cannot be told whether there is one. */
  readonly gpuInstanceUnread?: string;
  readonly types: readonly MdevType[];
  /** Devices made from this very parent. */
  readonly deviceCount: number;
}

/**
 * Decides who owns the room that a parent's types share. A VF's room is its PF's, or that of the MIG instance behind it;
 * other parents own theirs. Where a slice of sysfs does not show whether a function is a VF, the owner is unknown: the
 * A2 as captured without links offers one device on each of sixteen parents, and four in truth.
 */
export function decidePoolOwner(facts: OwnerFacts): PoolOwner {
  const { id, pci } = facts;
  if (pci === undefined) return { kind: "parent", id };
  const physical = pci.physicalFunction;
  if (physical !== undefined) {
    if (facts.gpuInstanceUnread !== undefined) {
      return unknown(`the GPU instance behind it cannot be read: ${facts.gpuInstanceUnread}`);
    }
    if (facts.gpuInstance !== undefined) return { kind: "gpu-instance", id: physical, instance: facts.gpuInstance };
    return { kind: "physical-function", id: physical };
  }
  if (facts.hasPhysfn) return unknown("its link to the physical function cannot be read");
  if (pci.role === "vf") return unknown("it is a virtual function without a link to its physical function");
  if (facts.sharesWithVirtualFunctions) return { kind: "physical-function", id: pci.address };
  if (pci.role === "pf") return { kind: "parent", id };
  if (!facts.path.startsWith("/sys/devices/")) {
    return unknown("the tree does not show where in /sys/devices it is, so it may be a virtual function");
  }
  if (!facts.hasSubsystem) return unknown("the tree has none of its links, so it may be a virtual function");
  const contradiction = facts.deviceCount === 0 ? findContradiction(facts.types) : undefined;
  return contradiction === undefined ? { kind: "parent", id } : unknown(contradiction);
}

/**
 * A parent without devices whose types offer one device at most, among them one that says a GPU holds several: the
 * rest of the GPU is somebody else's.
 */
function findContradiction(types: readonly MdevType[]): string | undefined {
  const offers = types.map((type) => ({
    type,
    available: valueOf(type.availableInstances) ?? 0,
    most: findMaxInstances(type),
  }));
  if (offers.some(({ available }) => available > 1)) return undefined;
  const odd = offers.find(({ available, most }) => available === 1 && most > 1);
  if (odd === undefined) return undefined;
  return `it holds no device and offers one ${odd.type.id}, of which its driver says that ${odd.most} fit`;
}

/** NVIDIA's `max_instance`; 0 where the description has none. */
function findMaxInstances(type: MdevType): number {
  const description = valueOf(type.description);
  if (description === undefined) return 0;
  const most = Number(parseDescription(description).get("max_instance") ?? "0");
  return Number.isSafeInteger(most) ? most : 0;
}

function unknown(why: string): PoolOwner {
  return { kind: "unknown", why };
}
