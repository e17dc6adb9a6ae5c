// SPDX-License-Identifier: Apache-2.0

import { isUuid } from "@berth/core/device/address";
import { absent, known } from "@berth/core/device/evidence";
import type { Evidence, Reading } from "@berth/core/device/evidence";
import { MDEV_DEVICES, PCI_DEVICES } from "@berth/core/sysfs/paths";
import { listVfioFiles } from "../discovery/open-devices.ts";
import { readProcesses } from "../discovery/processes.ts";
import { startScan } from "../discovery/scan.ts";
import type { Use } from "../provision/effects.ts";
import type { SysfsTree } from "./sysfs-tree.ts";

/**
 * Whether a device is in use this moment: a process holds its VFIO group or its own file open, or a QEMU was started
 * with it. Only processes count: a stored definition does not keep a device from being taken away. Where some of the
 * host's processes cannot be seen, nobody can tell. `identity` is a UUID or a PCI address.
 */
export function findDeviceUse(tree: SysfsTree, identity: string): Use {
  if (!isUuid(identity) && !/^[0-9a-f:.]{7,20}$/.test(identity)) {
    return { kind: "unknown", why: "it is named by neither a UUID nor a PCI address" };
  }
  const device = findDevice(tree, identity);
  if (typeof device === "string") return { kind: "unknown", why: device };
  const scan = startScan(tree, "localhost");
  const seen = readProcesses(scan, listVfioFiles(scan, [device]));
  const vm = seen.vms.find(({ devices }) => devices.some((one) => one.device === identity));
  if (vm !== undefined) return { kind: "in-use", by: `VM ${vm.name ?? vm.uuid ?? "without a name"} (pid ${vm.pid})` };
  const process = seen.others.find(({ devices }) => devices.some((one) => one.device === identity));
  if (process !== undefined) return { kind: "in-use", by: `process ${process.command} (pid ${process.pid})` };
  const [unseen] = seen.unseen;
  return unseen === undefined ? { kind: "free" } : { kind: "unknown", why: unseen };
}

interface Place {
  readonly id: string;
  readonly path: string;
  readonly iommuGroup: Reading<number>;
}

/** The device with its group, or why they cannot be read. A device that is not there has no group. */
function findDevice(tree: SysfsTree, id: string): Place | string {
  const evidence: Evidence = { host: "localhost", source: "sysfs", path: id };
  const link = `${isUuid(id) ? MDEV_DEVICES : PCI_DEVICES}/${id}`;
  const at = tree.resolve(link);
  if (at.kind === "failed" || at.kind === "refused") return `${link} cannot be read: ${at.errno}`;
  if (at.kind !== "path") return { id, path: link, iommuGroup: absent(evidence) };
  const group = tree.resolve(`${at.path}/iommu_group`);
  if (group.kind === "failed" || group.kind === "refused") {
    return `${at.path}/iommu_group cannot be read: ${group.errno}`;
  }
  if (group.kind === "absent") return { id, path: at.path, iommuGroup: absent(evidence) };
  const name = group.path.slice(group.path.lastIndexOf("/") + 1);
  if (!/^\d{1,9}$/.test(name)) return `${at.path}/iommu_group leads to no group`;
  return { id, path: at.path, iommuGroup: known(Number(name), evidence) };
}
