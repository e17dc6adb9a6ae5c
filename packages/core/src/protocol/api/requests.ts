// SPDX-License-Identifier: Apache-2.0

import { STRATEGIES, type Strategy } from "../../placement/request.ts";
import type { JsonSchema } from "../json-schema.ts";
import {
  BOOLEAN,
  closedObject,
  eitherOf,
  integerFrom,
  listOf,
  mapOf,
  oneOfTexts,
  textLike,
  textUpTo,
} from "../json-schema.ts";
import type { VmReference } from "./control-requests.ts";
import { DEVICE_REFERENCE, PLACE_REFERENCE, PROFILE_REFERENCE, VM_REFERENCE } from "./reference-schemas.ts";

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
  /** A device, a VM with all its devices, or a profile. */
  readonly source: CheckRequest["source"] | VmReference;
  /** `fragmentation` unless said. */
  readonly strategy?: Strategy;
  /** Wanted NUMA node; absent: the one of the source's parent. */
  readonly numaNode?: number;
  /** Only these hosts. */
  readonly hosts?: readonly string[];
  /** Hosts that are not to be used; the source's own and cordoned ones never are. */
  readonly exceptHosts?: readonly string[];
  /** Only hosts whose fact `rack` is one of these; one of which it is not known is not. */
  readonly racks?: readonly string[];
  /** Only hosts that have every one of these labels: for `name` the fact `label.name` with exactly this value. */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * By host, -100 to 100, 0 unless said: all candidates of a higher weight come before all of a lower one, and the strategy
   * decides among those of one weight.
   */
  readonly weights?: Readonly<Record<string, number>>;
  /** Most candidates, 1 to 100; 10 unless said. */
  readonly limit?: number;
  /** Whether `outcomes` is wanted; true unless said. */
  readonly explain?: boolean;
  readonly policy?: object;
}

/** As `CandidatesRequest`, for a device or a profile. */
export type DeviceCandidatesRequest = CandidatesRequest & { readonly source: CheckRequest["source"] };

/** The highest weight of a host; the lowest is as far below zero. */
const WEIGHT_MAX = 100;
const NAME = textUpTo(255, "a name");

/** A document of docs/schemas/policy.json, which that schema describes. */
export const POLICY_DOCUMENT: JsonSchema = { type: "object", description: "a policy (docs/schemas/policy.json)" };

export const CHECK_REQUEST: JsonSchema = closedObject(
  {
    source: eitherOf([DEVICE_REFERENCE, PROFILE_REFERENCE]),
    destination: eitherOf([DEVICE_REFERENCE, PLACE_REFERENCE, PROFILE_REFERENCE]),
  },
  { policy: POLICY_DOCUMENT },
);

export const CANDIDATES_REQUEST: JsonSchema = closedObject(
  { source: eitherOf([DEVICE_REFERENCE, VM_REFERENCE, PROFILE_REFERENCE]) },
  {
    strategy: oneOfTexts(STRATEGIES),
    numaNode: { ...integerFrom(0), maximum: 65535 },
    hosts: listOf(NAME, { minItems: 1 }),
    exceptHosts: listOf(NAME),
    racks: listOf(textUpTo(255, "a rack"), { minItems: 1 }),
    labels: mapOf(textLike("^[!-~]{1,128}$", "a label's name"), { type: "string", maxLength: 255 }),
    weights: mapOf(NAME, { type: "integer", minimum: -WEIGHT_MAX, maximum: WEIGHT_MAX }),
    limit: { ...integerFrom(1), maximum: 100 },
    explain: BOOLEAN,
    policy: POLICY_DOCUMENT,
  },
);
