// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Folders that are made, not written; the same as in .gitignore. */
const MADE = new Set([".berth-setup", ".git", "dist", "node_modules"]);

/** Paths of all files that a person wrote, relative to `root`, with `/`, sorted. Symbolic links are not followed. */
export function listFiles(root: string, folder = ""): string[] {
  const files: string[] = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory() && !MADE.has(entry.name)) files.push(...listFiles(root, path));
    if (entry.isFile() && !entry.name.endsWith(".tsbuildinfo")) files.push(path);
  }
  return files.toSorted();
}

/** The text of a file of the repository; bytes that are not UTF-8 become U+FFFD. */
export function readText(root: string, file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/**
 * Is this a test, or a part that several tests share: a contract (`x.contract.ts`), generators of values (`x.gen.ts`)?
 * Tests are let off some rules of sources.
 */
export function isTestFile(file: string): boolean {
  return /\.(test|contract|gen)\.ts$/.test(file);
}

/** Is this TypeScript in one of the folders that hold code? */
export function isCode(file: string): boolean {
  return /^(packages\/[^/]+\/src|tools|bench|scenarios)\/.*\.ts$/.test(file);
}
