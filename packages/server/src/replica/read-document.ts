// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";
import type { StoredDocument } from "../store/store.ts";
import { PARSERS } from "./parse-documents.ts";
import type { Held } from "./replica.ts";
import { splitKey } from "./stored-documents.ts";

/**
 * A document as the store has it, held against what a document of its kind looks like, as a replica does it. Throws BerthError
 * `store_damaged` for one that is none.
 */
export function parseStored({ key, value, revision }: StoredDocument): Held<unknown> {
  const found = splitKey(key);
  try {
    const document: unknown = found === undefined ? JSON.parse(value) : PARSERS[found.kind](found.name, value);
    return { document, revision };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BerthError("store_damaged", `The document ${key} cannot be read: ${why}`, {
      place: key,
      expected: "a document that Berth wrote: an operator has to look",
      cause: error,
    });
  }
}
