// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import type { Claim, ClaimedDevice } from "../claim/claim.ts";
import { claimedDevice, claimOf } from "../claim/test-claim.ts";
import { devicePath, expectationsOf } from "./device-steps.ts";
import type { HostFacts, ParentFacts } from "./host-facts.ts";
import { planProvision, planUnprovision } from "./plan-provision.ts";
import { planRepair } from "./plan-repair.ts";
import type { Step } from "./step.ts";
import {
  applyModel,
  EMPTY_HOST,
  executeModel,
  findModel,
  readModel,
  type ModelDevice,
  type ModelHost,
} from "./test-host.ts";

const STRANGER: ModelDevice = { parent: "mtty", type: "mtty-2", attributes: new Map(), users: ["somebody"] };
const HOST: ModelHost = {
  devices: new Map([
    ["ffffffff-0000-4000-8000-000000000000", STRANGER],
    ["0000:08:01.7", { ...STRANGER, type: "nvidia-231" }],
  ]),
  definitions: new Map([["mtty/ffffffff-0000-4000-8000-000000000001", "{}"]]),
};

/** Devices of every kind; the values of some cannot be set, so that their making fails in the middle. */
const KINDS: readonly ((index: number) => ClaimedDevice)[] = [
  (index) => claimedDevice(index),
  (index) => claimedDevice(index, { values: [{ rule: "R6", attribute: "fps", value: "30" }] }),
  (index) =>
    claimedDevice(index, {
      count: 3,
      countAttribute: "aggregator",
      values: [
        { rule: "R6", attribute: "aggregator", value: "3" },
        { rule: "R6", attribute: "fps", value: "60" },
      ],
    }),
  (index) =>
    claimedDevice(index, {
      units: ["01.0005"],
      values: [
        { rule: "R9", attribute: "assign_adapter", value: "1" },
        { rule: "R9", attribute: "assign_domain", value: "5" },
      ],
    }),
  (index) => claimedDevice(index, { values: [{ rule: "R9", attribute: "ap_config", value: "0x1,0x2,0x3" }] }),
  (index) => {
    const address = `0000:08:00.${index}`;
    return claimedDevice(index, { identity: { kind: "vendor-vfio", address }, parent: address, type: "nvidia-256" });
  },
  (index) => claimedDevice(index, { values: [{ rule: "R6", attribute: "nowhere", value: "1" }] }),
];
const FAILS = KINDS.length - 1;

const tools = fc.constantFrom<ParentFacts["tool"]>("sysfs", "mdevctl");
const kinds = fc.array(fc.nat({ max: FAILS }), { minLength: 1, maxLength: 4 });

function claimOfKinds(wished: readonly number[]): Claim {
  const [first, ...rest] = wished.map((kind, index) => KINDS[kind]?.(index + 1) ?? claimedDevice(index + 1));
  assert.ok(first !== undefined);
  return claimOf({ state: "provisioning", devices: [first, ...rest] });
}

function factsOf(claim: Claim, tool: ParentFacts["tool"]): HostFacts {
  return new Map(
    claim.devices.map(({ parent, identity }): readonly [string, ParentFacts] => [
      parent,
      { framework: identity.kind, create: "plain", tool: identity.kind === "mdev" ? tool : "sysfs" },
    ]),
  );
}

function stepsOf(claim: Claim, facts: HostFacts): readonly Step[] {
  const plan = planProvision(claim, facts);
  assert.ok(plan.kind === "planned");
  return plan.steps;
}

function undo(host: ModelHost, begun: readonly Step[]): ModelHost {
  return begun.toReversed().reduce((now, step) => (step.undo === undefined ? now : applyModel(now, step.undo)), host);
}

function assertAsClaimed(host: ModelHost, claim: Claim, facts: HostFacts): void {
  for (const device of claim.devices) {
    const at = facts.get(device.parent);
    const found = host.devices.get(device.occupant.id);
    assert.equal(found?.type, device.type);
    for (const { attribute, expected } of at === undefined ? [] : expectationsOf(device, at)) {
      assert.equal(readModel(host, devicePath(device.occupant.id, attribute)), expected);
    }
  }
}

it("P21: the undos of any steps begun, in reverse, leave the host as it was", () => {
  fc.assert(
    fc.property(kinds, tools, fc.nat({ max: 20 }), (wished, tool, most) => {
      const claim = claimOfKinds(wished);
      let host = HOST;
      const begun: Step[] = [];
      for (const step of stepsOf(claim, factsOf(claim, tool)).slice(0, most)) {
        try {
          host = executeModel(host, step);
        } catch {
          break;
        }
        begun.push(step);
      }
      assert.deepEqual(undo(host, begun), HOST);
    }),
    { numRuns: 250 },
  );
});

it("P22: all steps make what was claimed, and unmaking leaves the host as it was", () => {
  fc.assert(
    fc.property(kinds, tools, (wished, tool) => {
      const claim = claimOfKinds(wished.map((kind) => kind % FAILS));
      const facts = factsOf(claim, tool);
      const made = stepsOf(claim, facts).reduce(executeModel, HOST);
      assertAsClaimed(made, claim, facts);
      assert.deepEqual(planUnprovision(claim, facts).reduce(executeModel, made), HOST);
    }),
    { numRuns: 200 },
  );
});

/** An agent that dies after some steps each time it looks, and at last does not die any more. */
function repair(
  host: ModelHost,
  claim: Claim,
  how: { readonly facts: HostFacts; readonly deaths: readonly number[] },
): [ModelHost, string] {
  // Intent is stored before an effect, so the record names every device that may have been made.
  const made = new Set(claim.devices.map(({ occupant }) => occupant.id));
  let now = host;
  let refusal: { readonly code: string; readonly text: string } | undefined;
  for (const steps of [...how.deaths, ...Array.from({ length: 6 }, () => 99)]) {
    const found = findModel(now, claim.devices, { facts: how.facts, made });
    const plan = planRepair({ claim, ...(refusal === undefined ? {} : { refusal }) }, found);
    if (plan.kind === "settled" || plan.kind === "blocked")
      return [now, plan.kind === "settled" ? plan.event : plan.reason.code];
    for (const step of plan.steps.slice(0, steps)) {
      try {
        now = executeModel(now, step);
      } catch (error) {
        refusal = { code: "step_failed", text: String(error) };
        // A step whose read-back failed may have been done: the next look sees.
        break;
      }
    }
  }
  return [now, "never settled"];
}

it("P23: whatever step an agent dies at, what it finds is enough to finish, or to undo where a step fails", () => {
  fc.assert(
    fc.property(kinds, tools, fc.array(fc.nat({ max: 5 }), { maxLength: 4 }), (wished, tool, deaths) => {
      const claim = claimOfKinds(wished);
      const facts = factsOf(claim, tool);
      const [host, event] = repair(HOST, claim, { facts, deaths });
      assert.equal(event, wished.includes(FAILS) ? "refused" : "provisioned");
      if (event === "provisioned") assertAsClaimed(host, claim, facts);
      else assert.deepEqual(host, HOST);
    }),
    { numRuns: 250 },
  );
});

it("P24: whatever step an agent dies at while it unmakes, nothing is left in the end, and nobody else's is touched", () => {
  fc.assert(
    fc.property(kinds, tools, fc.array(fc.nat({ max: 3 }), { maxLength: 4 }), (wished, tool, deaths) => {
      const claim = claimOfKinds(wished.map((kind) => kind % FAILS));
      const facts = factsOf(claim, tool);
      const steps = stepsOf(claim, facts);
      // The release may come while the making is half done.
      const made = steps.slice(0, deaths[0] ?? steps.length).reduce(executeModel, HOST);
      assert.deepEqual(repair(made, { ...claim, state: "releasing" }, { facts, deaths }), [HOST, "cleared"]);
    }),
    { numRuns: 250 },
  );
});

it("P25: a device that is in use is never written to nor taken away, whatever is wanted", () => {
  fc.assert(
    fc.property(
      kinds,
      tools,
      fc.nat(),
      fc.constantFrom("provisioning", "bound", "attached", "releasing"),
      (wished, tool, at, state) => {
        const claim = claimOfKinds(wished.map((kind) => kind % FAILS));
        const facts = factsOf(claim, tool);
        const made = stepsOf(claim, facts).reduce(executeModel, EMPTY_HOST);
        const used = claim.devices[at % claim.devices.length]?.occupant.id ?? "";
        const device = made.devices.get(used);
        assert.ok(device !== undefined);
        const host = {
          ...made,
          devices: new Map([...made.devices, [used, { ...device, attributes: new Map(), users: ["vm"] }]]),
        };
        // The model throws for every effect on a device that is in use; repair would then never settle.
        const [after, event] = repair(host, { ...claim, state }, { facts, deaths: [] });
        assert.deepEqual(after.devices.get(used), host.devices.get(used));
        assert.ok(event === "device_in_use" || (event === "provisioned" && state !== "releasing"), event);
      },
    ),
    { numRuns: 200 },
  );
});
