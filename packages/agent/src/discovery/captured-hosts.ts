// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const FOLDER = path.join(import.meta.dirname, "../../../../fixtures/sysfs");

/** Path of a captured tree of this repository, as it is kept: an archive. */
export function captureArchive(name: string): string {
  return path.join(FOLDER, `${name}.tgz`);
}

/** The same tree as a folder, unpacked by tar with its modes into a new directory that the caller removes. */
export function unpackCapture(name: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "berth-capture-"));
  execFileSync("tar", ["-xzf", captureArchive(name), "-C", folder]);
  return folder;
}
