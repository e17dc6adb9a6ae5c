// SPDX-License-Identifier: Apache-2.0

import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { BerthError } from "@berth/core/protocol/berth-error";
import { formatFirstTokens, newToken } from "@berth/server/access/first-token";
import { adminTokenFile } from "../connect/data-directory.ts";

/** Makes a data directory that only this user can enter, where it is missing. */
export function makeDataDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "it cannot be made";
    throw new BerthError("store_read_only", `Cannot make the data directory ${path}: ${why}`, {
      place: path,
      expected: "--data DIR, a directory that this user may write",
      cause,
    });
  }
}

/**
 * Makes the tokens file of a new server, with one administrator; false where there is one. The token is written beside it
 * for the commands of this user, and nowhere else.
 */
export function makeFirstTokens(directory: string, tokensPath: string): boolean {
  const token = newToken();
  // The token first: a tokens file without it would lock everybody out. One of an earlier life may be readable to others.
  if (!isNewFile(tokensPath)) return false;
  rmSync(adminTokenFile(directory), { force: true });
  writeSecret(adminTokenFile(directory), `${token}\n`);
  return writeSecret(tokensPath, formatFirstTokens(token));
}

function isNewFile(path: string): boolean {
  try {
    closeSync(openSync(path, "r"));
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ENOENT";
  }
}

/** Writes a new file of mode 600 to the disk; false where there is one. */
function writeSecret(path: string, text: string): boolean {
  try {
    const file = openSync(path, "wx", 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    const why = error instanceof Error ? error.message : "it cannot be written";
    throw new BerthError("store_read_only", `Cannot write ${path}: ${why}`, { place: path, cause: error });
  }
}
