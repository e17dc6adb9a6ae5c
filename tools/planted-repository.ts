// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** The line that every planted source begins with. */
export const SPDX_LINE = "// SPDX-License-Identifier: Apache-2.0\n";

/** Files by path, with their text. */
export type Planted = Readonly<Record<string, string>>;

/** Writes files into a folder of their own, lets `read` look at it, and removes it; answers what `read` answers. */
export async function inRepository<T>(files: Planted, read: (root: string) => T | Promise<T>): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), "berth planted "));
  try {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    return await read(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
