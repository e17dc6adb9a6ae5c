// SPDX-License-Identifier: Apache-2.0

import { absent, known, unreadable } from "@berth/core/device/evidence";
import type { Reading } from "@berth/core/device/evidence";
import type { MigrationFeatures } from "@berth/core/device/vfio-device";
import { VFIO_DEBUGFS } from "@berth/core/sysfs/paths";
import { parseMigrationFeatures, parseMigrationState } from "@berth/core/sysfs/vfio-debugfs";
import { explain, readAttribute } from "./read-attribute.ts";
import { evidenceOf, noteProblem } from "./scan.ts";
import type { Scan } from "./scan.ts";

/** What VFIO debugfs shows of one device. */
export interface DebugReadings {
  readonly features: Reading<MigrationFeatures>;
  /** Word of the kernel, such as RUNNING. */
  readonly state: Reading<string>;
}

const NONE: MigrationFeatures = { stopCopy: false, p2p: false, preCopy: false, dirtyTracking: false };

/**
 * Reads what VFIO debugfs shows of a device (kernel: drivers/vfio/debugfs.c). Every VFIO device has a folder there, and
 * `migration` in it exactly if its driver can migrate: a folder without it is a plain "none".
 */
export function readMigrationDebug(scan: Scan, device: string): DebugReadings {
  const folder = `${VFIO_DEBUGFS}/${device}`;
  const paths = { features: `${folder}/migration/features`, state: `${folder}/migration/state` };
  const root = scan.tree.resolve(VFIO_DEBUGFS);
  if (root.kind === "failed" || root.kind === "refused") {
    noteProblem(scan, { code: "directory_unreadable", path: VFIO_DEBUGFS, message: explain(root) });
    const evidence = evidenceOf(scan, VFIO_DEBUGFS, { source: "debugfs" });
    return { features: unreadable(explain(root), evidence), state: unreadable(explain(root), evidence) };
  }
  const listing = scan.tree.list(folder);
  if (listing.kind === "names" && !listing.names.includes("migration")) {
    const evidence = evidenceOf(scan, folder, { source: "debugfs", text: listing.names.join(" ") });
    return { features: known(NONE, evidence), state: absent(evidence) };
  }
  const options = { source: "debugfs" } as const;
  return {
    features: readAttribute(scan, { path: paths.features, ...options }, parseMigrationFeatures),
    state: readAttribute<string>(scan, { path: paths.state, ...options }, parseMigrationState),
  };
}
