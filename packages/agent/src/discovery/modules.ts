// SPDX-License-Identifier: Apache-2.0

import { absent, known, valueOf } from "@berth/core/device/evidence";
import type { Reading } from "@berth/core/device/evidence";
import type { ModuleBuild } from "@berth/core/device/module-build";
import { parseLine } from "@berth/core/sysfs/attribute-text";
import { parseBuildIdNote } from "@berth/core/sysfs/build-id";
import { modulePath } from "@berth/core/sysfs/paths";
import { parseUevent } from "@berth/core/sysfs/uevent";
import { readAttribute, readBytes } from "./read-attribute.ts";
import { parseName, readLink } from "./read-link.ts";
import { compare, evidenceOf } from "./scan.ts";
import type { Scan } from "./scan.ts";

/** VFIO's own modules; each is reported where the kernel shows it. */
const VFIO_MODULES = ["iommufd", "mdev", "vfio", "vfio_iommu_type1", "vfio_pci", "vfio_pci_core"];

/** Reads the builds of the named modules and of VFIO's own, sorted by name. */
export function readModules(scan: Scan, names: Iterable<string>): readonly ModuleBuild[] {
  const present = VFIO_MODULES.filter((name) => scan.tree.resolve(modulePath(name)).kind === "path");
  return [...new Set([...names, ...present])].sort(compare).map((name) => readModule(scan, name));
}

function readModule(scan: Scan, name: string): ModuleBuild {
  const path = modulePath(name);
  const read = (attribute: string): Reading<string> =>
    readAttribute(scan, `${path}/${attribute}`, (raw) => parseLine(raw, attribute));
  return {
    name,
    version: read("version"),
    srcversion: read("srcversion"),
    buildId: readBytes(scan, `${path}/notes/.note.gnu.build-id`, (bytes) => parseBuildIdNote(bytes)),
    taint: read("taint"),
  };
}

/** Reads the driver of a device: its `driver` link, or the `DRIVER` of its `uevent` where a capture kept no links. */
export function readDriver(scan: Scan, device: string): Reading<string> {
  const link = readLink(scan, `${device}/driver`, { within: "drivers", parse: parseName, mayDangle: true });
  if (link.kind !== "absent") return link;
  const event = readAttribute(scan, `${device}/uevent`, (raw) => {
    const driver = parseUevent(raw).get("DRIVER");
    return driver === undefined ? undefined : parseName(driver);
  });
  return event.kind === "absent" ? link : event;
}

/**
 * Reads the module behind the driver of a device, through the link that the driver has to it. A driver without a link
 * is built in, or its folder was not captured: then `/sys/module` is asked for a module of the driver's name, and the
 * reading says that this was inferred.
 */
export function readDriverModule(scan: Scan, device: string, driver: Reading<string>): Reading<string> {
  const link = readLink(scan, `${device}/driver/module`, { within: "module", parse: parseName });
  const name = valueOf(driver);
  if (link.kind !== "absent" || name === undefined) return link;
  return inferModule(scan, name) ?? link;
}

/**
 * The module of a parent that has no driver of its own, such as `mtty`: its types are named after its class, the mdev
 * driver behind it often too. `devices` are the modules behind its devices, which say it best.
 */
export function inferParentModule(
  scan: Scan,
  prefixes: Iterable<string>,
  devices: readonly Reading<string>[],
): Reading<string> {
  const seen = devices.find((module) => module.kind === "known");
  if (seen !== undefined) return seen;
  for (const prefix of prefixes) {
    const link = `/sys/bus/mdev/drivers/${prefix}/module`;
    const module = valueOf(readLink(scan, link, { within: "module", parse: parseName }));
    if (module !== undefined)
      return known(module, evidenceOf(scan, link, { source: "inferred", text: `types of driver ${prefix}` }));
    const loaded = inferModule(scan, prefix);
    if (loaded !== undefined) return loaded;
  }
  return absent(evidenceOf(scan, "/sys/bus/mdev/drivers", { source: "inferred" }));
}

/** The loaded module that has the name of a driver. */
function inferModule(scan: Scan, driver: string): Reading<string> | undefined {
  const path = modulePath(driver);
  const at = scan.tree.resolve(path);
  if (at.kind !== "path" || at.is !== "directory") return undefined;
  return known(driver.replaceAll("-", "_"), evidenceOf(scan, path, { source: "inferred", text: `driver ${driver}` }));
}
