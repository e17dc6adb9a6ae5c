// SPDX-License-Identifier: Apache-2.0

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { BerthError } from "@berth/core/protocol/berth-error";
import { parseJsonText } from "@berth/core/protocol/json-text";

/** Largest JSON file that is read, in bytes. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Reads and parses one JSON file. Coded errors name the file and, for bad JSON, line and column. */
export function readJsonFile(path: string): unknown {
  return parseJsonText(readTextFile(path), path);
}

/** Reads one text file of at most 4 MiB. Coded errors name the file. */
export function readTextFile(path: string): string {
  const file = openFile(path);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw unreadableFile(path, "it is not a regular file");
    if (stat.size > MAX_BYTES) {
      throw new BerthError("file_too_large", `${path} has ${stat.size} bytes`, {
        place: path,
        expected: `at most ${MAX_BYTES} bytes`,
      });
    }
    const bytes = Buffer.alloc(stat.size);
    return bytes.subarray(0, readSync(file, bytes, 0, stat.size, 0)).toString("utf8");
  } catch (error) {
    if (error instanceof BerthError) throw error;
    throw unreadableFile(path, error instanceof Error ? error.message : "reading failed");
  } finally {
    closeSync(file);
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      throw new BerthError("file_not_found", `There is no file ${path}`, { place: path, expected: "a JSON file" });
    }
    throw unreadableFile(path, error instanceof Error ? error.message : "it cannot be opened");
  }
}

function unreadableFile(path: string, why: string): BerthError {
  return new BerthError("file_unreadable", `Cannot read ${path}: ${why}`, {
    place: path,
    expected: "a readable JSON file",
  });
}
