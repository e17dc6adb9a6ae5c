// SPDX-License-Identifier: Apache-2.0

import { parseUuid } from "@berth/core/device/address";
import { absent, valueOf } from "@berth/core/device/evidence";
import type { Reading } from "@berth/core/device/evidence";
import { parseTypeId } from "@berth/core/device/mdev-type";
import type { MdevType, TypeId } from "@berth/core/device/mdev-type";
import type { VfioDevice } from "@berth/core/device/vfio-device";
import { MDEV_DEVICES } from "@berth/core/sysfs/paths";
import { readAggregation } from "./aggregation.ts";
import { readApMatrix } from "./ap-bus.ts";
import { readDynamicValues } from "./dynamic-values.ts";
import { readMigrationDebug } from "./migration-features.ts";
import { readMigrationVersion, readSoftwareVersion } from "./migration-attributes.ts";
import { readDriver, readDriverModule } from "./modules.ts";
import { readNvidiaSettings } from "./nvidia-settings.ts";
import { readIommuGroup } from "./pci-functions.ts";
import { listEntries, listNames, resolveFolder } from "./read-directory.ts";
import { readLink } from "./read-link.ts";
import { evidenceOf, noteProblem } from "./scan.ts";
import type { Scan } from "./scan.ts";

const TYPES_FOLDER = "/mdev_supported_types/";

/** An mdev device as its links show it, before its attributes are read. */
export interface FoundDevice {
  readonly id: string;
  readonly path: string;
  readonly type: Reading<TypeId>;
  /** Folder of its type; undefined where its link leads to none. */
  readonly typePath?: string;
  /** Folder of the parent that it was made from; undefined where neither its place nor its type tells. */
  readonly parentPath?: string;
}

/** An entry of the mdev bus, and where it leads. */
export interface BusEntry {
  readonly id: string;
  readonly path: string;
  /** False where it leads to no folder, as in half a capture: the device exists all the same, and takes room. */
  readonly isThere: boolean;
}

/** The entries of the mdev bus, sorted by UUID. */
export function listBusEntries(scan: Scan): readonly BusEntry[] {
  return listEntries(scan, MDEV_DEVICES, parseUuid).map(({ id, path }) => {
    const folder = resolveFolder(scan, path);
    if (folder !== undefined) return { id, path: folder, isThere: true };
    const at = scan.tree.resolve(path);
    return { id, path: at.kind === "dangling" && /^[ -~]*$/.test(at.path) ? at.path : path, isThere: false };
  });
}

/** Follows the links of one device: its type is what `mdev_type` leads to, never a name (D22). */
export function findDevice(scan: Scan, id: string, path: string): FoundDevice {
  // One listing answers for the many names that a device could have and has not.
  listNames(scan, path);
  const link = `${path}/mdev_type`;
  const type = readLink(scan, link, { within: "mdev_supported_types", parse: parseTypeId });
  if (type.kind === "absent") {
    const message = "The device has no mdev_type link: its type is unknown";
    noteProblem(scan, { code: "device_without_type", path, message });
  }
  const at = scan.tree.resolve(link);
  const typePath = at.kind === "path" && type.kind === "known" ? at.path : undefined;
  const parentPath = findParentPath(scan, path, typePath);
  return {
    id,
    path,
    type,
    ...(typePath === undefined ? {} : { typePath }),
    ...(parentPath === undefined ? {} : { parentPath }),
  };
}

/** A device lies in the folder of its parent, and so does its type. */
function findParentPath(scan: Scan, path: string, typePath: string | undefined): string | undefined {
  const above = path.slice(0, path.lastIndexOf("/"));
  const byPlace = above === MDEV_DEVICES || above === "" ? undefined : above;
  const byType = typePath?.slice(0, Math.max(typePath.lastIndexOf(TYPES_FOLDER), 0)) || undefined;
  if (byPlace !== undefined && byType !== undefined && byPlace !== byType) {
    const message = `The device lies in ${byPlace} and its type in ${byType}`;
    noteProblem(scan, { code: "facts_disagree", path, message });
  }
  if (byPlace === undefined && byType === undefined) {
    noteProblem(scan, {
      code: "device_without_parent",
      path,
      message: "Neither its place nor its type shows its parent",
    });
  }
  return byType ?? byPlace;
}

/** A device with the module of its driver, which the snapshot lists apart. */
export interface ReadDevice {
  readonly device: VfioDevice;
  readonly module: Reading<string>;
}

/** What the parent's side knows of a device. */
export interface Origin {
  /** Id of its parent, `unknown` where nothing shows it. */
  readonly parent: string;
  /** The type that its link leads to. */
  readonly type: MdevType | undefined;
}

/** Reads the attributes of one mdev device. */
export function readMdevDevice(scan: Scan, found: FoundDevice, origin: Origin): ReadDevice {
  const { id, path } = found;
  const { parent, type } = origin;
  const driver = readDriver(scan, path);
  const evidence = evidenceOf(scan, path);
  const nvidia = readNvidiaSettings(scan, path);
  const debug = readMigrationDebug(scan, id);
  const device: VfioDevice = {
    kind: "mdev",
    id,
    path,
    parent,
    type: found.type,
    deviceApi: type?.deviceApi ?? absent(evidenceOf(scan, `${path}/mdev_type/device_api`)),
    driver,
    iommuGroup: readIommuGroup(scan, path),
    aggregation: readAggregation(scan, path),
    dynamicValues: readDynamicValues(scan, path, type?.attributes.dynamicResources ?? absent(evidence)),
    attributes: {
      migrationVersion: readMigrationVersion(scan, path),
      softwareVersion: readSoftwareVersion(scan, path),
    },
    features: debug.features,
    placementId: nvidia.placementId,
    gpuInstanceId: nvidia.gpuInstanceId,
    ...(isApDevice(found, type) ? { ap: readApMatrix(scan, path) } : {}),
    facts: { ...nvidia.facts, ...(debug.state.kind === "known" ? { vfio_migration_state: debug.state } : {}) },
  };
  return { device, module: readDriverModule(scan, path, driver) };
}

function isApDevice(found: FoundDevice, type: MdevType | undefined): boolean {
  const api = type === undefined ? undefined : valueOf(type.deviceApi);
  return api === "vfio-ap" || valueOf(found.type)?.startsWith("vfio_ap-") === true;
}
