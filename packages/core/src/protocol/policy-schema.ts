// SPDX-License-Identifier: Apache-2.0

import type { Policy } from "../compatibility/policy.ts";
import { STRICT_POLICY } from "../compatibility/policy.ts";
import type { JsonSchema } from "./json-schema.ts";
import {
  BOOLEAN,
  closedObject,
  exactly,
  integerFrom,
  listOf,
  mapOf,
  published,
  textLike,
  textUpTo,
} from "./json-schema.ts";
import type { DocumentKind } from "./parse-document.ts";
import { requireDocument } from "./parse-document.ts";

const TYPE_ID = textUpTo(255, "a type id");
const HOST = textUpTo(255, "a host name, or *");
const UNITS = textLike("^[0-9]{1,9}(/[1-9][0-9]{0,8})?$", "units per device: n or n/d");
const FUNCTION = textLike(
  "^([0-9a-f]{4}:[0-9a-f]{4}(:[0-9a-f]{4}:[0-9a-f]{4})?|[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7])$",
  "a function: vvvv:dddd, vvvv:dddd:ssss:ssss or a PCI address",
);
const FACT_NAME = textLike("^[a-z][a-z0-9_.-]{0,63}$", "a fact name: lower case, digits, _ . -, at most 64 characters");

/** The published schema of a policy file. Every switch is optional: what is left out stays strict. */
export const POLICY_SCHEMA: JsonSchema = published(
  "policy:v1",
  "Berth policy",
  closedObject(
    { policy: exactly("berth.policy/v1") },
    {
      crossType: BOOLEAN,
      hybrid: BOOLEAN,
      sameBuild: closedObject({}, { softwareVersion: BOOLEAN, compatibleFields: BOOLEAN }),
      acceptAfterSuccesses: integerFrom(0),
      assumePlatform: BOOLEAN,
      typeAliases: listOf(listOf(TYPE_ID, { minItems: 2 })),
      unitMap: mapOf(TYPE_ID, UNITS),
      signatures: listOf(closedObject({ host: HOST, function: FUNCTION, type: TYPE_ID })),
      facts: listOf(
        closedObject(
          { host: HOST, name: FACT_NAME, value: { type: "string", maxLength: 4096, description: "a text" } },
          { subject: textUpTo(255, "a device or parent id") },
        ),
      ),
    },
  ),
);

const POLICY: DocumentKind = {
  noun: "policy",
  schema: POLICY_SCHEMA,
  formatKey: "policy",
  format: "berth.policy/v1",
  malformed: "policy_malformed",
  unsupportedVersion: "policy_unsupported_version",
  unknownKey: "policy_unknown_key",
};

/** A policy file's switches: those of Policy, each optional. */
type PolicyDocument = Partial<Omit<Policy, "sameBuild">> & { readonly sameBuild?: Partial<Policy["sameBuild"]> };

/**
 * Reads a policy file; every switch that it leaves out is strict. Throws BerthError `policy_malformed`,
 * `policy_unknown_key` (with the nearest name) or `policy_unsupported_version`.
 */
export function parsePolicyDocument(value: unknown, place: string): Policy {
  requireDocument(POLICY, value, place);
  const document = value as PolicyDocument;
  return {
    crossType: document.crossType ?? STRICT_POLICY.crossType,
    hybrid: document.hybrid ?? STRICT_POLICY.hybrid,
    sameBuild: { ...STRICT_POLICY.sameBuild, ...document.sameBuild },
    acceptAfterSuccesses: document.acceptAfterSuccesses ?? STRICT_POLICY.acceptAfterSuccesses,
    assumePlatform: document.assumePlatform ?? STRICT_POLICY.assumePlatform,
    typeAliases: document.typeAliases ?? STRICT_POLICY.typeAliases,
    unitMap: document.unitMap ?? STRICT_POLICY.unitMap,
    signatures: document.signatures ?? STRICT_POLICY.signatures,
    facts: document.facts ?? STRICT_POLICY.facts,
  };
}
