// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";

import { MAX_PATH, resolvePath, TOO_LONG } from "./resolve-path.ts";
import type { Entry } from "./resolve-path.ts";
import type { Bytes, Listing, Resolved, SysfsTree, Text, Unread } from "./sysfs-tree.ts";

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;

/** Bits of the mode that let anybody read. A file without any is EACCES to everybody, as kernfs answers even root. */
const READ_BITS = 0o444;

/**
 * Opens a directory of this machine as the root of a host: `/` for the live one, or the folder of a captured tree.
 *
 * No link is ever followed out of it, and only regular files are opened. One tree is one look at the host: what it has
 * resolved lately it does not resolve again. Open a new one for a new look.
 */
export function openDirectoryTree(root: string): SysfsTree {
  return new DirectoryTree(root);
}

class DirectoryTree implements SysfsTree {
  readonly #root: string;
  /** What stands at a link-free path. */
  readonly #entries = new Map<string, Entry>();
  /** Entries of the directories that were listed: a name that is not here is not there. */
  readonly #listed = new Map<string, ReadonlyMap<string, Entry>>();
  /** Directories by the path that was asked for. */
  readonly #resolved = new Map<string, Resolved>();
  #buffer = Buffer.allocUnsafeSlow(8192);

  constructor(root: string) {
    this.#root = root === "/" ? "" : root.replace(/\/+$/, "");
  }

  list(path: string): Listing {
    const at = this.resolve(path);
    if (at.kind === "dangling") return { kind: "absent" };
    if (at.kind !== "path") return at;
    if (at.is !== "directory") return { kind: "failed", errno: "ENOTDIR", why: `${path} is not a directory` };
    try {
      return { kind: "names", names: this.#readDirectory(at.path === "/" ? "" : at.path) };
    } catch (error) {
      return explainError(error, path);
    }
  }

  read(path: string, maxBytes: number): Text {
    const length = this.#readFile(path, maxBytes);
    if (typeof length !== "number") return length;
    if (length > maxBytes) return { kind: "too-long", start: this.#buffer.toString("utf8", 0, maxBytes) };
    return { kind: "text", text: this.#buffer.toString("utf8", 0, length) };
  }

  readBytes(path: string, maxBytes: number): Bytes {
    const length = this.#readFile(path, maxBytes);
    if (typeof length !== "number") return length;
    const bytes = Uint8Array.from(this.#buffer.subarray(0, Math.min(length, maxBytes)));
    return length > maxBytes ? { kind: "too-long", start: bytes } : { kind: "bytes", bytes };
  }

  resolve(path: string): Resolved {
    const cached = this.#resolved.get(path);
    if (cached !== undefined) return cached;
    if (path.length > MAX_PATH) return TOO_LONG;
    const resolved = this.#resolveInParent(path);
    // A host has tens of thousands of files, each asked for once or twice: what leads to them is enough to remember.
    if (resolved.kind === "path" && resolved.is === "directory") remember(this.#resolved, path, resolved);
    return resolved;
  }

  /** Resolves the directory of a path first: its siblings find that answer in the cache. */
  #resolveInParent(path: string): Resolved {
    const cut = path.lastIndexOf("/");
    if (cut <= 0) return resolvePath("", path, this.#lookUp);
    const parent = this.resolve(path.slice(0, cut));
    if (parent.kind === "dangling") return { kind: "absent" };
    if (parent.kind !== "path") return parent;
    if (parent.is !== "directory") return { kind: "failed", errno: "ENOTDIR", why: `${path} is not in a directory` };
    return resolvePath(parent.path === "/" ? "" : parent.path, path.slice(cut + 1), this.#lookUp);
  }

  readonly #lookUp = (directory: string, name: string): Entry => {
    const path = `${directory}/${name}`;
    const listed = this.#listed.get(directory);
    if (listed !== undefined) {
      const entry = listed.get(name);
      if (entry === undefined) return { kind: "absent" };
      if (entry.kind !== "link") return entry;
    }
    const cached = this.#entries.get(path);
    if (cached !== undefined) return cached;
    const full = `${this.#root}${path}`;
    const entry = listed === undefined ? readEntry(full, path) : readTarget(full, path);
    remember(this.#entries, path, entry);
    return entry;
  };

  #readDirectory(path: string): readonly string[] {
    const entries = new Map<string, Entry>();
    for (const entry of fs.readdirSync(`${this.#root}${path}/`, { withFileTypes: true })) {
      entries.set(entry.name, kindOf(entry));
    }
    remember(this.#listed, path, entries);
    return [...entries.keys()].sort();
  }

  /** Reads a file once into the buffer; answers how much there was, one byte more than allowed at most. */
  #readFile(path: string, maxBytes: number): number | Unread {
    const at = this.resolve(path);
    if (at.kind === "dangling") return { kind: "absent" };
    if (at.kind !== "path") return at;
    if (at.is !== "file") return explainKind(at.is, path);
    if (this.#buffer.length <= maxBytes) this.#buffer = Buffer.allocUnsafeSlow(maxBytes + 1);
    let file: number | undefined;
    try {
      file = fs.openSync(`${this.#root}${at.path}`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      const stat = fs.fstatSync(file);
      if (!stat.isFile()) return explainKind("other", path);
      if ((stat.mode & READ_BITS) === 0) return { kind: "failed", errno: "EACCES", why: `${path} cannot be read` };
      return fs.readSync(file, this.#buffer, 0, maxBytes + 1, null);
    } catch (error) {
      return explainError(error, path);
    } finally {
      if (file !== undefined) fs.closeSync(file);
    }
  }
}

/** Answers that are remembered of each kind: a host is walked folder by folder, and old ones are not asked for again. */
const REMEMBERED_MAX = 1024;

/** Remembers an answer, and forgets the oldest where there are too many. */
function remember<T>(answers: Map<string, T>, path: string, answer: T): void {
  if (answers.size >= REMEMBERED_MAX) {
    const [oldest] = answers.keys();
    if (oldest !== undefined) answers.delete(oldest);
  }
  answers.set(path, answer);
}

const FILE: Entry = { kind: "file" };
const DIRECTORY: Entry = { kind: "directory" };
/** The target of a listed link is read when it is first followed. */
const LINK: Entry = { kind: "link", target: "" };
const OTHER: Entry = { kind: "other" };

/** The kind of a listed entry. Entries are shared: a whole host is remembered while it is looked at. */
function kindOf(entry: fs.Dirent): Entry {
  if (entry.isFile()) return FILE;
  if (entry.isDirectory()) return DIRECTORY;
  return entry.isSymbolicLink() ? LINK : OTHER;
}

function readEntry(full: string, path: string): Entry {
  try {
    const stat = fs.lstatSync(full, { throwIfNoEntry: false });
    if (stat === undefined) return { kind: "absent" };
    if (stat.isFile()) return { kind: "file" };
    if (stat.isDirectory()) return { kind: "directory" };
    return stat.isSymbolicLink() ? readTarget(full, path) : { kind: "other" };
  } catch (error) {
    return explainEntry(error, path);
  }
}

function readTarget(full: string, path: string): Entry {
  try {
    return { kind: "link", target: fs.readlinkSync(full) };
  } catch (error) {
    return explainEntry(error, path);
  }
}

/** An entry that cannot be looked at. One that changed its kind meanwhile is no link any more: EINVAL. */
function explainEntry(error: unknown, path: string): Entry {
  const unread = explainError(error, path);
  return unread.kind === "refused" ? { kind: "failed", errno: unread.errno, why: unread.why } : unread;
}

function explainKind(is: "directory" | "file" | "other", path: string): Unread {
  if (is === "directory") return { kind: "failed", errno: "EISDIR", why: `${path} is a directory` };
  return { kind: "failed", errno: "EINVAL", why: `${path} is neither a regular file nor a directory` };
}

/** The kernel's name of an error; a number that Node has no name for is kept as it is. */
function explainError(error: unknown, path: string): Unread {
  if (!(error instanceof Error)) throw error;
  const { code, errno } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return { kind: "absent" };
  if (code === undefined) throw error;
  const name = /^E[A-Z0-9]+$/.test(code) ? code : `errno ${Math.abs(errno ?? 0)}`;
  if (name === "ELOOP") return { kind: "refused", errno: "ELOOP", why: `${path} became a link while it was read` };
  return { kind: "failed", errno: name, why: `reading ${path} fails with ${name}` };
}
