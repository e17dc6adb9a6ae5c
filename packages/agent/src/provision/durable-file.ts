// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";

/** Makes a directory that only this user can enter, and those above it. One that exists is left as it is. */
export function makePrivateDirectory(path: string): void {
  fs.mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** Brings the names of a directory to disk. */
export function syncDirectory(path: string): void {
  const directory = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    fs.fsyncSync(directory);
  } finally {
    fs.closeSync(directory);
  }
}

/**
 * Replaces a file of `directory` so that after a crash at any instant it holds the old text or the new one: a new file is
 * written, brought to disk and renamed over it. When this returns, the new text is on disk.
 */
export function replaceFile(directory: string, name: string, text: string): void {
  const fresh = `${directory}/.${name}.new`;
  fs.rmSync(fresh, { force: true });
  const file = fs.openSync(fresh, "wx", 0o600);
  try {
    fs.writeFileSync(file, text);
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
  fs.renameSync(fresh, `${directory}/${name}`);
  syncDirectory(directory);
}
