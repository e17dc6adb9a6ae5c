// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { absent, unreadable } from "../../device/evidence.ts";
import type { MigrationProfile } from "../../device/migration-profile.ts";
import { linesOf, pairOf, profile } from "../test-profile.ts";
import { checkDynamicResources } from "./dynamic-resources.ts";

const BOTH = ["aggregator", "fps"];
const SOURCE = profile({ dynamicResources: BOTH, dynamicValues: { aggregator: "30", fps: "60" } });
const TYPE = profile({ subject: "type", dynamicResources: BOTH });
const { evidence } = SOURCE.type;

function withValue(
  base: MigrationProfile,
  name: string,
  value: MigrationProfile["dynamicValues"][string],
): MigrationProfile {
  return { ...base, dynamicValues: { ...base.dynamicValues, [name]: value } };
}
function withList(base: MigrationProfile, list: MigrationProfile["attributes"]["dynamicResources"]): MigrationProfile {
  return { ...base, attributes: { ...base.attributes, dynamicResources: list } };
}

const DEVICE = profile({ dynamicResources: BOTH, dynamicValues: { aggregator: "1", fps: "60" } });

const CASES: Record<string, { from: MigrationProfile; to: MigrationProfile; lines: string[] }> = {
  "says nothing where the source lists nothing": { from: profile(), to: profile({ subject: "type" }), lines: [] },
  "notes what the destination alone lists": {
    from: profile(),
    to: TYPE,
    lines: ["note dynamic_resources_destination_only"],
  },
  "claims every value at a type, in listed order": {
    from: SOURCE,
    to: TYPE,
    lines: ["claim aggregator=30", "claim fps=60"],
  },
  "keeps the order of the list, not of the alphabet": {
    from: profile({ dynamicResources: ["fps", "aggregator"], dynamicValues: { aggregator: "30", fps: "60" } }),
    to: TYPE,
    lines: ["claim fps=60", "claim aggregator=30"],
  },
  "claims a name once": {
    from: profile({ dynamicResources: ["fps", "fps"], dynamicValues: { fps: "60" } }),
    to: TYPE,
    lines: ["claim fps=60"],
  },
  "is undetermined where the type does not list a name": {
    from: SOURCE,
    to: profile({ subject: "type", dynamicResources: ["aggregator"] }),
    lines: ["missing dynamic_resource_unlisted", "claim aggregator=30"],
  },
  "is undetermined where the type lists nothing": {
    from: SOURCE,
    to: profile({ subject: "type" }),
    lines: ["missing dynamic_resource_unlisted", "missing dynamic_resource_unlisted"],
  },
  "lacks a value of the source": {
    from: profile({ dynamicResources: ["fps"] }),
    to: TYPE,
    lines: ["missing dynamic_value_unknown"],
  },
  "lacks an unreadable value of the source": {
    from: withValue(SOURCE, "fps", unreadable("EIO", evidence)),
    to: TYPE,
    lines: ["missing dynamic_value_unknown", "claim aggregator=30"],
  },
  "lacks an unreadable list of the source": {
    from: withList(SOURCE, unreadable("EIO", evidence)),
    to: TYPE,
    lines: ["missing dynamic_resources_unreadable"],
  },
  "lacks an unreadable list of the destination": {
    from: SOURCE,
    to: withList(TYPE, unreadable("EIO", evidence)),
    lines: ["missing dynamic_resources_unreadable"],
  },
  "claims at a device only what differs": { from: SOURCE, to: DEVICE, lines: ["claim aggregator=30"] },
  "D7 takes 0x10 and 16 for equal": {
    from: profile({ dynamicResources: ["fps"], dynamicValues: { fps: "0x10" } }),
    to: profile({ dynamicResources: ["fps"], dynamicValues: { fps: "16" } }),
    lines: [],
  },
  "D8 refuses an attribute that the device does not have": {
    from: SOURCE,
    to: withValue(DEVICE, "aggregator", absent(evidence)),
    lines: ["no dynamic_resource_absent"],
  },
  "D8 warns where an absent aggregator is the default anyway": {
    from: profile({ dynamicResources: ["aggregator"], dynamicValues: { aggregator: "1" } }),
    to: withValue(DEVICE, "aggregator", absent(evidence)),
    lines: ["note dynamic_resource_default"],
  },
  "D8 knows no default of other attributes": {
    from: profile({ dynamicResources: ["fps"], dynamicValues: { fps: "1" } }),
    to: withValue(DEVICE, "fps", absent(evidence)),
    lines: ["no dynamic_resource_absent"],
  },
  "lacks a value of the device that cannot be read": {
    from: SOURCE,
    to: withValue(DEVICE, "fps", unreadable("EIO", evidence)),
    lines: ["missing dynamic_value_unknown", "claim aggregator=30"],
  },
  "lacks a listed value of the device that was not read": {
    from: SOURCE,
    to: profile({ dynamicResources: BOTH, dynamicValues: { fps: "60" } }),
    lines: ["missing dynamic_value_unknown"],
  },
  "2.4 writes no count of 0, which means one unit that cannot be set": {
    from: profile({
      dynamicResources: ["mdev/aggregated_instances"],
      dynamicValues: { "mdev/aggregated_instances": "0" },
    }),
    to: profile({ subject: "type", dynamicResources: ["mdev/aggregated_instances"] }),
    lines: ["note dynamic_resource_default"],
  },
  "claims a vendor's own path": {
    from: profile({ dynamicResources: ["intel_vgpu/aggregator"], dynamicValues: { "intel_vgpu/aggregator": "2" } }),
    to: profile({ subject: "type", dynamicResources: ["intel_vgpu/aggregator"] }),
    lines: ["claim intel_vgpu/aggregator=2"],
  },
};

for (const path of ["../remove", "/sys/x", "a//b", "a/../../b", "", "a b", "."]) {
  CASES[`never claims ${JSON.stringify(path)}`] = {
    from: profile({ dynamicResources: [path], dynamicValues: { [path]: "1" } }),
    to: profile({ subject: "type", dynamicResources: [path] }),
    lines: ["missing dynamic_resource_unsafe"],
  };
}

describe("checkDynamicResources()", () => {
  for (const [name, { from, to, lines }] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(linesOf(checkDynamicResources(pairOf(from, to))), lines));
  }
});
