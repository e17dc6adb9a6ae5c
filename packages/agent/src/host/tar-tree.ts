// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";
import * as zlib from "node:zlib";

import { BerthError } from "@berth/core/protocol/berth-error";
import { openMemoryTree } from "./memory-tree.ts";
import type { MemoryEntry } from "./memory-tree.ts";
import type { SysfsTree } from "./sysfs-tree.ts";
import { parseTar } from "./tar-archive.ts";
import type { TarMember } from "./tar-archive.ts";

/** How much of a capture is taken in. */
export interface CaptureLimits {
  /** Size of the file. */
  readonly fileBytes: number;
  /** Size of the archive after decompression. */
  readonly archiveBytes: number;
  readonly members: number;
}

/** Generous for a host with thousands of devices: a captured slice of one is below 1 MiB, 2,000 members. */
export const CAPTURE_LIMITS: CaptureLimits = { fileBytes: 64 << 20, archiveBytes: 256 << 20, members: 500_000 };

const PATH_MAX = 4096;

/**
 * Opens a captured tree in a tar archive, plain or compressed with gzip; `source` is its bytes or the path of a file.
 * Nothing is unpacked to disk. Modes come from the headers. Throws BerthError with a `capture_*` code, or
 * file_unreadable.
 */
export function openTarTree(source: Uint8Array | string, limits: CaptureLimits = CAPTURE_LIMITS): SysfsTree {
  return openMemoryTree(readTarEntries(source, limits));
}

/** The entries of a captured tree in a tar archive, by absolute path. Throws as `openTarTree`. */
export function readTarEntries(source: Uint8Array | string, limits: CaptureLimits): Map<string, MemoryEntry> {
  const place = typeof source === "string" ? source : "the archive";
  try {
    const bytes = typeof source === "string" ? readCapture(source, limits) : source;
    const entries = new Map<string, MemoryEntry>();
    for (const member of parseTar(decompress(bytes, limits), limits.members)) addMember(member, entries);
    checkDirectories(entries);
    return entries;
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    throw new BerthError(error.code, error.message, {
      place: error.place === undefined ? place : `${place}: ${error.place}`,
      ...(error.expected === undefined ? {} : { expected: error.expected }),
      cause: error,
    });
  }
}

function readCapture(path: string, limits: CaptureLimits): Uint8Array {
  try {
    const { size } = fs.statSync(path);
    if (size > limits.fileBytes) throw tooLarge(`it has ${size} bytes`, limits.fileBytes);
    return fs.readFileSync(path);
  } catch (error) {
    if (error instanceof BerthError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new BerthError("file_unreadable", `Cannot read the capture: ${why}`, { cause: error });
  }
}

/** Takes gzip off. Stops as soon as the limit is passed, so that a small file cannot fill the memory. */
function decompress(bytes: Uint8Array, limits: CaptureLimits): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
    if (bytes.length > limits.archiveBytes) throw tooLarge(`it has ${bytes.length} bytes`, limits.archiveBytes);
    return bytes;
  }
  try {
    return zlib.gunzipSync(bytes, { maxOutputLength: limits.archiveBytes });
  } catch (error) {
    const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
    if (code === "ERR_BUFFER_TOO_LARGE") throw tooLarge("more comes out of it", limits.archiveBytes);
    if (code === "Z_BUF_ERROR") {
      throw new BerthError("capture_truncated", "The archive is cut off: its compressed data has no end", {
        expected: "a whole gzip file",
        cause: error,
      });
    }
    throw new BerthError("capture_malformed", "Cannot read the archive: its compressed data is damaged", {
      expected: "a tar archive, plain or compressed with gzip",
      cause: error,
    });
  }
}

function addMember(member: TarMember, entries: Map<string, MemoryEntry>): void {
  const path = normalisePath(member.path);
  const entry = makeEntry(member, entries);
  const before = entries.get(path);
  if (before !== undefined && isDirectory(before) !== isDirectory(entry)) {
    throw malformed(member.path, "it is there twice, once as a directory");
  }
  if (path === "" && !isDirectory(entry)) throw malformed(member.path, "the top of a tree is a directory");
  entries.set(path, entry);
}

function makeEntry(member: TarMember, entries: ReadonlyMap<string, MemoryEntry>): MemoryEntry {
  if (member.kind === "file") return { kind: "file", content: member.content, mode: member.mode };
  if (member.target.includes("\0")) throw malformed(member.path, "its link holds a NUL character");
  if (member.kind === "link") return { kind: "link", target: member.target };
  if (member.kind !== "hard-link") return { kind: member.kind };
  const linked = entries.get(normalisePath(member.target));
  if (linked !== undefined && !isDirectory(linked)) return linked;
  throw malformed(
    member.path,
    `it is a hard link to ${JSON.stringify(member.target.slice(0, 80))}, which is no file before it`,
  );
}

/** `./sys/` and `sys` are `/sys`, and `.` is the root, `""`. Refuses what could mean a place outside. */
function normalisePath(path: string): string {
  if (path.includes("\0")) throw malformed(path, "its name holds a NUL character");
  if (path.length > PATH_MAX) throw malformed(path, `its name is longer than ${PATH_MAX} characters`);
  if (path.startsWith("/")) throw malformed(path, "its name is absolute");
  const components = path.split("/").filter((component) => component !== "" && component !== ".");
  if (components.includes("..")) throw malformed(path, "its name leads upwards");
  return components.map((component) => `/${component}`).join("");
}

/** No member may stand below another that is not a directory: below a link it would stand somewhere else. */
function checkDirectories(entries: ReadonlyMap<string, MemoryEntry>): void {
  for (const path of entries.keys()) {
    for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1)) {
      const above = entries.get(path.slice(0, cut));
      if (above !== undefined && !isDirectory(above)) throw malformed(path, `${path.slice(0, cut)} is no directory`);
    }
  }
}

function isDirectory(entry: MemoryEntry): boolean {
  return typeof entry === "object" && entry.kind === "directory";
}

function malformed(path: string, why: string): BerthError {
  const name = JSON.stringify(path.slice(0, 80));
  return new BerthError("capture_malformed", `Cannot take the member ${name} from the archive: ${why}`, {
    place: path.slice(0, 200),
    expected: "names relative to the top of the tree",
  });
}

function tooLarge(what: string, limit: number): BerthError {
  return new BerthError("capture_too_large", `The capture is too large: ${what}, at most ${limit} are taken in`);
}
