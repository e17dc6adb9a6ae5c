// SPDX-License-Identifier: Apache-2.0

import { statSync } from "node:fs";
import { BerthError } from "@berth/core/protocol/berth-error";
import { readTextFile } from "../input/json-file.ts";

/** Permissions of group and others. */
const OTHERS = 0o077;

/**
 * Reads a token from a file that is its owner's alone. Throws BerthError `token_unsafe` where anybody else may do anything
 * with the file, `usage_bad_value` where it holds no token, or the code of a file that cannot be read.
 */
export function readTokenFile(path: string): string {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  const text = readTextFile(path).trim();
  if ((mode & OTHERS) !== 0) {
    throw new BerthError("token_unsafe", `${path} is not its owner's alone: mode ${formatMode(mode)}`, {
      place: path,
      expected: `mode 0600: chmod 600 ${path}`,
    });
  }
  return checkToken(text, path);
}

/** Refuses what cannot be sent as a token; the error does not show it. */
export function checkToken(text: string, place: string): string {
  if (/^[\x21-\x7e]{1,4096}$/.test(text)) return text;
  throw new BerthError("usage_bad_value", `${place} holds no token`, {
    place,
    expected: "one line of printable ASCII without spaces",
  });
}

function formatMode(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}
