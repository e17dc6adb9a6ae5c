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

/** Whether a path is a file that hands out devices; `/dev/vfio/vfio` is the container and names none. */
export function isVfioFile(path: string): boolean {
  return /^\/dev\/vfio\/(?:(?:noiommu-)?\d{1,9}|devices\/vfio\d{1,9})$/.test(path);
}
