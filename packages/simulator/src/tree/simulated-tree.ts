// SPDX-License-Identifier: Apache-2.0

import type { Fault, FaultState } from "./fault.ts";
import { PAGE_BYTES, refused, type Attribute, type DirectoryNode, type Node, type Shown, type Stored } from "./node.ts";
import { baseName, formatRelativeTarget, parentPath, splitPath } from "./path.ts";
import { failed, listNames, walk, type Dangling, type Found, type Ground, type Unread } from "./walk.ts";

/**
 * A machine's kernel file system in memory, as a program sees it: reads and writes answer what sysfs answers.
 * The reading half has the shape of the host reader's interface, so that either can stand in for the other.
 */
export interface SimulatedTree {
  /** Names in a directory, sorted by code unit. */
  list(path: string): { readonly kind: "names"; readonly names: readonly string[] } | Unread;
  /** Text of a file, at most `maxBytes` of it. */
  read(path: string, maxBytes: number): TextRead;
  readBytes(path: string, maxBytes: number): BytesRead;
  /** Where a path ends after every link was followed. */
  resolve(path: string): PathRead;
  /** One write(2): EACCES where the mode has no write bit, even for root; EISDIR, ENOENT; else what the driver says. */
  write(path: string, text: string): Stored;
  /** What lstat(2) and readlink(2) tell of a path, its own last link not followed. */
  lookup(path: string): Looked;
  /** Makes something wrong at a path from now on; undefined mends it. Throws RangeError for a path without a directory. */
  setFault(path: string, fault: Fault | undefined): void;
}

export type TextRead =
  { readonly kind: "text"; readonly text: string } | { readonly kind: "too-long"; readonly start: string } | Unread;

export type BytesRead =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "too-long"; readonly start: Uint8Array }
  | Unread;

export type PathRead =
  | { readonly kind: "path"; readonly path: string; readonly is: "directory" | "file" | "other" }
  /** A link whose target is not there; `path` is where it points. Listing and reading call that absent. */
  | Dangling
  | Unread;

/** `size` in bytes as stat(2) tells it: one page for an attribute, the length of the text for a link, 0 for a directory. */
export type Looked =
  | { readonly kind: "directory" | "file"; readonly mode: number; readonly size: number }
  | { readonly kind: "link"; readonly mode: number; readonly size: number; readonly target: string }
  | Unread;

/** The kernel's side of the tree: what drivers put there. All paths are absolute and hold no links. */
export interface KernelTree extends SimulatedTree {
  /** Makes a directory and those above it; one that exists is left as it is. */
  addDirectory(path: string): void;
  addAttribute(path: string, attribute: Attribute): void;
  /** Makes a relative link, as sysfs_create_link() does. */
  addLink(path: string, target: string): void;
  /** Takes away a file, a link, or a directory with all that is in it; does nothing where there is none. */
  removeEntry(path: string): void;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** Makes an empty tree. */
export function makeTree(): KernelTree {
  const ground: Ground = { root: { kind: "directory", entries: new Map() }, faults: new Map<string, FaultState>() };
  return { ...readingSide(ground), ...kernelSide(ground.root) };
}

function readingSide(ground: Ground): SimulatedTree {
  return {
    list: (path) => {
      const found = find(ground, path);
      if (found.kind !== "found") return found;
      if (found.node.kind !== "directory") return failed("ENOTDIR", path);
      return { kind: "names", names: listNames(ground, found.path, found.node) };
    },
    read: (path, maxBytes) => {
      const shown = readBytes(ground, path, maxBytes);
      if (shown.kind === "bytes") return { kind: "text", text: DECODER.decode(shown.bytes) };
      return shown.kind === "too-long" ? { kind: "too-long", start: DECODER.decode(shown.start) } : shown;
    },
    readBytes: (path, maxBytes) => readBytes(ground, path, maxBytes),
    resolve: (path) => {
      const found = walk(ground, path, "all");
      if (found.kind !== "found") return found;
      return { kind: "path", path: found.path, is: found.node.kind === "directory" ? "directory" : "file" };
    },
    write: (path, text) => write(ground, path, text),
    lookup: (path) => lookup(ground, path),
    setFault: (path, fault) => setFault(ground, path, fault),
  };
}

/** Follows all links; a dangling one is absent to everybody but `resolve`. */
function find(ground: Ground, path: string): Found | Unread {
  const found = walk(ground, path, "all");
  return found.kind === "dangling" ? { kind: "absent" } : found;
}

function readBytes(ground: Ground, path: string, maxBytes: number): BytesRead {
  const found = find(ground, path);
  if (found.kind !== "found") return found;
  if (found.node.kind !== "attribute") return failed("EISDIR", path);
  const { mode, show } = found.node.attribute;
  // sysfs checks the mode even for root: fs/sysfs/mount.c sets KERNFS_ROOT_EXTRA_OPEN_PERM_CHECK.
  if ((mode & 0o444) === 0 || show === undefined) return failed("EACCES", path);
  const shown: Shown = show();
  if (shown.kind === "failed") return failed(shown.errno, path);
  const bytes = shown.kind === "bytes" ? shown.bytes : ENCODER.encode(shown.text);
  return bytes.length > maxBytes ? { kind: "too-long", start: bytes.slice(0, maxBytes) } : { kind: "bytes", bytes };
}

function write(ground: Ground, path: string, text: string): Stored {
  const found = find(ground, path);
  if (found.kind === "absent") return refused("ENOENT");
  if (found.kind !== "found") return refused(found.errno);
  if (found.node.kind !== "attribute") return refused("EISDIR");
  const { mode, store } = found.node.attribute;
  if ((mode & 0o222) === 0 || store === undefined) return refused("EACCES");
  const bytes = ENCODER.encode(text);
  if (bytes.length === 0) return { kind: "written" }; // sysfs_kf_write() does not call the store function for nothing
  if (bytes.length <= PAGE_BYTES) return store(text, bytes.length);
  return store(DECODER.decode(bytes.slice(0, PAGE_BYTES)), PAGE_BYTES);
}

function lookup(ground: Ground, path: string): Looked {
  const found = walk(ground, path, "all-but-last");
  if (found.kind === "dangling") return { kind: "absent" };
  if (found.kind !== "found") return found;
  const node = found.node;
  if (node.kind === "directory") return { kind: "directory", mode: 0o755, size: 0 };
  if (node.kind === "link") return { kind: "link", mode: 0o777, size: node.target.length, target: node.target };
  return { kind: "file", mode: node.attribute.mode, size: node.attribute.size ?? PAGE_BYTES };
}

function setFault(ground: Ground, path: string, fault: Fault | undefined): void {
  const directory = find(ground, parentPath(path));
  if (directory.kind !== "found" || directory.node.kind !== "directory") {
    throw new RangeError(`Cannot place a fault: no directory holds ${JSON.stringify(path)}`);
  }
  const at = `${directory.path === "/" ? "" : directory.path}/${baseName(path)}`;
  if (fault === undefined) ground.faults.delete(at);
  else ground.faults.set(at, { fault, accesses: 0 });
}

function kernelSide(root: DirectoryNode): Omit<KernelTree, keyof SimulatedTree> {
  return {
    addDirectory: (path) => void openDirectory(root, splitPath(path)),
    addAttribute: (path, attribute) => {
      openDirectory(root, splitPath(parentPath(path))).entries.set(baseName(path), { kind: "attribute", attribute });
    },
    addLink: (path, target) => {
      const link = { kind: "link", target: formatRelativeTarget(path, target) } as const;
      openDirectory(root, splitPath(parentPath(path))).entries.set(baseName(path), link);
    },
    removeEntry: (path) => {
      let directory: Node | undefined = root;
      for (const part of splitPath(parentPath(path))) {
        directory = directory?.kind === "directory" ? directory.entries.get(part) : undefined;
      }
      if (directory?.kind === "directory") directory.entries.delete(baseName(path));
    },
  };
}

function openDirectory(root: DirectoryNode, parts: readonly string[]): DirectoryNode {
  let directory = root;
  for (const part of parts) {
    let next = directory.entries.get(part);
    if (next === undefined) {
      next = { kind: "directory", entries: new Map() };
      directory.entries.set(part, next);
    }
    if (next.kind !== "directory") throw new Error(`Not a directory in the simulated tree: ${parts.join("/")}`);
    directory = next;
  }
  return directory;
}
