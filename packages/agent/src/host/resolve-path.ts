// SPDX-License-Identifier: Apache-2.0

import type { Resolved } from "./sysfs-tree.ts";

/** What stands at one name of one directory, links not followed. */
export type Entry =
  | { readonly kind: "directory" | "file" | "other" | "absent" }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "failed"; readonly errno: string; readonly why: string };

/** Answers what stands at `name` in a directory; the directory is link-free, `""` for the root. */
export type LookUp = (directory: string, name: string) => Entry;

/** The kernel's limit (MAXSYMLINKS in include/linux/namei.h). */
const MAX_LINKS = 40;

/** The longest path the kernel takes (PATH_MAX). */
export const MAX_PATH = 4096;

/** The answer for a path, or the target of a link, that is longer. */
export const TOO_LONG: Resolved = {
  kind: "failed",
  errno: "ENAMETOOLONG",
  why: "the path is longer than 4096 characters",
};

interface Walk {
  /** Link-free directory reached so far, `""` for the root. */
  directory: string;
  /** Components still to walk, next one last; those that came out of a link are the upper `fromLinks` ones. */
  readonly pending: string[];
  fromLinks: number;
  followed: number;
}

/**
 * Follows a path component by component inside a root, as the kernel would inside a chroot, with two differences: a `..`
 * that would leave the root is refused with EXDEV, and so is nothing else; the 41st link is refused with ELOOP.
 * Absolute link targets start at the root. `start` is a link-free directory, `""` for the root.
 */
export function resolvePath(start: string, path: string, lookUp: LookUp): Resolved {
  if (path.includes("\0")) return { kind: "failed", errno: "EINVAL", why: "the path holds a NUL character" };
  if (path.length > MAX_PATH) return TOO_LONG;
  const walk: Walk = { directory: start, pending: split(path), fromLinks: 0, followed: 0 };
  let is: "directory" | "file" | "other" = "directory";
  for (let name = walk.pending.pop(); name !== undefined; name = walk.pending.pop()) {
    const isTarget = walk.fromLinks > 0;
    if (isTarget) walk.fromLinks -= 1;
    if (is !== "directory") return { kind: "failed", errno: "ENOTDIR", why: `${walk.directory} is not a directory` };
    if (name === "..") {
      if (walk.directory === "") return { kind: "refused", errno: "EXDEV", why: `${path} leads out of the root` };
      walk.directory = walk.directory.slice(0, walk.directory.lastIndexOf("/"));
      continue;
    }
    const entry = lookUp(walk.directory, name);
    if (entry.kind === "failed") return entry;
    if (entry.kind === "absent") return explainAbsence(walk, name, isTarget);
    if (entry.kind === "link") {
      walk.followed += 1;
      if (walk.followed > MAX_LINKS) return { kind: "refused", errno: "ELOOP", why: `${path} goes round in a circle` };
      if (entry.target === "") return { kind: "absent" };
      if (entry.target.length > MAX_PATH) return TOO_LONG;
      follow(walk, entry.target);
      continue;
    }
    walk.directory = `${walk.directory}/${name}`;
    is = entry.kind;
  }
  return { kind: "path", path: walk.directory === "" ? "/" : walk.directory, is };
}

function follow(walk: Walk, target: string): void {
  const components = split(target);
  walk.pending.push(...components);
  walk.fromLinks += components.length;
  if (target.startsWith("/")) walk.directory = "";
}

/** A missing component that came out of a link, with nothing of the asked path behind it, is a dangling link. */
function explainAbsence(walk: Walk, name: string, isTarget: boolean): Resolved {
  if (!isTarget || walk.pending.length > walk.fromLinks) return { kind: "absent" };
  const rest = walk.pending.toReversed();
  return { kind: "dangling", path: [walk.directory, name, ...rest].join("/") };
}

/** Components of a path, last one first; empty ones and `.` mean nothing and are dropped. */
function split(path: string): string[] {
  const components = path.split("/").filter((component) => component !== "" && component !== ".");
  return components.reverse();
}
