// SPDX-License-Identifier: Apache-2.0

import { valueOf } from "@berth/core/device/evidence";
import type { VfioDevice } from "@berth/core/device/vfio-device";
import type { Scan } from "./scan.ts";

/** Which devices stand behind the files of /dev/vfio. */
export interface VfioFiles {
  /** Devices by the name of their file: `/dev/vfio/12`, `/dev/vfio/devices/vfio3`. */
  readonly devices: ReadonlyMap<string, readonly string[]>;
}

/** Finds the files behind which the devices of a host stand: the group's, and the device's own (`vfio-dev/vfioN`). */
export function listVfioFiles(
  scan: Scan,
  devices: readonly Pick<VfioDevice, "id" | "path" | "iommuGroup">[],
): VfioFiles {
  const files = new Map<string, string[]>();
  const add = (file: string, id: string): void => void files.set(file, [...(files.get(file) ?? []), id]);
  for (const { id, path, iommuGroup } of devices) {
    const group = valueOf(iommuGroup);
    if (group !== undefined) {
      add(`/dev/vfio/${group}`, id);
      add(`/dev/vfio/noiommu-${group}`, id);
    }
    const own = scan.tree.list(`${path}/vfio-dev`);
    for (const name of own.kind === "names" ? own.names : []) {
      if (/^vfio\d{1,9}$/.test(name)) add(`/dev/vfio/devices/${name}`, id);
    }
  }
  return { devices: files };
}

/**
 * The file of /dev/vfio behind an open file, by the name that `listVfioFiles` has for it; undefined for any other.
 * `/dev/vfio/vfio` is the container and names none. A process in a jail has its /dev elsewhere, and a file that was
 * unlinked is open all the same: the kernel then adds ` (deleted)`.
 */
export function findVfioFile(path: string): string | undefined {
  const found = /\/dev(\/vfio\/(?:(?:noiommu-)?\d{1,9}|devices\/vfio\d{1,9}))(?: \(deleted\))?$/.exec(path);
  return found === null ? undefined : `/dev${found[1]}`;
}

/** Whether an open file is a device that was handed out by a group: the kernel does not say which. */
export function isNamelessDevice(path: string): boolean {
  return path.endsWith("/anon_inode:[vfio-device]");
}
