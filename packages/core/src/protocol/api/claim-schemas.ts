// SPDX-License-Identifier: Apache-2.0

import { CLAIM_STATES } from "../../claim/claim-state.ts";
import type { JsonSchema } from "../json-schema.ts";
import { eitherOf, exactly, oneOfTexts } from "../json-schema.ts";
import { ANYTHING, answerList, answerObject, CONFIDENCE, COUNT, PACK_USE, TEXT } from "./domain-schemas.ts";

const NATURAL: JsonSchema = { type: "integer", minimum: 1 };

/** Why something is as it is: a stable code and one sentence. */
export const CLAIM_REASON: JsonSchema = answerObject({ code: TEXT, text: TEXT });

/** Who a claim is for: a device, a VM, or nobody who is known yet. */
const CLAIMANT = eitherOf([
  answerObject({ kind: exactly("device"), host: TEXT, device: TEXT }),
  answerObject({ kind: exactly("vm"), host: TEXT, vm: TEXT }),
  answerObject({ kind: exactly("profile") }),
]);

const IDENTITY = eitherOf([
  answerObject({ kind: exactly("mdev"), uuid: TEXT }),
  answerObject({ kind: exactly("vendor-vfio"), address: TEXT }, { slot: COUNT }),
  answerObject({ kind: exactly("function"), address: TEXT }),
]);

const OCCUPANT = answerObject(
  { id: TEXT, type: TEXT, count: NATURAL, parent: TEXT },
  { slot: COUNT, units: answerList(TEXT), uncertain: TEXT },
);

const CLAIMED_DEVICE = answerObject(
  {
    identity: IDENTITY,
    parent: TEXT,
    type: TEXT,
    count: NATURAL,
    values: answerList(answerObject({ rule: TEXT, attribute: TEXT, value: TEXT })),
    occupant: OCCUPANT,
    fingerprint: answerObject({ deviceApi: TEXT }, { build: TEXT, softwareVersion: TEXT }),
  },
  { source: TEXT, countAttribute: TEXT, units: answerList(TEXT), vacated: { const: true } },
);

const CLAIM_KEYS = {
  id: TEXT,
  state: oneOfTexts(CLAIM_STATES),
  claimant: CLAIMANT,
  host: TEXT,
  devices: { ...answerList(CLAIMED_DEVICE), minItems: 1 },
  fence: COUNT,
  principal: TEXT,
  createdAtMs: COUNT,
  restsOn: answerList(answerObject({ rule: TEXT, code: TEXT, text: TEXT, confidence: CONFIDENCE })),
  packs: answerList(PACK_USE),
};
const CLAIM_MAYBE = { expiresAtMs: COUNT, reason: CLAIM_REASON, endedAtMs: COUNT, repairsDrift: { const: true } };

/** A claim as agents are told of it. */
export const CLAIM: JsonSchema = answerObject(CLAIM_KEYS, CLAIM_MAYBE);

/** A claim as it stands in the store. */
export const CLAIM_ITEM: JsonSchema = answerObject(
  { ...CLAIM_KEYS, revision: COUNT },
  { ...CLAIM_MAYBE, notice: CLAIM_REASON },
);

/** What is in the way of a claim, or of all that a host is to do. */
export const NOTICE: JsonSchema = answerObject({ reason: CLAIM_REASON }, { claim: TEXT });

/** Where a probe's string is written. */
const PROBED = eitherOf([
  answerObject({ kind: exactly("type"), parent: TEXT, type: TEXT }),
  answerObject({ kind: exactly("device"), device: TEXT }),
]);

/** A question to a driver, as its host's agent is told of it. */
export const WANTED_PROBE: JsonSchema = answerObject({ id: TEXT, at: PROBED, version: TEXT, driverPrefix: TEXT });

/** What a driver said to a probe. */
export const PROBE_REPLY: JsonSchema = answerObject(
  {
    id: TEXT,
    outcome: eitherOf([
      answerObject({ kind: exactly("accepted") }),
      answerObject({ kind: exactly("refused"), errno: TEXT }),
      answerObject({ kind: exactly("not-asked"), reason: CLAIM_REASON }),
    ]),
  },
  { destinationVersion: TEXT },
);

/** One thing in the way of a claim, with the rules behind it. */
const REFUSAL = answerObject(
  { code: TEXT, text: TEXT },
  {
    device: COUNT,
    parent: TEXT,
    type: TEXT,
    because: answerList(answerObject({ rule: TEXT, code: TEXT, text: TEXT }, { remedy: ANYTHING })),
    short: { type: "object", additionalProperties: { type: "number" } },
  },
);

/** Hosts that were tried for a claim, with what was in the way on each. */
export const TRIED: JsonSchema = answerList(answerObject({ host: TEXT, reasons: answerList(REFUSAL) }));
