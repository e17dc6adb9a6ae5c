// SPDX-License-Identifier: Apache-2.0

import { fileAttribute, settingAttribute } from "../tree/node.ts";
import { baseName } from "../tree/path.ts";
import { dropEmulatedGroup, makeEmulatedGroup } from "./iommu.ts";
import type { Kernel } from "./kernel.ts";
import type { MdevDevice, MdevDriver } from "./mdev-driver.ts";

/** Everything that stands in the tree because of one mdev device. */
export interface Placement {
  readonly path: string;
  readonly iommuGroup: number;
  readonly vfioDevice: number;
  /** Links and folders elsewhere, to be removed with it. */
  readonly elsewhere: readonly string[];
}

interface NewDevice {
  readonly device: MdevDevice;
  readonly driver: MdevDriver;
  readonly typeFolder: string;
}

/** Puts a bound device into the tree: its folder, and the links of bus, driver, type, IOMMU group and VFIO. */
export function addDeviceFolder(kernel: Kernel, { device, driver, typeFolder }: NewDevice): Placement {
  const { tree } = kernel;
  const { path, uuid } = device;
  const driverFolder = `/sys/bus/mdev/drivers/${driver.busDriver.name}`;
  const vfioDevice = kernel.vfioDevices.take();
  const vfioFolder = `${path}/vfio-dev/vfio${vfioDevice}`;
  tree.addAttribute(`${path}/uevent`, settingAttribute(`DRIVER=${driver.busDriver.name}\n`));
  tree.addLink(`${path}/driver`, driverFolder);
  tree.addLink(`${path}/subsystem`, "/sys/bus/mdev");
  tree.addLink(`${path}/mdev_type`, typeFolder);
  tree.addAttribute(`${vfioFolder}/uevent`, settingAttribute(""));
  tree.addLink(`${vfioFolder}/subsystem`, "/sys/class/vfio-dev");
  tree.addLink(`${vfioFolder}/device`, path);
  for (const { name, attribute } of driver.deviceAttributes?.(device) ?? [])
    tree.addAttribute(`${path}/${name}`, attribute);
  const links = [`/sys/bus/mdev/devices/${uuid}`, `${driverFolder}/${uuid}`, `${typeFolder}/devices/${uuid}`];
  for (const link of links) tree.addLink(link, path);
  tree.addLink(`/sys/class/vfio-dev/${baseName(vfioFolder)}`, vfioFolder);
  const debugFolder = `/sys/kernel/debug/vfio/${uuid}`;
  if (kernel.hasVfioDebugfs) addDebugFolder(kernel, debugFolder, driver);
  return {
    path,
    iommuGroup: makeEmulatedGroup(kernel, { path, name: uuid }),
    vfioDevice,
    elsewhere: [...links, `/sys/class/vfio-dev/vfio${vfioDevice}`, debugFolder],
  };
}

/** Takes away what `addDeviceFolder` put there. */
export function removeDeviceFolder(kernel: Kernel, placement: Placement): void {
  for (const path of [placement.path, ...placement.elsewhere]) kernel.tree.removeEntry(path);
  kernel.vfioDevices.give(placement.vfioDevice);
  dropEmulatedGroup(kernel, placement.iommuGroup);
}

/** vfio_device_debugfs_init(): a device that cannot migrate has a folder without `migration`. */
function addDebugFolder(kernel: Kernel, folder: string, driver: MdevDriver): void {
  kernel.tree.addDirectory(folder);
  if (driver.migrationFeatures === undefined) return;
  const text = driver.migrationFeatures.map((feature) => `${feature}\n`).join("");
  kernel.tree.addAttribute(`${folder}/migration/state`, fileAttribute("RUNNING\n", 0));
  kernel.tree.addAttribute(`${folder}/migration/features`, fileAttribute(text, 0));
}
