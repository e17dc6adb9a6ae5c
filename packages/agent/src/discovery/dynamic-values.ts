// SPDX-License-Identifier: Apache-2.0

import { absent, unreadable, valueOf } from "@berth/core/device/evidence";
import type { Reading } from "@berth/core/device/evidence";
import { parseAttributeText } from "@berth/core/sysfs/attribute-text";
import { readAttribute } from "./read-attribute.ts";
import { listNames } from "./read-directory.ts";
import { evidenceOf, noteProblem } from "./scan.ts";
import type { Scan } from "./scan.ts";

/** Folders of every device that are no attribute group of a vendor. */
const NO_GROUPS: ReadonlySet<string> = new Set(["power", "vfio-dev"]);

/**
 * Reads the value of each attribute that a type lists in `dynamic_resources`, by listed name. A name is a path relative
 * to the device; one that is not there is looked for one level down, in the attribute groups of the vendor. A name that
 * leads out of the device is refused.
 */
export function readDynamicValues(
  scan: Scan,
  device: string,
  listed: Reading<readonly string[]>,
): Readonly<Record<string, Reading<string>>> {
  const values: Record<string, Reading<string>> = Object.create(null);
  for (const name of valueOf(listed) ?? []) values[name] = readDynamicValue(scan, device, name);
  return values;
}

function readDynamicValue(scan: Scan, device: string, name: string): Reading<string> {
  const path = `${device}/${name}`;
  if (name.split("/").some((component) => ["", ".", ".."].includes(component))) {
    return refuse(scan, path, `The dynamic resource ${JSON.stringify(name.slice(0, 80))} is no path below its device`);
  }
  const places = scan.tree.resolve(path).kind === "absent" ? findInGroups(scan, device, name) : [name];
  const [place, second] = places;
  if (place === undefined) return absent(evidenceOf(scan, path));
  if (second !== undefined) return refuse(scan, path, `The dynamic resource is there twice: ${place} and ${second}`);
  const at = scan.tree.resolve(`${device}/${place}`);
  if (at.kind === "path" && !at.path.startsWith(`${device}/`)) {
    return refuse(scan, path, `The dynamic resource leads to ${at.path}, outside its device`);
  }
  return readAttribute(scan, `${device}/${place}`, parseAttributeText);
}

/** Paths relative to the device at which an attribute stands in one of its groups, sorted. */
export function findInGroups(scan: Scan, device: string, name: string): readonly string[] {
  const groups = listNames(scan, device).filter((group) => !NO_GROUPS.has(group));
  return groups
    .filter((group) => isOwnFolder(scan, `${device}/${group}`))
    .map((group) => `${group}/${name}`)
    .filter((path) => scan.tree.resolve(`${device}/${path}`).kind !== "absent");
}

/** Links such as `mdev_type` lead to folders of something else. */
function isOwnFolder(scan: Scan, path: string): boolean {
  const at = scan.tree.resolve(path);
  return at.kind === "path" && at.is === "directory" && at.path === path;
}

function refuse(scan: Scan, path: string, why: string): Reading<never> {
  noteProblem(scan, { code: "name_malformed", path, message: why });
  return unreadable(why, evidenceOf(scan, path));
}
