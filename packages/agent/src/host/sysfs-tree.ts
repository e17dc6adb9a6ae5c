// SPDX-License-Identifier: Apache-2.0

/**
 * A host's file system as discovery sees it: read-only, rooted, and unable to lead out of its root.
 *
 * Paths are absolute and normalised (`/sys/bus/pci/devices`), symbolic links anywhere in them are followed inside the
 * root. One contract suite (`sysfs-tree.contract.ts`) is run by every implementation.
 */
export interface SysfsTree {
  /** Names in a directory, sorted by code unit, `.` and `..` left out. */
  list(path: string): Listing;
  /** Text of a regular file, at most `maxBytes`; one read, so that the text is consistent. */
  read(path: string, maxBytes: number): Text;
  /** Bytes of a regular file, for the few that are not text (build-id notes). */
  readBytes(path: string, maxBytes: number): Bytes;
  /** Where a path ends up after every link was followed: absolute, inside the root. */
  resolve(path: string): Resolved;
}

/** Why something could not be read. `errno` is the kernel's name for it, such as EACCES, EIO, ELOOP. */
export type Unread =
  | { readonly kind: "absent" }
  | { readonly kind: "failed"; readonly errno: string; readonly why: string }
  /** A link leads out of the root, or round in a circle. It is never followed. */
  | { readonly kind: "refused"; readonly errno: "EXDEV" | "ELOOP"; readonly why: string };

export type Listing = { readonly kind: "names"; readonly names: readonly string[] } | Unread;

export type Text =
  | { readonly kind: "text"; readonly text: string }
  /** Longer than was allowed; `start` is what was read of it. */
  | { readonly kind: "too-long"; readonly start: string }
  | Unread;

export type Bytes =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "too-long"; readonly start: Uint8Array }
  | Unread;

export type Resolved =
  | { readonly kind: "path"; readonly path: string; readonly is: "directory" | "file" | "other" }
  /** The path is a link whose target is not there; `path` is where it points. `list` and `read` call that absent. */
  | { readonly kind: "dangling"; readonly path: string }
  | Unread;
