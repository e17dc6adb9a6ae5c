// SPDX-License-Identifier: Apache-2.0

import { STRATEGIES, type Strategy } from "../../placement/request.ts";
import type { JsonSchema } from "../json-schema.ts";
import { BOOLEAN, closedObject, eitherOf, integerFrom, listOf, oneOfTexts, textUpTo } from "../json-schema.ts";
import { PROFILE_DOCUMENT } from "./answer-schemas.ts";

/** A device or a place of the fleet, or a profile that may be of no host at all. */
export type EndReference =
  | { readonly host: string; readonly device: string }
  | { readonly host: string; readonly parent: string; readonly type: string }
  | { readonly profile: object };

/** Body of `POST /v1/checks`. */
export interface CheckRequest {
  /** A device that exists, or a profile. */
  readonly source: Exclude<EndReference, { readonly parent: string }>;
  readonly destination: EndReference;
  /** A document of docs/schemas/policy.json; absent: the policy in force. */
  readonly policy?: object;
}

/** Body of `POST /v1/candidates`. */
export interface CandidatesRequest {
  readonly source: CheckRequest["source"];
  /** `fragmentation` unless said. */
  readonly strategy?: Strategy;
  /** Wanted NUMA node; absent: the one of the source's parent. */
  readonly numaNode?: number;
  /** Only these hosts. */
  readonly hosts?: readonly string[];
  /** Hosts that are not to be used; the source's own and cordoned ones never are. */
  readonly exceptHosts?: readonly string[];
  /** Most candidates, 1 to 100; 10 unless said. */
  readonly limit?: number;
  /** Whether `outcomes` is wanted; true unless said. */
  readonly explain?: boolean;
  readonly policy?: object;
}

const NAME = textUpTo(255, "a name");
const DEVICE_REFERENCE = closedObject({ host: NAME, device: NAME });
const PLACE_REFERENCE = closedObject({ host: NAME, parent: NAME, type: NAME });
const PROFILE_REFERENCE = closedObject({ profile: PROFILE_DOCUMENT });
const SOURCE = eitherOf([DEVICE_REFERENCE, PROFILE_REFERENCE]);

/** A document of docs/schemas/policy.json, which that schema describes. */
export const POLICY_DOCUMENT: JsonSchema = { type: "object", description: "a policy (docs/schemas/policy.json)" };

export const CHECK_REQUEST: JsonSchema = closedObject(
  { source: SOURCE, destination: eitherOf([DEVICE_REFERENCE, PLACE_REFERENCE, PROFILE_REFERENCE]) },
  { policy: POLICY_DOCUMENT },
);

export const CANDIDATES_REQUEST: JsonSchema = closedObject(
  { source: SOURCE },
  {
    strategy: oneOfTexts(STRATEGIES),
    numaNode: { ...integerFrom(0), maximum: 65535 },
    hosts: listOf(NAME, { minItems: 1 }),
    exceptHosts: listOf(NAME),
    limit: { ...integerFrom(1), maximum: 100 },
    explain: BOOLEAN,
    policy: POLICY_DOCUMENT,
  },
);
