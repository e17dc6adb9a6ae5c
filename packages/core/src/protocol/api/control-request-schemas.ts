// SPDX-License-Identifier: Apache-2.0

import { STRATEGIES } from "../../placement/request.ts";
import type { JsonSchema } from "../json-schema.ts";
import { BOOLEAN, closedObject, eitherOf, integerFrom, listOf, oneOfTexts, textUpTo } from "../json-schema.ts";
import { DEVICE_REFERENCE, PLACE_REFERENCE, PROFILE_REFERENCE, VM_REFERENCE } from "./reference-schemas.ts";

/** Schemas of control-requests.ts. A key that is not known is an error: a misspelt wish would be no wish. */

const NAME = textUpTo(255, "a name");
/** A day; a week. */
const CLAIM_TTL_MAX = 86_400;
const ENROLMENT_TTL_MAX = 604_800;

export const CLAIM_REQUEST: JsonSchema = closedObject(
  { for: eitherOf([DEVICE_REFERENCE, VM_REFERENCE, PROFILE_REFERENCE]) },
  {
    to: NAME,
    ttlSeconds: { ...integerFrom(1), maximum: CLAIM_TTL_MAX },
    make: BOOLEAN,
    dryRun: BOOLEAN,
    strategy: oneOfTexts(STRATEGIES),
    exceptHosts: listOf(NAME),
  },
);

export const COMMIT_REQUEST: JsonSchema = closedObject({}, { source: oneOfTexts(["release", "vacate", "keep"]) });

export const ADOPTION_REQUEST: JsonSchema = eitherOf([closedObject({ host: NAME, parent: NAME }), VM_REFERENCE]);

export const CORDON_REQUEST: JsonSchema = closedObject({}, { reason: textUpTo(1000, "a reason") });

export const ENROLMENT_REQUEST: JsonSchema = closedObject(
  { host: NAME },
  { ttlSeconds: { ...integerFrom(60), maximum: ENROLMENT_TTL_MAX } },
);

export const PROBE_REQUEST: JsonSchema = closedObject({
  source: DEVICE_REFERENCE,
  destination: eitherOf([PLACE_REFERENCE, DEVICE_REFERENCE]),
});
