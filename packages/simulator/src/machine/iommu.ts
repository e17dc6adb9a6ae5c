// SPDX-License-Identifier: Apache-2.0

import { fileAttribute, fixedAttribute, PAGE_BYTES, settingAttribute } from "../tree/node.ts";
import type { Kernel } from "./kernel.ts";

const GROUPS = "/sys/kernel/iommu_groups";

/** Puts a PCI function into an IOMMU group with translation, alone or beside others. */
export function joinIommuGroup(
  kernel: Kernel,
  group: number,
  device: { readonly path: string; readonly name: string },
): void {
  kernel.iommuGroups.reserve(group);
  kernel.tree.addAttribute(
    `${GROUPS}/${group}/reserved_regions`,
    fixedAttribute("0x00000000fee00000 0x00000000feefffff msi"),
  );
  kernel.tree.addAttribute(`${GROUPS}/${group}/type`, settingAttribute("DMA-FQ\n"));
  kernel.tree.addLink(`${GROUPS}/${group}/devices/${device.name}`, device.path);
  kernel.tree.addLink(`${device.path}/iommu_group`, `${GROUPS}/${group}`);
}

/**
 * Makes the group of an mdev device, which has no IOMMU of its own: vfio_noiommu_group_alloc() names it `vfio-noiommu`,
 * and its type is unknown to the IOMMU core. Returns its number.
 */
export function makeEmulatedGroup(kernel: Kernel, device: { readonly path: string; readonly name: string }): number {
  const group = kernel.iommuGroups.take();
  const folder = `${GROUPS}/${group}`;
  kernel.tree.addAttribute(`${folder}/name`, fixedAttribute("vfio-noiommu"));
  kernel.tree.addAttribute(`${folder}/reserved_regions`, fileAttribute("", PAGE_BYTES));
  kernel.tree.addAttribute(`${folder}/type`, settingAttribute("unknown\n"));
  kernel.tree.addLink(`${folder}/devices/${device.name}`, device.path);
  kernel.tree.addLink(`${device.path}/iommu_group`, folder);
  kernel.tree.addAttribute(`/sys/devices/virtual/vfio/${group}/uevent`, settingAttribute(`DEVNAME=vfio/${group}\n`));
  kernel.tree.addLink(`/sys/devices/virtual/vfio/${group}/subsystem`, "/sys/class/vfio");
  kernel.tree.addLink(`/sys/class/vfio/${group}`, `/sys/devices/virtual/vfio/${group}`);
  return group;
}

/** Takes the group of an mdev device away. */
export function dropEmulatedGroup(kernel: Kernel, group: number): void {
  kernel.tree.removeEntry(`${GROUPS}/${group}`);
  kernel.tree.removeEntry(`/sys/devices/virtual/vfio/${group}`);
  kernel.tree.removeEntry(`/sys/class/vfio/${group}`);
  kernel.iommuGroups.give(group);
}
