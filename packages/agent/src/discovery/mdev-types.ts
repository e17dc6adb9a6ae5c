// SPDX-License-Identifier: Apache-2.0

import { parseDeviceApi } from "@berth/core/device/device-api";
import type { Reading } from "@berth/core/device/evidence";
import { parseTypeId } from "@berth/core/device/mdev-type";
import type { MdevType, TypeId } from "@berth/core/device/mdev-type";
import { parseAggregationCount } from "@berth/core/sysfs/aggregation";
import { parseAttributeText, stripNewline } from "@berth/core/sysfs/attribute-text";
import { parseAvailableInstances } from "@berth/core/sysfs/available-instances";
import { typesPath } from "@berth/core/sysfs/paths";
import { readMigrationAttributes } from "./migration-attributes.ts";
import { readAttribute } from "./read-attribute.ts";
import { listFolders, listNames } from "./read-directory.ts";
import type { Scan } from "./scan.ts";

/** A type with the folder that it was read from. */
export interface FoundType {
  readonly path: string;
  readonly type: MdevType;
  /** Names in `devices/`; undefined where a capture has no such folder. */
  readonly devices: readonly string[] | undefined;
}

/** Reads the types of a parent, sorted by id. `driver` is the parent's, where it has one. */
export function readMdevTypes(scan: Scan, parent: string, driver: string | undefined): readonly FoundType[] {
  return listFolders(scan, typesPath(parent), parseTypeId).map(({ id, path }) => {
    const names = listNames(scan, path);
    return {
      path,
      type: readMdevType(scan, { id, path, names, driver }),
      devices: names.includes("devices") ? listNames(scan, `${path}/devices`) : undefined,
    };
  });
}

interface TypeFolder {
  readonly id: TypeId;
  readonly path: string;
  readonly names: readonly string[];
  readonly driver: string | undefined;
}

function readMdevType(scan: Scan, folder: TypeFolder): MdevType {
  const { id, path } = folder;
  const at = (name: string): string => `${path}/${name}`;
  return {
    id,
    driverPrefix: findDriverPrefix(id, folder.driver),
    name: readAttribute(scan, at("name"), parseAttributeText),
    deviceApi: readAttribute(scan, { path: at("device_api"), isRequired: true }, (raw) =>
      parseDeviceApi(stripNewline(raw)),
    ),
    availableInstances: readAttribute(
      scan,
      { path: at("available_instances"), isRequired: true },
      parseAvailableInstances,
    ),
    description: readAttribute(scan, at("description"), parseAttributeText),
    maxAggregation: readMaxAggregation(scan, at("aggregation")),
    attributes: readMigrationAttributes(scan, path, folder.names),
  };
}

/** `aggregation` of the first generation (section 2.1); a driver that does not have the file does not say. */
function readMaxAggregation(scan: Scan, path: string): Reading<number> {
  return readAttribute(scan, { path, source: "interface" }, (raw) => parseAggregationCount(raw).count);
}

/**
 * The driver's part of a type id. The kernel makes an id of the parent's driver, `-` and the type's own name, and a
 * driver's name may itself hold a `-`; where the driver is not known the first `-` divides.
 */
export function findDriverPrefix(id: string, driver: string | undefined): string {
  if (driver !== undefined && id.startsWith(`${driver}-`)) return driver;
  const dash = id.indexOf("-");
  return dash > 0 ? id.slice(0, dash) : id;
}
