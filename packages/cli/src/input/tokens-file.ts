// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import type { Role } from "@berth/core/protocol/api/endpoint";
import { BerthError } from "@berth/core/protocol/berth-error";
import { parseTokensDocument } from "@berth/server/access/tokens";
import { replaceFile } from "../connect/new-file.ts";
import { readJsonFile } from "./json-file.ts";

/** One entry of a tokens file. */
export interface TokenEntry {
  readonly name: string;
  readonly role: Role;
  readonly sha256: string;
}

/** The entries of a tokens file, in its order. Throws BerthError tokens_malformed, file_*. */
export function readTokenEntries(path: string): readonly TokenEntry[] {
  const { tokens } = parseTokensDocument(readJsonFile(path), path);
  return tokens.map(({ name, role, hash }) => ({ name, role, sha256: hash.toString("hex") }));
}

/** Adds a token by its hash, and makes the file where it is missing. Throws BerthError. */
export function addToken(path: string, token: string, owner: { readonly name: string; readonly role: Role }): void {
  const entries = existsSync(path) ? readTokenEntries(path) : [];
  if (entries.some(({ name }) => name === owner.name)) {
    throw new BerthError("usage_conflict", `${path} has a token of ${JSON.stringify(owner.name)}`, {
      place: owner.name,
      expected: `another name, or berth token remove ${owner.name} first`,
    });
  }
  const sha256 = createHash("sha256").update(token).digest("hex");
  writeEntries(path, [...entries, { ...owner, sha256 }]);
}

/** Takes a token out. Throws BerthError, also where it is the last one: a tokens file holds at least one. */
export function removeToken(path: string, name: string): void {
  const entries = readTokenEntries(path);
  const others = entries.filter((entry) => entry.name !== name);
  if (others.length === entries.length) {
    throw new BerthError("usage_bad_value", `${path} has no token of ${JSON.stringify(name.slice(0, 80))}`, {
      place: name.slice(0, 80),
      expected: `one of ${entries.map((entry) => entry.name).join(", ")}`,
    });
  }
  if (others.length === 0) {
    throw new BerthError("usage_conflict", `${JSON.stringify(name)} is the last token of ${path}`, {
      place: name,
      expected: "another token first: berth token new",
    });
  }
  writeEntries(path, others);
}

/** What is written is read first: a name that the file may not hold is refused before the file is touched. */
function writeEntries(path: string, entries: readonly TokenEntry[]): void {
  const document = { tokens: "berth.tokens/v1", entries };
  parseTokensDocument(document, path);
  replaceFile(path, `${JSON.stringify(document, undefined, 2)}\n`);
}
