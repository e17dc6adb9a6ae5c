// SPDX-License-Identifier: Apache-2.0

import { absent, known, unreadable } from "@berth/core/device/evidence";
import type { Reading } from "@berth/core/device/evidence";
import { explain, explainParse, noteDangling } from "./read-attribute.ts";
import { evidenceOf, noteProblem, noteUnread } from "./scan.ts";
import type { Scan } from "./scan.ts";

/** What a link of sysfs should lead to. */
export interface LinkShape<T> {
  /** Name of the folder that holds the link's targets, such as `drivers`; undefined: any. */
  readonly within?: string;
  /** Reads the last component of the target; throws SyntaxError or RangeError. */
  readonly parse: (name: string) => T;
  /** Its target may lie outside a captured slice: the name is then known, and that is no problem. */
  readonly mayDangle?: boolean;
}

/**
 * Reads what a link such as `driver` or `iommu_group` says: the last component of where it leads, with the whole target
 * as evidence. A target that is not in the tree still has a name.
 */
export function readLink<T>(scan: Scan, path: string, shape: LinkShape<T>): Reading<T> {
  const at = scan.tree.resolve(path);
  if (at.kind === "absent") return absent(evidenceOf(scan, path));
  if (at.kind === "failed" || at.kind === "refused") {
    noteUnread(scan, path, at);
    return unreadable(explain(at), evidenceOf(scan, path));
  }
  if (at.kind === "dangling" && shape.mayDangle !== true) noteDangling(scan, path, at.path);
  const evidence = evidenceOf(scan, path, { text: at.path });
  const components = at.path.split("/");
  try {
    if (shape.within !== undefined && components.at(-2) !== shape.within) {
      throw new SyntaxError(`Cannot take ${at.path} for a target: expected a folder of ${shape.within}`);
    }
    return known(shape.parse(components.at(-1) ?? ""), evidence);
  } catch (error) {
    const why = explainParse(error);
    noteProblem(scan, { code: "attribute_malformed", path, message: why, text: at.path });
    return unreadable(why, evidence);
  }
}

/** Reads a name as sysfs can have it: printable ASCII without `/`, 255 characters at most. Throws SyntaxError. */
export function parseName(text: string): string {
  if (/^[!-.0-~](?:[ -.0-~]{0,254})$/.test(text) && text !== "." && text !== "..") return text;
  throw new SyntaxError(
    `Cannot take ${JSON.stringify(text.slice(0, 80))} for a name: expected printable ASCII without "/"`,
  );
}
