// SPDX-License-Identifier: Apache-2.0

import type { JsonSchema } from "../json-schema.ts";
import { answerList, answerObject, COUNT, TEXT } from "./domain-schemas.ts";

/** Where an answer stands. */
export const GENERATION: JsonSchema = {
  ...answerObject({ epoch: TEXT, revision: COUNT }),
  description: "the state of the inventory that the answer rests on",
};

/** A document of docs/schemas/profile.json, which the document's own schema describes. */
export const PROFILE_DOCUMENT: JsonSchema = {
  type: "object",
  description: "a migration profile (docs/schemas/profile.json)",
};

/** A part of a list. */
export function pageOf(items: JsonSchema): JsonSchema {
  return answerObject({ generation: GENERATION, items: answerList(items) }, { next: TEXT });
}
