// SPDX-License-Identifier: Apache-2.0

import type { Reading } from "@berth/core/device/evidence";
import type { MigrationAttributes } from "@berth/core/device/mdev-type";
import { parseSoftwareVersion } from "@berth/core/device/software-version";
import type { SoftwareVersion } from "@berth/core/device/software-version";
import { stripNewline } from "@berth/core/sysfs/attribute-text";
import { parseIdList, parseList } from "@berth/core/sysfs/list";
import { parseMigrationVersion } from "@berth/core/sysfs/migration-version";
import { readAttribute } from "./read-attribute.ts";
import { noteProblem } from "./scan.ts";
import type { Scan } from "./scan.ts";

const COMPATIBLE = "compatible_";
/** Fields whose items are known to be hexadecimal ids (section 5.1). */
const ID_FIELDS: ReadonlySet<string> = new Set(["pci_id", "pci_ids", "chpid_type", "subchannel_type"]);

/** Reads what a type publishes about migrating (seed 002). `names` are those in its folder. */
export function readMigrationAttributes(scan: Scan, path: string, names: readonly string[]): MigrationAttributes {
  const compatible: Record<string, Reading<readonly string[]>> = Object.create(null);
  for (const name of names) {
    const field = name.startsWith(COMPATIBLE) ? name.slice(COMPATIBLE.length) : "";
    if (field === "" || field === "type") continue;
    if (!/^[!-~]+$/.test(field)) {
      noteProblem(scan, {
        code: "name_malformed",
        path: `${path}/${name}`,
        message: "Expected visible ASCII in the name",
      });
      continue;
    }
    compatible[field] = readInterface(scan, `${path}/${name}`, ID_FIELDS.has(field) ? parseIdList : parseList);
  }
  return {
    softwareVersion: readSoftwareVersion(scan, path),
    compatibleTypes: readInterface(scan, `${path}/compatible_type`, parseList),
    compatible,
    dynamicResources: readInterface(scan, `${path}/dynamic_resources`, parseList),
    migrationVersion: readMigrationVersion(scan, path),
  };
}

/** Reads `software_version` of a type or a device. */
export function readSoftwareVersion(scan: Scan, path: string): Reading<SoftwareVersion> {
  return readInterface(scan, `${path}/software_version`, (raw) => parseSoftwareVersion(stripNewline(raw)));
}

/** Reads `migration_version` of a type or a device. An errno is an answer of the driver: it makes the reading unreadable. */
export function readMigrationVersion(scan: Scan, path: string): Reading<string> {
  return readInterface(scan, `${path}/migration_version`, parseMigrationVersion);
}

function readInterface<T>(scan: Scan, path: string, parse: (raw: string) => T): Reading<T> {
  return readAttribute(scan, { path, source: "interface" }, parse);
}
