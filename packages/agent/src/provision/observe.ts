// SPDX-License-Identifier: Apache-2.0

import { isShown } from "@berth/core/claim/claimed-value";
import { quoteText } from "@berth/core/device/quoted-text";
import { isReadBack } from "@berth/core/provision/step";
import type { Effect, ReadBack } from "@berth/core/provision/step";
import type { SysfsTree, Text } from "../host/sysfs-tree.ts";
import { findAttributePlace, findReadPlace } from "./attribute-place.ts";
import { deviceFolder, placeOf } from "./effect-place.ts";

/** How a host looks, measured by what an effect wants. */
export type Sight =
  | { readonly kind: "as-wanted" }
  /** It is not so; `text` is what the attribute says instead. */
  | { readonly kind: "otherwise"; readonly text: string }
  /** There is no such attribute, nor a device that could have it. */
  | { readonly kind: "absent" }
  | { readonly kind: "unknown"; readonly errno: string; readonly why: string };

/** sysfs shows one page. */
const TEXT_MAX = 4096;

/** Looks whether a host is as an effect wants it. Nothing is written. */
export function observe(effect: Effect, tree: SysfsTree): Sight {
  switch (effect.kind) {
    case "create":
    case "start":
      return observePresence(tree, deviceFolder(effect.uuid), "present");
    case "remove":
    case "stop":
      return observePresence(tree, deviceFolder(effect.uuid), "absent");
    case "check":
      return { kind: "as-wanted" };
    case "define":
      return observePresence(tree, placeOf(effect), "present");
    case "undefine":
      return observePresence(tree, placeOf(effect), "absent");
    case "write":
      return observeText(tree, findAttributePlace(tree, effect.uuid, effect.attribute), effect.value);
    case "set-vgpu-type":
      return observeText(tree, placeOf(effect), String(effect.typeNumber));
    case "set-ap-config":
      return observeText(tree, placeOf(effect), effect.config);
  }
}

/** Reads back what a step wants read; undefined: it is as expected. */
export function findDifference(readBack: ReadBack, tree: SysfsTree): string | undefined {
  const expected = JSON.stringify(readBack.expected.trim());
  const place = findReadPlace(tree, readBack.path);
  const read = readBack.as === "link" ? readLinkName(tree, place) : tree.read(place, TEXT_MAX);
  if (read.kind !== "text") return `expected ${expected}, and it ${explainUnread(read)}`;
  if (isReadBack(readBack, read.text)) return undefined;
  return `expected ${expected}, read ${quoteText(read.text.trim())}`;
}

/** The last part of where a path leads. */
function readLinkName(tree: SysfsTree, path: string): Text {
  const at = tree.resolve(path);
  if (at.kind !== "path" && at.kind !== "dangling") return at;
  return { kind: "text", text: at.path.slice(at.path.lastIndexOf("/") + 1) };
}

function observePresence(tree: SysfsTree, path: string, wanted: "present" | "absent"): Sight {
  const at = tree.resolve(path);
  if (at.kind === "path") return wanted === "present" ? { kind: "as-wanted" } : { kind: "otherwise", text: "" };
  if (at.kind !== "absent" && at.kind !== "dangling") return { kind: "unknown", errno: at.errno, why: at.why };
  // Without the file system that would show it, a missing device proves nothing.
  const ground = path.startsWith("/sys/") ? "/sys/bus" : "/etc";
  if (tree.resolve(ground).kind !== "path") {
    return { kind: "unknown", errno: "ENOENT", why: `${ground} itself is not there` };
  }
  return wanted === "absent" ? { kind: "as-wanted" } : { kind: "otherwise", text: "" };
}

function observeText(tree: SysfsTree, path: string, wanted: string): Sight {
  const read = tree.read(path, TEXT_MAX);
  if (read.kind === "text") {
    return isShown(wanted, read.text) ? { kind: "as-wanted" } : { kind: "otherwise", text: read.text.trim() };
  }
  if (read.kind === "absent" && tree.resolve("/sys/bus").kind === "path") return { kind: "absent" };
  return { kind: "unknown", errno: "errno" in read ? read.errno : "EIO", why: `${path} ${explainUnread(read)}` };
}

function explainUnread(read: Exclude<Text, { readonly kind: "text" }>): string {
  if (read.kind === "absent") return "is not there";
  return read.kind === "too-long" ? `is longer than ${TEXT_MAX} bytes` : `cannot be read: ${read.errno}`;
}
