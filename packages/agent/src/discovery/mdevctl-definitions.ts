// SPDX-License-Identifier: Apache-2.0

import { isUuid } from "@berth/core/device/address";
import type { DeviceUse } from "@berth/core/device/device-use";
import { listNames } from "./read-directory.ts";
import { evidenceOf, noteProblem, noteUnread } from "./scan.ts";
import type { Scan } from "./scan.ts";

/** Where mdevctl keeps its definitions: a folder for each parent, a file for each UUID. */
export const MDEVCTL_DEFINITIONS = "/etc/mdevctl.d";

const MAX_DEFINITION = 65_536;
/** Folders of callouts beside those of parents. */
const NOT_PARENTS: ReadonlySet<string> = new Set(["scripts.d"]);

/** Reads which devices mdevctl has a definition of. */
export function readMdevctlDefinitions(scan: Scan): readonly DeviceUse[] {
  const parents = listNames(scan, MDEVCTL_DEFINITIONS).filter((name) => !NOT_PARENTS.has(name));
  return parents.flatMap((parent) => {
    const folder = `${MDEVCTL_DEFINITIONS}/${parent}`;
    const at = scan.tree.resolve(folder);
    if (at.kind === "path" && at.is !== "directory") return [];
    return listNames(scan, folder).flatMap((name) => (isUuid(name) ? readDefinition(scan, folder, name) : []));
  });
}

function readDefinition(scan: Scan, folder: string, name: string): readonly DeviceUse[] {
  const path = `${folder}/${name}`;
  const read = scan.tree.read(path, MAX_DEFINITION);
  if (read.kind === "absent") return [];
  if (read.kind === "too-long") {
    noteProblem(scan, { code: "attribute_too_long", path, message: `The text is longer than ${MAX_DEFINITION} bytes` });
  } else if (read.kind !== "text") noteUnread(scan, path, read);
  const text = read.kind === "text" ? read.text : "";
  const start = read.kind === "text" ? readStart(scan, path, text) : "manual";
  const evidence = evidenceOf(scan, path, { text: text.slice(0, 4096) });
  return [{ device: name.toLowerCase(), user: { kind: "definition", by: "mdevctl", start }, evidence }];
}

/** Any `start` but `auto` is manual, as mdevctl has it. */
function readStart(scan: Scan, path: string, text: string): "auto" | "manual" {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("mdev_type" in value)) {
      throw new SyntaxError("Cannot parse the definition: expected an object with mdev_type");
    }
    return "start" in value && value.start === "auto" ? "auto" : "manual";
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    noteProblem(scan, { code: "attribute_malformed", path, message: error.message, text });
    return "manual";
  }
}
