// SPDX-License-Identifier: Apache-2.0

import type { JsonSchema } from "./json-schema.ts";
import {
  BOOLEAN,
  closedObject,
  eitherOf,
  exactly,
  integerFrom,
  listOf,
  mapOf,
  oneOfTexts,
  published,
  textLike,
  textUpTo,
} from "./json-schema.ts";

/** A fact that was there and could not be read or parsed, with the raw text where there was one. */
const UNREADABLE = closedObject(
  { unreadable: textUpTo(500, "why it could not be read") },
  { text: { type: "string", maxLength: 4096 } },
);

/** A fact: its value, or the mark that it could not be read. A fact that is not there is left out. */
function readable(schema: JsonSchema): JsonSchema {
  return eitherOf([schema, UNREADABLE]);
}

/** A text as a driver prints it, at most 4096 characters; whether it parses is for the rules to say. */
const RAW: JsonSchema = { type: "string", maxLength: 4096, description: "a text of at most 4096 characters" };
const TEXT = readable(RAW);
const TEXTS = readable(listOf(textUpTo(4096)));
const BYTE = { ...integerFrom(0), maximum: 255, description: "a number from 0 to 255" };
const BYTES = listOf(BYTE);
const APQN = textLike("^[0-9a-f]{2}\\.[0-9a-f]{4}$", "a queue such as 01.0005, hexadecimal, lower case");
const HEX4 = textLike("^[0-9a-f]{4}$", "four hexadecimal digits, lower case");
const FACT = textLike("^[a-z][a-z0-9_.-]{0,63}$", "a fact name: lower case, digits, _ . -, at most 64 characters");
const NAME = textUpTo(255, "a name");

/** Written as a list where a name must stand without a value, or as an object, whose order counts. */
const RESOURCE_VALUE = eitherOf([RAW, { type: "integer" }, UNREADABLE]);
const RESOURCES = eitherOf([
  listOf(closedObject({ name: NAME }, { value: RESOURCE_VALUE })),
  mapOf(NAME, RESOURCE_VALUE),
  UNREADABLE,
]);

const MODULE = closedObject({ name: NAME }, { version: TEXT, srcversion: TEXT, buildId: TEXT, taint: TEXT });

/** vfio-ap: the matrix of one device (section 7.1). */
const AP = closedObject(
  {},
  {
    matrix: readable(listOf(APQN)),
    guestMatrix: readable(listOf(APQN)),
    controlDomains: readable(BYTES),
    apConfig: readable(closedObject({ adapters: BYTES, domains: BYTES, controlDomains: BYTES })),
  },
);

/** vfio-ap: what the host of this end offers. */
const AP_BUS = closedObject(
  {
    queues: listOf(
      closedObject(
        { apqn: APQN },
        { driver: TEXT, hardwareType: readable(integerFrom(0)), cardType: TEXT, functions: TEXT },
      ),
    ),
  },
  {
    controlDomains: readable(BYTES),
    maxAdapterId: readable(BYTE),
    maxDomainId: readable(BYTE),
    hostAdapters: readable(BYTES),
    hostDomains: readable(BYTES),
    features: TEXTS,
  },
);

/** vfio-ccw: the subchannel and its paths (section 7.2). */
const SUBCHANNEL = closedObject(
  { id: textLike("^[0-9a-f]{1,2}\\.[0-3]\\.[0-9a-f]{4}$", "a subchannel id such as 0.0.0313") },
  { type: readable(integerFrom(0)), chpids: TEXTS, chpidTypes: TEXTS },
);

/** The published schema of a migration profile file: one end of a move, flat, as a person would write it. */
export const PROFILE_SCHEMA: JsonSchema = published(
  "profile:v1",
  "Berth migration profile",
  closedObject(
    {
      profile: exactly("berth.profile/v1"),
      host: NAME,
      kind: oneOfTexts(["device", "type"]),
      parent: NAME,
      id: NAME,
    },
    {
      framework: oneOfTexts(["mdev", "vendor-vfio", "function"]),
      driver: TEXT,
      deviceApi: TEXT,
      type: TEXT,
      softwareVersion: TEXT,
      compatibleTypes: TEXTS,
      compatible: mapOf(NAME, TEXTS),
      dynamicResources: RESOURCES,
      migrationVersion: TEXT,
      module: readable(MODULE),
      kernel: closedObject({}, { release: TEXT, version: TEXT }),
      firmware: TEXT,
      pciIds: readable(closedObject({ vendor: HEX4, device: HEX4, subsystemVendor: HEX4, subsystemDevice: HEX4 })),
      aggregation: readable(
        closedObject({ count: integerFrom(1) }, { attribute: NAME, settable: BOOLEAN, max: integerFrom(1) }),
      ),
      ap: AP,
      apBus: AP_BUS,
      apTaken: listOf(APQN),
      subchannel: SUBCHANNEL,
      features: readable(closedObject({ stopCopy: BOOLEAN, p2p: BOOLEAN, preCopy: BOOLEAN, dirtyTracking: BOOLEAN })),
      facts: mapOf(FACT, eitherOf([RAW, { type: "number" }, BOOLEAN, UNREADABLE])),
    },
  ),
);
