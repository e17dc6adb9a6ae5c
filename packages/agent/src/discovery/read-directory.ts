// SPDX-License-Identifier: Apache-2.0

import { explainParse, noteDangling } from "./read-attribute.ts";
import { MAX_ENTRIES, noteProblem, noteUnread } from "./scan.ts";
import type { Scan } from "./scan.ts";

/** Names in a directory, sorted. One that is not there has none; whatever else is wrong is taken down. */
export function listNames(scan: Scan, path: string): readonly string[] {
  const listing = scan.tree.list(path);
  if (listing.kind === "absent") {
    const at = scan.tree.resolve(path);
    if (at.kind === "dangling") noteDangling(scan, path, at.path);
    return [];
  }
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
  return listEntries(scan, path, parse).flatMap(({ id, path: entry }) => {
    const folder = resolveFolder(scan, entry);
    return folder === undefined ? [] : [{ id, path: folder }];
  });
}

/**
 * The entries of a directory by id, links not followed. `parse` checks each name; one that is absurd, and one that says
 * the same as a name before it, such as an address in upper case, are taken down and left out.
 */
export function listEntries<Id>(scan: Scan, path: string, parse: (name: string) => Id): readonly Folder<Id>[] {
  const entries = new Map<Id, string>();
  for (const name of listNames(scan, path)) {
    const entry = `${path}/${name}`;
    try {
      const id = parse(name);
      const before = entries.get(id);
      if (before === undefined) entries.set(id, entry);
      else noteProblem(scan, { code: "name_malformed", path: entry, message: `It names the same as ${before}` });
    } catch (error) {
      noteProblem(scan, { code: "name_malformed", path: entry, message: explainParse(error) });
    }
  }
  return [...entries].map(([id, entry]) => ({ id, path: entry }));
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
