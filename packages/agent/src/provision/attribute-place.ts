// SPDX-License-Identifier: Apache-2.0

import { findAttributePath } from "@berth/core/provision/attribute-path";
import type { SysfsTree } from "../host/sysfs-tree.ts";
import { deviceFolder } from "./effect-place.ts";

const BELOW_DEVICE = /^(\/sys\/bus\/mdev\/devices\/[^/]+)\/(.+)$/;

/**
 * Where an attribute of a device stands: at its own path, else in one of the device's attribute groups. Links are not
 * looked into: they lead to what is not the device's. Where it is nowhere, its own path.
 */
export function findAttributePlace(tree: SysfsTree, uuid: string, attribute: string): string {
  const folder = deviceFolder(uuid);
  const own = `${folder}/${attribute}`;
  if (tree.resolve(own).kind !== "absent") return own;
  const found = findAttributePath(attribute, listGroupFiles(tree, folder));
  return found === undefined ? own : `${folder}/${found}`;
}

/** The path to read for a read-back: below a device it is looked for as an attribute is. */
export function findReadPlace(tree: SysfsTree, path: string): string {
  const below = BELOW_DEVICE.exec(path);
  if (below === null) return path;
  const [, folder = "", attribute = ""] = below;
  return findAttributePlace(tree, folder.slice(folder.lastIndexOf("/") + 1), attribute);
}

/** Files one folder below a device, relative to it. */
function listGroupFiles(tree: SysfsTree, folder: string): readonly string[] {
  const device = tree.resolve(folder);
  if (device.kind !== "path") return [];
  const groups = tree.list(device.path);
  if (groups.kind !== "names") return [];
  return groups.names.flatMap((group) => {
    const path = `${device.path}/${group}`;
    const at = tree.resolve(path);
    if (at.kind !== "path" || at.is !== "directory" || at.path !== path) return [];
    const files = tree.list(path);
    return files.kind === "names" ? files.names.map((name) => `${group}/${name}`) : [];
  });
}
