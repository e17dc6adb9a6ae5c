// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";

import { BerthError } from "@berth/core/protocol/berth-error";
import { openDirectoryTree } from "./directory-tree.ts";
import { openMemoryTree } from "./memory-tree.ts";
import type { SysfsTree } from "./sysfs-tree.ts";
import { isChecksumRight } from "./tar-archive.ts";
import { CAPTURE_LIMITS, readTarEntries } from "./tar-tree.ts";
import type { CaptureLimits } from "./tar-tree.ts";

const EXPECTED = "a folder or tar archive with sys at its top or in its only folder that has one; / for this machine";

/**
 * Opens what a person names as a host: `/`, the folder of a captured tree, or a tar archive of one, told apart by what
 * they are and not by their names. `sys` may stand at the top or one folder below.
 *
 * Throws BerthError: root_not_found, root_not_a_directory (neither folder nor archive, or without `sys`),
 * file_unreadable, or a `capture_*` code.
 */
export function openRoot(path: string, limits: CaptureLimits = CAPTURE_LIMITS): SysfsTree {
  const stat = readStat(path);
  if (stat.isDirectory()) {
    const tree = openDirectoryTree(path);
    const top = findTop(tree, path);
    return top === "" ? tree : openDirectoryTree(`${path.replace(/\/+$/, "")}${top}`);
  }
  if (!stat.isFile()) throw refuse(path, "it is neither a folder nor a file");
  checkMagic(path);
  const entries = readTarEntries(path, limits);
  const tree = openMemoryTree(entries);
  const top = findTop(tree, path);
  if (top === "") return tree;
  const below = [...entries].filter(([name]) => name === top || name.startsWith(`${top}/`));
  return openMemoryTree(below.map(([name, entry]) => [name.slice(top.length), entry]));
}

/** The folder that holds `sys`: `""`, or `/name` where exactly one folder does. */
function findTop(tree: SysfsTree, path: string): string {
  if (isRealDirectory(tree, "/sys")) return "";
  const listing = tree.list("/");
  const unread = [tree.resolve("/sys"), listing].find((answer) => answer.kind === "failed");
  if (unread !== undefined) {
    throw new BerthError("file_unreadable", `Cannot look into ${path}: ${unread.errno}`, { place: path });
  }
  const names = listing.kind === "names" ? listing.names : [];
  const tops = names.filter((name) => isRealDirectory(tree, `/${name}`) && isRealDirectory(tree, `/${name}/sys`));
  const [top, second] = tops;
  if (top !== undefined && second === undefined) return `/${top}`;
  if (second !== undefined) throw refuse(path, `it holds several trees: ${tops.slice(0, 10).join(", ")}; name one`);
  const isSys = names.includes("bus") && names.includes("devices");
  throw refuse(path, isSys ? "it looks like sys itself; name the folder above it" : "there is no sys in it");
}

/** A link is not taken for the top of a tree: what is in the tree would lie outside. */
function isRealDirectory(tree: SysfsTree, path: string): boolean {
  const at = tree.resolve(path);
  return at.kind === "path" && at.is === "directory" && at.path === path;
}

function readStat(path: string): fs.Stats {
  try {
    return fs.statSync(path);
  } catch (error) {
    const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR" || path.includes("\0")) {
      const place = JSON.stringify(path.slice(0, 200));
      throw new BerthError("root_not_found", `There is nothing at ${place}`, {
        place: path,
        expected: EXPECTED,
        cause: error,
      });
    }
    throw new BerthError("file_unreadable", `Cannot look at ${path}: ${code ?? String(error)}`, {
      place: path,
      cause: error,
    });
  }
}

/** gzip's magic number, or a tar header whose checksum is right. */
function checkMagic(path: string): void {
  const start = Buffer.alloc(512);
  let length: number;
  try {
    const file = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    try {
      length = fs.readSync(file, start, 0, start.length, 0);
    } finally {
      fs.closeSync(file);
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BerthError("file_unreadable", `Cannot read the capture: ${why}`, { place: path, cause: error });
  }
  if (start[0] === 0x1f && start[1] === 0x8b) return;
  if (length === start.length && (isChecksumRight(start) || start.every((byte) => byte === 0))) return;
  throw new BerthError("capture_malformed", `${path} is neither a tar archive nor compressed with gzip`, {
    place: path,
    expected: EXPECTED,
  });
}

function refuse(path: string, why: string): BerthError {
  return new BerthError("root_not_a_directory", `Cannot take ${path} for a host: ${why}`, {
    place: path,
    expected: EXPECTED,
  });
}
