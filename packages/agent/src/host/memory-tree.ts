// SPDX-License-Identifier: Apache-2.0

import { resolvePath } from "./resolve-path.ts";
import type { Entry } from "./resolve-path.ts";
import type { Bytes, Listing, Resolved, SysfsTree, Text, Unread } from "./sysfs-tree.ts";

/** What stands at one path of a tree in memory. A bare string is a readable file with that text. */
export type MemoryEntry =
  | string
  | { readonly kind: "file"; readonly content: string | Uint8Array; readonly mode?: number }
  | { readonly kind: "link"; readonly target: string }
  /** `errno`: listing it fails. */
  | { readonly kind: "directory"; readonly errno?: string }
  /** A regular file whose read fails, such as EIO. */
  | { readonly kind: "failing"; readonly errno: string }
  /** A FIFO, socket or device node. */
  | { readonly kind: "other" };

const READ_BITS = 0o444;

/**
 * A tree in memory, for captures in an archive and for tests. Keys are absolute paths without links in their
 * directories; directories that are not named exist when something stands in them.
 */
export function openMemoryTree(entries: Iterable<readonly [string, MemoryEntry]>): SysfsTree {
  const nodes = new Map<string, MemoryEntry>([["", { kind: "directory" }]]);
  const children = new Map<string, Set<string>>([["", new Set()]]);
  for (const [path, entry] of entries) addEntry(path === "/" ? "" : path, entry, { nodes, children });
  const lookUp = (directory: string, name: string): Entry => describe(nodes.get(`${directory}/${name}`));
  const resolve = (path: string): Resolved => resolvePath("", path, lookUp);
  return {
    resolve,
    list: (path) => listChildren(resolve(path), { nodes, children }),
    read: (path, maxBytes) => readText(readContent(resolve(path), nodes), maxBytes),
    readBytes: (path, maxBytes) => readStart(readContent(resolve(path), nodes), maxBytes),
  };
}

interface Nodes {
  /** By link-free path, `""` for the root. */
  readonly nodes: Map<string, MemoryEntry>;
  readonly children: Map<string, Set<string>>;
}

function addEntry(path: string, entry: MemoryEntry, tree: Nodes): void {
  const is = typeof entry === "string" ? "file" : entry.kind;
  tree.nodes.set(path, entry);
  if (is === "directory" && !tree.children.has(path)) tree.children.set(path, new Set());
  if (path === "") return;
  const cut = path.lastIndexOf("/");
  const directory = path.slice(0, cut);
  if (!tree.nodes.has(directory)) addEntry(directory, { kind: "directory" }, tree);
  tree.children.get(directory)?.add(path.slice(cut + 1));
}

function describe(entry: MemoryEntry | undefined): Entry {
  if (entry === undefined) return { kind: "absent" };
  if (typeof entry === "string" || entry.kind === "failing") return { kind: "file" };
  return entry.kind === "link" ? entry : { kind: entry.kind };
}

function listChildren(at: Resolved, tree: Nodes): Listing {
  if (at.kind === "dangling") return { kind: "absent" };
  if (at.kind !== "path") return at;
  if (at.is !== "directory") return fail("ENOTDIR", `${at.path} is not a directory`);
  const path = at.path === "/" ? "" : at.path;
  const entry = tree.nodes.get(path);
  if (typeof entry === "object" && entry.kind === "directory" && entry.errno !== undefined) {
    return fail(entry.errno, `reading ${at.path} fails with ${entry.errno}`);
  }
  return { kind: "names", names: [...(tree.children.get(path) ?? [])].sort() };
}

function readContent(at: Resolved, nodes: ReadonlyMap<string, MemoryEntry>): string | Uint8Array | Unread {
  if (at.kind === "dangling") return { kind: "absent" };
  if (at.kind !== "path") return at;
  if (at.is === "directory") return fail("EISDIR", `${at.path} is a directory`);
  const entry = nodes.get(at.path);
  if (typeof entry === "string") return entry;
  if (entry?.kind === "failing") return fail(entry.errno, `reading ${at.path} fails with ${entry.errno}`);
  if (entry?.kind !== "file") return fail("EINVAL", `${at.path} is neither a regular file nor a directory`);
  if (((entry.mode ?? READ_BITS) & READ_BITS) === 0) return fail("EACCES", `${at.path} cannot be read`);
  return entry.content;
}

function readText(content: string | Uint8Array | Unread, maxBytes: number): Text {
  const read = readStart(content, maxBytes);
  if (read.kind === "bytes") return { kind: "text", text: Buffer.from(read.bytes).toString("utf8") };
  if (read.kind === "too-long") return { kind: "too-long", start: Buffer.from(read.start).toString("utf8") };
  return read;
}

function readStart(content: string | Uint8Array | Unread, maxBytes: number): Bytes {
  if (typeof content === "object" && "kind" in content) return content;
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  if (bytes.length > maxBytes) return { kind: "too-long", start: Uint8Array.from(bytes.subarray(0, maxBytes)) };
  return { kind: "bytes", bytes: Uint8Array.from(bytes) };
}

function fail(errno: string, why: string): Unread {
  return { kind: "failed", errno, why };
}
