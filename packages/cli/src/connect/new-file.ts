// SPDX-License-Identifier: Apache-2.0

import {
  closeSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { BerthError } from "@berth/core/protocol/berth-error";

/**
 * Writes a new file that is its owner's alone, chunk after chunk; answers its size in bytes. The name is taken at once and the
 * file stands under it only when it is whole and on the disk; a writing that fails leaves nothing. Throws BerthError
 * `store_exists` where there is a file, `output_failed`, or what the chunks throw.
 */
export async function writeNewFile(path: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  const part = `${path}.part`;
  closeSync(openNew(path));
  let file: number | undefined;
  try {
    file = openNew(part);
    const size = await writeChunks(file, chunks);
    fsyncSync(file);
    renameSync(part, path);
    syncFolder(path);
    return size;
  } catch (error) {
    if (file !== undefined) rmSync(part, { force: true });
    rmSync(path, { force: true });
    throw error instanceof BerthError ? error : failureOf(error, path);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/**
 * Puts a text in the place of a file, whole or not at all; mode 0600, and whose the file was, so that a server which runs as
 * another user still reads what root has changed. Throws BerthError `store_exists` while another does so.
 */
export function replaceFile(path: string, text: string): void {
  const part = `${path}.part`;
  const file = openNew(part);
  try {
    keepOwner(file, path);
    writeSync(file, text);
    fsyncSync(file);
    renameSync(part, path);
    syncFolder(path);
  } catch (error) {
    rmSync(part, { force: true });
    throw failureOf(error, path);
  } finally {
    closeSync(file);
  }
}

/** The owner of the file that is replaced; of the folder where there is none yet. */
function keepOwner(file: number, path: string): void {
  const before = statSync(path, { throwIfNoEntry: false }) ?? statSync(dirname(resolve(path)));
  const { uid, gid } = fstatSync(file);
  if (process.geteuid?.() === 0 && (before.uid !== uid || before.gid !== gid)) fchownSync(file, before.uid, before.gid);
}

async function writeChunks(file: number, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) at += writeSync(file, chunk, at);
    size += chunk.length;
  }
  return size;
}

/** A file that was just named is not there after a power cut unless its folder is synced. */
function syncFolder(path: string): void {
  const folder = openSync(dirname(resolve(path)), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function openNew(path: string): number {
  try {
    return openSync(path, "wx", 0o600);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw failureOf(error, path);
    throw new BerthError("store_exists", `There is a file ${path}`, {
      place: path,
      expected: "a name that is free: nothing is overwritten",
      cause: error,
    });
  }
}

function failureOf(error: unknown, path: string): BerthError {
  const why = error instanceof Error ? error.message : "writing failed";
  return new BerthError("output_failed", `Cannot write ${path}: ${why}`, { place: path, cause: error });
}
