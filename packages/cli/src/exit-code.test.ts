// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Verdict } from "@berth/core/compatibility/verdict";
import type { Room } from "@berth/core/capacity/pool";
import { exitCodeOfCheck } from "./exit-code.ts";

const EVIDENCE = { agreements: [], claims: [], notes: [], packs: [] };
const FINDING = { rule: "R4", code: "x", text: "x" } as const;
const YES: Verdict = {
  ...EVIDENCE,
  kind: "compatible",
  confidence: "declared",
  restsOn: [{ ...FINDING, confidence: "declared" }],
};
const NO: Verdict = { ...EVIDENCE, kind: "incompatible", reasons: [FINDING], missing: [] };
const UNKNOWN: Verdict = { ...EVIDENCE, kind: "undetermined", missing: [FINDING] };
const FREE: Room = { atLeast: 1, atMost: 1 };
const FULL: Room = { atLeast: 0, atMost: 0 };
const PERHAPS: Room = { atLeast: 0, atMost: 4 };

const CASES: Record<string, [verdict: Verdict, platform: Verdict, room: Room | undefined, code: number]> = {
  "is 0 for two yeses and room": [YES, YES, FREE, 0],
  "is 0 for two yeses where room is not a question": [YES, YES, undefined, 0],
  "is 3 for a no of the device pair": [NO, YES, FREE, 3],
  "is 3 for a no of the platform": [YES, NO, FREE, 3],
  "is 3 for a no beside an unknown": [UNKNOWN, NO, FREE, 3],
  "is 4 for an unknown device pair": [UNKNOWN, YES, FREE, 4],
  "is 4 for an unknown platform": [YES, UNKNOWN, FREE, 4],
  "is 4, not 5, for an unknown without room": [YES, UNKNOWN, FULL, 4],
  "is 5 for a yes without room": [YES, YES, FULL, 5],
  "is 4 for a yes where room is not known": [YES, YES, PERHAPS, 4],
};

describe("exitCodeOfCheck()", () => {
  for (const [name, [verdict, platform, room, code]] of Object.entries(CASES)) {
    it(name, () => assert.equal(exitCodeOfCheck({ verdict, platform, room }), code));
  }
});
