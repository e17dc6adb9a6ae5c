// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";
import type { ErrorCode } from "@berth/core/protocol/error-codes";

import type { WireError } from "./worker-messages.ts";

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
export const SQLITE_BUSY = 5;
const SQLITE_PERM = 3;
const SQLITE_READONLY = 8;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

const CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [SQLITE_PERM, "store_read_only"],
  [SQLITE_READONLY, "store_read_only"],
  [SQLITE_CORRUPT, "store_damaged"],
  [SQLITE_FULL, "store_full"],
  [SQLITE_CANTOPEN, "store_read_only"],
  [SQLITE_NOTADB, "store_damaged"],
]);

/** Errnos of the data directory itself. */
const ERRNOS: ReadonlyMap<string, ErrorCode> = new Map([
  ["EACCES", "store_read_only"],
  ["EPERM", "store_read_only"],
  ["EROFS", "store_read_only"],
  ["ENOSPC", "store_full"],
  ["EDQUOT", "store_full"],
]);

/** The primary result code of an error of node:sqlite, or undefined for any other error. */
export function findResultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
}

/** The coded error for whatever went wrong at a file of the store. An error that has a code keeps it. */
export function explainStoreError(error: unknown, place: string): BerthError {
  if (error instanceof BerthError) return error;
  const errno = error instanceof Error && "code" in error ? String(error.code) : "";
  const code = CODES.get(findResultCode(error) ?? 0) ?? ERRNOS.get(errno) ?? "store_unavailable";
  const text = error instanceof Error ? error.message : String(error);
  return new BerthError(code, `The store at ${place} failed: ${text}`, { place, cause: error });
}

/** As it crosses from a worker. */
export function formatWireError(error: BerthError): WireError {
  const { code, message, place } = error;
  return place === undefined ? { code, message } : { code, message, place };
}

/** As it arrived from a worker. */
export function parseWireError({ code, message, place }: WireError): BerthError {
  return new BerthError(code, message, place === undefined ? {} : { place });
}
