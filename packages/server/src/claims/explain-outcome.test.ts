// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ClaimRefusal, ClaimRefusalCode } from "@berth/core/claim/claim-request";
import { outcomeOfHost } from "./explain-outcome.ts";

/** `code` is of all devices, `code 0` of the first. */
function reasons(...texts: readonly string[]): readonly ClaimRefusal[] {
  return texts.map((text) => {
    const [code, device] = text.split(" ") as [ClaimRefusalCode, string?];
    return { code, text, ...(device === undefined ? {} : { device: Number(device) }) };
  });
}

describe("outcomeOfHost()", () => {
  const CASES: Record<string, readonly [string, ...string[]]> = {
    "takes the nearest place of a device": [
      "no-room",
      "claim_incompatible 0",
      "claim_no_room 0",
      "claim_undetermined 0",
    ],
    "takes unknown room for unknown, not for none": ["unknown", "claim_room_unknown 0", "claim_incompatible 0"],
    "takes the worst served of several devices": ["no", "claim_no_room 0", "claim_incompatible 1", "claim_no_room 2"],
    "knows nothing where one device is not known": ["unknown", "claim_no_room 0", "claim_undetermined 1"],
    "finds no room for all together": ["no-room", "claim_not_together"],
    "does not say so where some room is not known": ["unknown", "claim_not_together", "claim_room_unknown 1"],
    "does not know what could not all be tried": ["unknown", "claim_search_bounded"],
    "says no where the platform does": ["no", "claim_platform_incompatible"],
    "does not know of a silent host": ["unknown", "host_silent"],
    "says no of a cordoned host": ["no", "host_cordoned"],
    "sees no room where somebody took it": ["no-room", "claim_stranger 0"],
  };
  for (const [name, [outcome, ...texts]] of Object.entries(CASES)) {
    it(name, () => assert.equal(outcomeOfHost(reasons(...texts)), outcome));
  }
});
