// SPDX-License-Identifier: Apache-2.0

import type { SimulatedTree } from "./simulated-tree.ts";

/**
 * Every entry below a path, in order of path: `mode path`, then ` -> target` for a link and ` = "text"` for a readable
 * file. Two machines that show the same give the same lines.
 */
export function listTree(tree: SimulatedTree, path: string): readonly string[] {
  const listing = tree.list(path);
  if (listing.kind !== "names") return [`${path} ${describe(listing)}`];
  return listing.names.flatMap((name) => listEntry(tree, path === "/" ? `/${name}` : `${path}/${name}`));
}

function listEntry(tree: SimulatedTree, path: string): readonly string[] {
  const looked = tree.lookup(path);
  if (looked.kind === "directory") return [`${looked.mode.toString(8)} ${path}/`, ...listTree(tree, path)];
  if (looked.kind === "link") return [`${looked.mode.toString(8)} ${path} -> ${looked.target}`];
  if (looked.kind !== "file") return [`${path} ${describe(looked)}`];
  const head = `${looked.mode.toString(8).padStart(3, "0")} ${path}`;
  if ((looked.mode & 0o444) === 0) return [head];
  const read = tree.read(path, 65_536);
  return [read.kind === "text" ? `${head} = ${JSON.stringify(read.text)}` : `${head} ! ${describe(read)}`];
}

function describe(unread: { readonly kind: string; readonly errno?: string }): string {
  return unread.errno ?? unread.kind;
}
