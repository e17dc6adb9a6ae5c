// SPDX-License-Identifier: Apache-2.0

import { countAccess, findFaultyNode, isGone, type FaultState } from "./fault.ts";
import type { DirectoryNode, Node } from "./node.ts";
import { baseName, joinPath, splitPath } from "./path.ts";

/** Why something is not to be had; the same shapes as the host reader's interface. */
export type Unread =
  | { readonly kind: "absent" }
  | { readonly kind: "failed"; readonly errno: string; readonly why: string }
  | { readonly kind: "refused"; readonly errno: "EXDEV" | "ELOOP"; readonly why: string };

/** Where a walk ended. `path` holds no links. */
export interface Found {
  readonly kind: "found";
  readonly path: string;
  readonly node: Node;
}

/** The tree and what is wrong with it. Faults stand at paths without links. */
export interface Ground {
  readonly root: DirectoryNode;
  readonly faults: Map<string, FaultState>;
}

/** A link whose target is not there. */
export interface Dangling {
  readonly kind: "dangling";
  /** Where it points. */
  readonly path: string;
}

/** The most links that one path may lead through (include/linux/namei.h, MAXSYMLINKS). */
const LINKS_MAX = 40;
/** PATH_MAX of include/uapi/linux/limits.h. */
const PATH_LENGTH_MAX = 4096;

/** Makes the answer for an errno. */
export function failed(errno: string, path: string): Unread {
  return { kind: "failed", errno, why: `reading ${path.slice(0, 200)} fails with ${errno}` };
}

/** A walk under way. */
interface Progress {
  /** Parts still to go; the first `fromLinks` of them came out of links, the others were asked for. */
  ahead: string[];
  fromLinks: number;
  links: number;
  readonly behind: { readonly name: string; readonly node: Node }[];
}

/** Follows a path, links included; with `follow` "all-but-last" the path's own last part is not followed. */
export function walk(ground: Ground, path: string, follow: "all" | "all-but-last"): Found | Dangling | Unread {
  if (path.includes("\0")) return failed("EINVAL", path);
  if (path.length > PATH_LENGTH_MAX) return failed("ENAMETOOLONG", path);
  const at: Progress = { ahead: splitPath(path), fromLinks: 0, links: 0, behind: [] };
  for (let part = at.ahead.shift(); part !== undefined; part = at.ahead.shift()) {
    const isTarget = at.fromLinks > 0;
    if (isTarget) at.fromLinks -= 1;
    const from = at.behind.at(-1)?.node ?? ground.root;
    if (from.kind !== "directory") return failed("ENOTDIR", path);
    if (part === "..") {
      if (at.behind.pop() === undefined)
        return { kind: "refused", errno: "EXDEV", why: `${path} leads out of the root` };
      continue;
    }
    const step = enter(ground, from, joinPath([...at.behind.map(({ name }) => name), part]));
    // Nothing that was asked for is left: the missing thing is the link's own target.
    if (step.kind === "absent" && isTarget && at.ahead.length === at.fromLinks) {
      return { kind: "dangling", path: joinPath([...at.behind.map(({ name }) => name), part, ...at.ahead]) };
    }
    if (step.kind !== "found") return step;
    if (step.node.kind !== "link" || (at.ahead.length === 0 && follow === "all-but-last")) {
      at.behind.push({ name: part, node: step.node });
      continue;
    }
    if (step.node.target === "") return { kind: "absent" };
    at.links += 1;
    if (at.links > LINKS_MAX) return { kind: "refused", errno: "ELOOP", why: `${path} leads through too many links` };
    followLink(at, step.node.target);
  }
  return {
    kind: "found",
    path: joinPath(at.behind.map(({ name }) => name)),
    node: at.behind.at(-1)?.node ?? ground.root,
  };
}

function followLink(at: Progress, target: string): void {
  const parts = splitPath(target);
  if (target.startsWith("/")) at.behind.length = 0;
  at.ahead = [...parts, ...at.ahead];
  at.fromLinks += parts.length;
}

/** One step down. A fault at `at` decides before the tree does. */
function enter(ground: Ground, from: DirectoryNode, at: string): Found | Unread {
  const state = ground.faults.get(at);
  const node = from.entries.get(baseName(at));
  if (state === undefined) return node === undefined ? { kind: "absent" } : { kind: "found", path: at, node };
  countAccess(state);
  const faulty = findFaultyNode(state, node);
  if (faulty === undefined) return { kind: "absent" };
  if (state.fault.kind === "errno" && faulty.kind !== "attribute") return failed(state.fault.errno, at);
  return { kind: "found", path: at, node: faulty };
}

/** Names in a directory, sorted, those that a fault took away left out and those that it put there included. */
export function listNames(ground: Ground, path: string, directory: DirectoryNode): string[] {
  const names = new Set(directory.entries.keys());
  const prefix = path === "/" ? "/" : `${path}/`;
  for (const [at, state] of ground.faults) {
    const name = at.slice(prefix.length);
    if (!at.startsWith(prefix) || name.includes("/")) continue;
    if (isGone(state)) names.delete(name);
    else if (state.fault.kind === "text" || state.fault.kind === "link") names.add(name);
  }
  return [...names].sort();
}
