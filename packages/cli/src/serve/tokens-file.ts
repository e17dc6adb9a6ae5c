// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";
import { parseTokensDocument, type TokenList } from "@berth/server/access/tokens";
import { readJsonFile } from "../input/json-file.ts";
import { formatFailure, type Output } from "../program.ts";

/** Reads a tokens file. Throws BerthError tokens_malformed, file_*. */
export function readTokens(path: string): TokenList {
  return parseTokensDocument(readJsonFile(path), path);
}

/** Reads it again; where it cannot be, says so and answers nothing: those that were in force stay so. */
export function reloadTokens(path: string, output: Output): TokenList | undefined {
  try {
    return readTokens(path);
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    output.writeError(formatFailure(error));
    return undefined;
  }
}
