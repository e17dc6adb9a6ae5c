// SPDX-License-Identifier: Apache-2.0

import { explainParse } from "./read-attribute.ts";
import { noteDangling } from "./read-link.ts";
import { MAX_ENTRIES, noteProblem, noteUnread } from "./scan.ts";
import type { Scan } from "./scan.ts";

/** Names in a directory, sorted. One that is not there has none; whatever else is wrong is taken down. */
export function listNames(scan: Scan, path: string): readonly string[] {
  const listing = scan.tree.list(path);
  if (listing.kind === "absent") return [];
  if (listing.kind === "failed") {
    noteProblem(scan, { code: "directory_unreadable", path, message: `${listing.errno}: ${listing.why}` });
    return [];
  }
  if (listing.kind === "refused") {
    noteUnread(scan, path, listing);
    return [];
  }
  if (listing.names.length <= MAX_ENTRIES) return listing.names;
  const message = `The directory has ${listing.names.length} entries: only the first ${MAX_ENTRIES} are looked at`;
  noteProblem(scan, { code: "too_many_entries", path, message });
  return listing.names.slice(0, MAX_ENTRIES);
}

/** Something with a folder of its own. */
export interface Folder<Id> {
  readonly id: Id;
  /** Where the kernel keeps it: link-free. */
  readonly path: string;
}

/**
 * The folders that the entries of a directory are or lead to, such as those of `/sys/bus/pci/devices`. `parse` checks
 * each name; a name that is absurd, and a link that leads nowhere, are taken down and left out.
 */
export function listFolders<Id>(scan: Scan, path: string, parse: (name: string) => Id): readonly Folder<Id>[] {
  const folders: Folder<Id>[] = [];
  for (const name of listNames(scan, path)) {
    try {
      const id = parse(name);
      const folder = resolveFolder(scan, `${path}/${name}`);
      if (folder !== undefined) folders.push({ id, path: folder });
    } catch (error) {
      noteProblem(scan, { code: "name_malformed", path: `${path}/${name}`, message: explainParse(error) });
    }
  }
  return folders;
}

/** Where a folder really is; undefined, and taken down, where it is none. */
export function resolveFolder(scan: Scan, path: string): string | undefined {
  const at = scan.tree.resolve(path);
  if (at.kind === "path" && !/^[ -~]*$/.test(at.path)) {
    noteProblem(scan, { code: "name_malformed", path, message: `It leads to ${at.path}, expected printable ASCII` });
    return undefined;
  }
  if (at.kind === "path" && at.is === "directory") return at.path;
  if (at.kind === "path") noteProblem(scan, { code: "directory_unreadable", path, message: "It is no directory" });
  else if (at.kind === "dangling") noteDangling(scan, path, at.path);
  else if (at.kind === "absent") noteProblem(scan, { code: "link_broken", path, message: "It leads nowhere" });
  else noteUnread(scan, path, at);
  return undefined;
}
