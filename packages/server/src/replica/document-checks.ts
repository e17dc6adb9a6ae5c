// SPDX-License-Identifier: Apache-2.0

import { CLAIM_STATES } from "@berth/core/claim/claim-state";
import { CONFIDENCES } from "@berth/core/compatibility/verdict";
import {
  COUNT,
  isA,
  listOf,
  objectOf,
  oneOf,
  POSITIVE,
  taggedBy,
  TEXT,
  type ValueCheck,
} from "@berth/core/report/value-check";

/** What documents of the store are held against when they are read. Members that are not known pass. */

const TEXTS = listOf(TEXT);
/** Milliseconds since 1970. */
const TIME = isA("a time in milliseconds", (value) => typeof value === "number" && Number.isFinite(value));
const REASON = objectOf({ code: TEXT, text: TEXT });

const OCCUPANT = objectOf(
  { id: TEXT, type: TEXT, count: POSITIVE, parent: TEXT },
  { slot: COUNT, units: TEXTS, uncertain: TEXT },
);

const CLAIMED_DEVICE = objectOf(
  {
    identity: taggedBy("kind", {
      mdev: objectOf({ uuid: TEXT }),
      "vendor-vfio": objectOf({ address: TEXT }, { slot: COUNT }),
      function: objectOf({ address: TEXT }),
    }),
    parent: TEXT,
    type: TEXT,
    count: POSITIVE,
    values: listOf(objectOf({ rule: TEXT, attribute: TEXT, value: TEXT })),
    occupant: OCCUPANT,
    fingerprint: objectOf({ deviceApi: TEXT }, { build: TEXT, softwareVersion: TEXT }),
  },
  { source: TEXT, countAttribute: TEXT, units: TEXTS, vacated: isA("true", (value) => value === true) },
);

export const CLAIM: ValueCheck = objectOf(
  {
    id: TEXT,
    state: oneOf(...CLAIM_STATES),
    claimant: taggedBy("kind", {
      device: objectOf({ host: TEXT, device: TEXT }),
      vm: objectOf({ host: TEXT, vm: TEXT }),
      profile: objectOf({}),
    }),
    host: TEXT,
    devices: listOf(CLAIMED_DEVICE),
    fence: COUNT,
    principal: TEXT,
    createdAtMs: TIME,
    restsOn: listOf(objectOf({ rule: TEXT, code: TEXT, text: TEXT, confidence: oneOf(...CONFIDENCES) })),
    packs: listOf(objectOf({ name: TEXT, version: TEXT, digest: TEXT })),
  },
  { expiresAtMs: TIME, reason: REASON, endedAtMs: TIME },
);

const SESSIONS = isA(
  "two sessions",
  (value) => Array.isArray(value) && value.length === 2 && value.every((session) => typeof session === "string"),
);

export const AGENT: ValueCheck = objectOf(
  { host: TEXT, credential: TEXT, enrolledAtMs: TIME, enrolledBy: TEXT, generation: COUNT, replaced: TEXTS },
  { version: TEXT, session: TEXT, conflict: objectOf({ sinceMs: TIME, sessions: SESSIONS }), revokedAtMs: TIME },
);

export const REPORTED: ValueCheck = objectOf({ generation: COUNT, sequence: COUNT, digest: TEXT, atMs: TIME });

export const CORDON: ValueCheck = objectOf({ host: TEXT, principal: TEXT, atMs: TIME }, { reason: TEXT });

export const ADOPTION: ValueCheck = objectOf({ host: TEXT, parents: TEXTS, vms: TEXTS });

export const PRESENCE: ValueCheck = objectOf({ replica: TEXT, hosts: TEXTS });

const REPLY = objectOf(
  {
    id: TEXT,
    outcome: taggedBy("kind", {
      accepted: objectOf({}),
      refused: objectOf({ errno: TEXT }),
      "not-asked": objectOf({ reason: REASON }),
    }),
  },
  { destinationVersion: TEXT },
);

export const PROBE: ValueCheck = objectOf(
  {
    id: TEXT,
    host: TEXT,
    wanted: objectOf({
      id: TEXT,
      at: taggedBy("kind", { type: objectOf({ parent: TEXT, type: TEXT }), device: objectOf({ device: TEXT }) }),
      version: TEXT,
      driverPrefix: TEXT,
    }),
    pairKey: TEXT,
    source: objectOf({ host: TEXT, subject: TEXT }),
    principal: TEXT,
    createdAtMs: TIME,
  },
  { reply: REPLY, answeredAtMs: TIME },
);
