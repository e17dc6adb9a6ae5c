// SPDX-License-Identifier: Apache-2.0

import type { JsonSchema } from "./json-schema.ts";
import { PACK_SCHEMA, PACK_VECTORS_SCHEMA } from "./pack-schema.ts";
import { POLICY_SCHEMA } from "./policy-schema.ts";
import { PROFILE_SCHEMA } from "./profile-json-schema.ts";

/** The schemas that are published in docs/schemas, by file name. A test keeps the files up to date. */
export const PUBLISHED_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  "driver-pack-v1.json": PACK_SCHEMA,
  "pack-vectors-v1.json": PACK_VECTORS_SCHEMA,
  "policy-v1.json": POLICY_SCHEMA,
  "profile-v1.json": PROFILE_SCHEMA,
};
