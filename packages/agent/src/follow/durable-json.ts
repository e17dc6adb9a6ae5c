// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";

import { nameErrno } from "../provision/errno-name.ts";

/**
 * Reads a JSON file of the state directory; undefined where there is none. Throws SyntaxError for one that is not as it
 * was written: taking it for an empty one would forget what must not be done again.
 */
export function readDurableJson<T>(
  path: string,
  isWhole: (value: Readonly<Record<string, unknown>>) => boolean,
): T | undefined {
  let text: string;
  try {
    text = fs.readFileSync(path, "utf8");
  } catch (error) {
    if (nameErrno(error) === "ENOENT") return undefined;
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`Cannot parse ${path}: it is not JSON`, { cause: error });
  }
  if (typeof value === "object" && value !== null && isWhole(value as Readonly<Record<string, unknown>>)) {
    return value as T;
  }
  throw new SyntaxError(`Cannot parse ${path}: it is not as it was written`);
}
