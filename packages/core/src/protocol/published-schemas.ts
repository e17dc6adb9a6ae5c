// SPDX-License-Identifier: Apache-2.0

import type { JsonSchema } from "./json-schema.ts";
import { PACK_SCHEMA, PACK_VECTORS_SCHEMA } from "./pack-schema.ts";
import { POLICY_SCHEMA } from "./policy-schema.ts";
import { PROFILE_SCHEMA } from "./profile-json-schema.ts";
import { HELLO_SCHEMA, INVENTORY_SCHEMA, REPORT_ANSWER_SCHEMA, REPORT_SCHEMA } from "./report-json-schema.ts";

/** The schemas that are published in docs/schemas, by file name. A test keeps the files up to date. */
export const PUBLISHED_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  "driver-pack.json": PACK_SCHEMA,
  "hello.json": HELLO_SCHEMA,
  "inventory.json": INVENTORY_SCHEMA,
  "pack-vectors.json": PACK_VECTORS_SCHEMA,
  "policy.json": POLICY_SCHEMA,
  "profile.json": PROFILE_SCHEMA,
  "report-answer.json": REPORT_ANSWER_SCHEMA,
  "report.json": REPORT_SCHEMA,
};
