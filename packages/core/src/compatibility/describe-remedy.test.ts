// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeRemedy } from "./describe-remedy.ts";
import type { Remedy } from "./verdict.ts";

const CASES: readonly (readonly [Remedy, string])[] = [
  [{ kind: "recreate", type: "dsa-1dwq", count: 30 }, "Re-create the destination device as dsa-1dwq x 30"],
  [{ kind: "recreate", type: "nvidia-231" }, "Re-create the destination device as nvidia-231"],
  [{ kind: "set", attribute: "aggregator", value: "30" }, "Set aggregator of the destination device to 30"],
  [{ kind: "upgrade-driver", driver: "i915", atLeast: "1.5.0" }, "Upgrade i915 at the destination to 1.5.0 or newer"],
  [
    { kind: "upgrade-driver", driver: "i915", atLeast: "1.5.0", below: "2.0.0" },
    "Upgrade i915 at the destination to 1.5.0 or newer, below 2.0.0",
  ],
  [{ kind: "upgrade-driver", driver: "QEMU", atLeast: "8.1.0", on: "a" }, "Upgrade QEMU on a to 8.1.0 or newer"],
  [
    { kind: "match-driver", driver: "nvidia", version: "550.1" },
    "Run nvidia 550.1 at the destination, as at the source",
  ],
  [{ kind: "free", count: 2, type: "nvidia-232", on: "b:0000:00:10.0" }, "Free 2 x nvidia-232 on b:0000:00:10.0"],
  [
    { kind: "empty", on: "b:x", types: ["nvidia-232", "nvidia-233"] },
    "Move everything off b:x: it holds nvidia-232, nvidia-233",
  ],
  [{ kind: "empty", on: "b:x", types: [] }, "Move everything off b:x: it holds another type"],
  [{ kind: "change-setting", setting: "ecc_mode", value: "off" }, "Set ecc_mode to off"],
  [{ kind: "allow", policy: "hybrid" }, "Allow it in the policy: hybrid"],
  [
    { kind: "declare", fact: "signature" },
    "Declare the fact signature, by a fact script on the host or in the policy file",
  ],
  [{ kind: "probe" }, "Ask the destination's driver by an explicit probe"],
  [{ kind: "move-cold" }, "Move the VM cold: shut it down, move it, start it there"],
];

describe("describeRemedy()", () => {
  for (const [remedy, text] of CASES) it(text, () => assert.equal(describeRemedy(remedy), text));
});
