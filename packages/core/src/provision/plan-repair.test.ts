// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Claim, ClaimedDevice } from "../claim/claim.ts";
import type { ClaimState } from "../claim/claim-state.ts";
import { claimedDevice, claimOf, uuidOf } from "../claim/test-claim.ts";
import type { FoundClaim, FoundDevice, ParentFacts } from "./host-facts.ts";
import { planRepair, type DesiredClaim } from "./plan-repair.ts";

const VF = "0000:08:00.4";
const FPS = { rule: "R6", attribute: "fps", value: "30" } as const;
const DEVICE = claimedDevice(1, { values: [FPS] });
const SECOND = claimedDevice(2);
const FUNCTION_TYPE = claimedDevice(3, {
  identity: { kind: "vendor-vfio", address: VF },
  parent: VF,
  type: "nvidia-256",
});
const BARE = claimedDevice(4, { identity: { kind: "function", address: VF }, parent: VF });

const NOTHING: FoundDevice = { kind: "nothing", isDefined: false };

function there(parts: Partial<Extract<FoundDevice, { kind: "device" }>> = {}): FoundDevice {
  const shown = new Map([["fps", "30"]]);
  return {
    kind: "device",
    parent: "mtty",
    type: "mtty-1",
    maker: "unknown",
    users: [],
    shown,
    isDefined: false,
    ...parts,
  };
}

interface Case {
  readonly state?: ClaimState;
  readonly devices?: readonly [ClaimedDevice, ...ClaimedDevice[]];
  /** In the order of the devices. */
  readonly found: readonly FoundDevice[];
  readonly tool?: ParentFacts["tool"];
  readonly desired?: Omit<DesiredClaim, "claim">;
  /** Kind, event, reason, then the effects. */
  readonly plan: string;
}

const AT_VF = { parent: VF, type: "nvidia-256" };
const DRIFTED = there({ shown: new Map([["fps", "60"]]) });
const REFUSAL = { code: "fingerprint_changed", text: "the driver was updated" };

const CASES: Readonly<Record<string, Case>> = {
  "makes what is missing": { found: [NOTHING], plan: "finish provisioned: create write" },
  "is content with what is as claimed": { found: [there()], plan: "settled provisioned:" },
  "goes on with the second device after a crash between the two": {
    devices: [DEVICE, SECOND],
    found: [there(), NOTHING],
    plan: "finish provisioned: create",
  },
  "makes a device anew that was made and not set": {
    found: [DRIFTED],
    plan: "finish provisioned: remove create write",
  },
  "makes a device anew whose value cannot be read": {
    found: [there({ shown: new Map() })],
    plan: "finish provisioned: remove create write",
  },
  "makes devices again after a reboot": { state: "bound", found: [NOTHING], plan: "finish provisioned: create write" },
  "reports drift and leaves it": { state: "bound", found: [DRIFTED], plan: "blocked device_drifted:" },
  "repairs drift on request": {
    state: "bound",
    found: [DRIFTED],
    desired: { repairsDrift: true },
    plan: "finish provisioned: remove create write",
  },
  "repairs no drift under a user": {
    state: "attached",
    found: [there({ shown: new Map(), users: ["web-1"] })],
    desired: { repairsDrift: true },
    plan: "blocked device_in_use:",
  },
  "takes back the first device where the second may not be made": {
    devices: [DEVICE, SECOND],
    found: [there(), NOTHING],
    desired: { refusal: REFUSAL },
    plan: "undo refused fingerprint_changed: remove",
  },
  "leaves what is as claimed, whatever may not be made anew": {
    found: [there()],
    desired: { refusal: REFUSAL },
    plan: "settled provisioned:",
  },
  "refuses at once where nothing was made": {
    found: [NOTHING],
    desired: { refusal: REFUSAL },
    plan: "settled refused fingerprint_changed:",
  },
  "touches nothing of a claim that it would refuse while a part is used": {
    devices: [DEVICE, SECOND],
    found: [there({ users: ["web-1"] }), NOTHING],
    desired: { refusal: REFUSAL },
    plan: "blocked fingerprint_changed:",
  },
  "leaves a stranger with the same UUID alone, and refuses": {
    devices: [DEVICE, SECOND],
    found: [there({ type: "mtty-2" }), there()],
    plan: "undo refused claim_stranger: remove",
  },
  "takes a device of the same UUID on another parent for a stranger": {
    found: [there({ parent: "other" })],
    plan: "settled refused claim_stranger:",
  },
  "takes a device for a stranger that was made for another claim": {
    found: [there({ maker: "other" })],
    plan: "settled refused claim_stranger:",
  },
  "does not guess whose a device is whose type cannot be read": {
    found: [{ kind: "device", parent: "mtty", maker: "claim", users: [], shown: new Map(), isDefined: false }],
    plan: "blocked device_owner_unknown:",
  },
  "does not guess whose a type of a function is without a record": {
    devices: [FUNCTION_TYPE],
    found: [there(AT_VF)],
    plan: "blocked device_owner_unknown:",
  },
  "knows its own function by its record": {
    devices: [FUNCTION_TYPE],
    found: [there({ ...AT_VF, maker: "claim" })],
    plan: "settled provisioned:",
  },
  "refuses a function that has another type": {
    devices: [FUNCTION_TYPE],
    found: [there({ ...AT_VF, type: "nvidia-257", maker: "claim" })],
    plan: "settled refused claim_stranger:",
  },
  "makes nothing of a function as it is": { devices: [BARE], found: [NOTHING], plan: "settled provisioned:" },
  "defines anew what was defined and never started": {
    tool: "mdevctl",
    found: [{ kind: "nothing", isDefined: true }],
    plan: "finish provisioned: undefine define start check",
  },
  "takes the device away": { state: "releasing", found: [there()], plan: "undo cleared: remove" },
  "takes the last device away first": {
    state: "releasing",
    devices: [DEVICE, FUNCTION_TYPE],
    found: [there(), there({ ...AT_VF, maker: "claim" })],
    plan: "undo cleared: set-vgpu-type remove",
  },
  "goes on after a crash between two removals": {
    state: "releasing",
    devices: [DEVICE, SECOND],
    found: [there(), NOTHING],
    plan: "undo cleared: remove",
  },
  "proves that nothing is left": { state: "releasing", found: [NOTHING], plan: "settled cleared:" },
  "takes nothing away under a user": {
    state: "releasing",
    devices: [DEVICE, SECOND],
    found: [there(), there({ users: ["qemu 4711"] })],
    plan: "blocked device_in_use:",
  },
  "has nothing left where a stranger has the address now": {
    state: "releasing",
    devices: [FUNCTION_TYPE],
    found: [there({ ...AT_VF, maker: "other" })],
    plan: "settled cleared:",
  },
  "does not clear what may be its own": {
    state: "releasing",
    devices: [FUNCTION_TYPE],
    found: [there(AT_VF)],
    plan: "blocked device_owner_unknown:",
  },
  "takes away what a committed move has left": {
    state: "releasing",
    devices: [{ ...FUNCTION_TYPE, vacated: true }],
    found: [there(AT_VF)],
    plan: "undo cleared: set-vgpu-type",
  },
  "takes a definition away that outlived its device": {
    state: "releasing",
    tool: "mdevctl",
    found: [{ kind: "nothing", isDefined: true }],
    plan: "undo cleared: undefine",
  },
  "leaves a definition alone that is not Berth's": {
    state: "releasing",
    found: [{ kind: "nothing", isDefined: true }],
    plan: "settled cleared:",
  },
  "leaves a definition alone that a committed move has left": {
    state: "releasing",
    tool: "mdevctl",
    devices: [{ ...DEVICE, vacated: true }],
    found: [{ kind: "nothing", isDefined: true }],
    plan: "settled cleared:",
  },
  "stops and undefines what mdevctl made": {
    state: "releasing",
    tool: "mdevctl",
    found: [there({ isDefined: true })],
    plan: "undo cleared: stop undefine",
  },
  "stops what has lost its definition": {
    state: "releasing",
    tool: "mdevctl",
    found: [there()],
    plan: "undo cleared: stop",
  },
  "leaves a function as it is where a claim of it ends": {
    state: "releasing",
    devices: [BARE],
    found: [there({ parent: VF })],
    plan: "settled cleared:",
  },
};

function describePlan({
  state = "provisioning",
  devices = [DEVICE],
  found,
  tool = "sysfs",
  desired = {},
}: Case): string {
  const claim: Claim = claimOf({ state, devices });
  const at: FoundClaim = {
    facts: new Map([
      ["mtty", { framework: "mdev", create: "plain", tool }],
      [VF, { framework: devices[0] === BARE ? "function" : "vendor-vfio", create: "plain", tool: "sysfs" }],
    ]),
    devices: new Map(devices.map(({ occupant }, index) => [occupant.id, found[index] ?? NOTHING])),
  };
  const plan = planRepair({ claim, ...desired }, at);
  const event = plan.kind === "blocked" ? "" : ` ${plan.event}`;
  const reason = "reason" in plan && plan.reason !== undefined ? ` ${plan.reason.code}` : "";
  const effects = "steps" in plan ? plan.steps.map(({ effect }) => ` ${effect.kind}`).join("") : "";
  return `${plan.kind}${event}${reason}:${effects}`;
}

describe("planRepair()", () => {
  for (const [name, example] of Object.entries(CASES)) {
    it(name, () => {
      assert.equal(describePlan(example), example.plan);
    });
  }

  for (const state of ["held", "released", "failed", "expired"] as const) {
    it(`throws for a claim that is ${state}, which agents do not see`, () => {
      assert.throws(() => describePlan({ state, found: [there()], plan: "" }), RangeError);
    });
  }

  it("refuses where the parent is gone, and takes the rest back", () => {
    const claim = claimOf({ state: "provisioning", devices: [DEVICE, claimedDevice(2, { parent: "gone" })] });
    const facts = new Map([["mtty", { framework: "mdev", create: "plain", tool: "sysfs" }]] as const);
    const plan = planRepair({ claim }, { facts, devices: new Map([[uuidOf(1), there()]]) });
    assert.equal(plan.kind === "undo" && `${plan.event} ${plan.reason?.code}`, "refused parent_gone");
  });
});
