// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";

import { openDirectoryTree } from "../host/directory-tree.ts";
import { nameErrno } from "./errno-name.ts";

/** What a write came to. `errno` is the kernel's name for its refusal, such as ENOSPC. */
export type Written =
  { readonly kind: "written" } | { readonly kind: "failed"; readonly errno: string; readonly why?: string };

/** The writing half of a host: attributes of sysfs and nothing else. */
export interface HostWriter {
  /** One write(2) of the whole text to an existing attribute. `path` is absolute on the host; its links are followed. */
  write(path: string, text: string): Written;
}

const { O_WRONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;

/** Bits of the mode that let anybody write. A file without any is EACCES to everybody, as kernfs answers even root. */
const WRITE_BITS = 0o222;

/**
 * Opens a directory of this machine for writing attributes: `/` for the live host. No link leads out of the root, and
 * whatever the path, only regular files that exist below the root's `/sys` are opened. Every write looks afresh.
 */
export function openDirectoryWriter(root: string): HostWriter {
  const prefix = root === "/" ? "" : root.replace(/\/+$/, "");
  return {
    write: (path, text) => {
      const at = openDirectoryTree(root).resolve(path);
      if (at.kind === "absent" || at.kind === "dangling") return refuse("ENOENT", `${path} is not there`);
      if (at.kind !== "path") return refuse(at.errno, at.why);
      if (!at.path.startsWith("/sys/")) return refuse("EXDEV", `${path} is not in /sys`);
      if (at.is === "directory") return refuse("EISDIR", `${path} is a directory`);
      if (at.is === "other") return refuse("EINVAL", `${path} is not a regular file`);
      return writeOnce(`${prefix}${at.path}`, path, text);
    },
  };
}

function writeOnce(full: string, path: string, text: string): Written {
  const bytes = Buffer.from(text, "utf8");
  let file: number | undefined;
  try {
    file = fs.openSync(full, O_WRONLY | O_NOFOLLOW | O_NONBLOCK);
    const stat = fs.fstatSync(file);
    if (!stat.isFile()) return refuse("EINVAL", `${path} is not a regular file`);
    if ((stat.mode & WRITE_BITS) === 0) return refuse("EACCES", `${path} cannot be written`);
    const count = fs.writeSync(file, bytes, 0, bytes.length, null);
    if (count < bytes.length) return refuse("EIO", `${path} took ${count} of ${bytes.length} bytes`);
    return { kind: "written" };
  } catch (error) {
    const errno = nameErrno(error);
    return refuse(errno, `writing ${path} fails with ${errno}`);
  } finally {
    if (file !== undefined) fs.closeSync(file);
  }
}

function refuse(errno: string, why: string): Written {
  return { kind: "failed", errno, why };
}
