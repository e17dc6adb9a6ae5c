// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ClaimedDevice } from "../claim/claim.ts";
import { claimedDevice, claimOf, uuidOf } from "../claim/test-claim.ts";
import type { HostFacts, ParentFacts } from "./host-facts.ts";
import { planProvision, planUnprovision } from "./plan-provision.ts";
import type { Effect, Step } from "./step.ts";

const UUID = uuidOf(1);
const VF = "0000:08:00.4";

function factsOf(parts: Partial<ParentFacts> = {}, parent = "mtty"): HostFacts {
  return new Map([[parent, { framework: "mdev", create: "plain", tool: "sysfs", ...parts }]]);
}

function stepsOf(device: Partial<ClaimedDevice>, facts: HostFacts = factsOf()): readonly Step[] {
  const plan = planProvision(claimOf({ devices: [claimedDevice(1, device)] }), facts);
  assert.ok(plan.kind === "planned", JSON.stringify(plan));
  return plan.steps;
}

function codeOf(device: Partial<ClaimedDevice>, facts: HostFacts = factsOf()): string {
  const plan = planProvision(claimOf({ devices: [claimedDevice(1, device)] }), facts);
  return plan.kind === "planned" ? "planned" : plan.reason.code;
}

function describeEffect(effect: Effect): string {
  switch (effect.kind) {
    case "create":
      return `create ${effect.type}${effect.aggregate === undefined ? "" : `,${effect.parameter ?? "aggregate"}=${effect.aggregate}`}`;
    case "write":
      return `write ${effect.attribute}=${effect.value}`;
    case "set-vgpu-type":
      return `set ${effect.address} to ${effect.typeNumber}`;
    case "set-ap-config":
      return `ap_config=${effect.config}`;
    default:
      return effect.kind;
  }
}

/** One line a step: the effect, what is read back, `?` where an equal value is skipped, the undo. */
function linesOf(steps: readonly Step[]): readonly string[] {
  return steps.map(({ effect, readBack, skipWhenEqual, undo }) =>
    [
      describeEffect(effect),
      skipWhenEqual === true ? "?" : "",
      readBack === undefined ? "" : ` reads ${readBack.path.replace(/^.*devices\/[^/]*\//, "")}=${readBack.expected}`,
      undo === undefined ? "" : ` or ${describeEffect(undo)}`,
    ].join(""),
  );
}

const FPS = { rule: "R6", attribute: "fps", value: "30" } as const;
const COUNT = { rule: "R7", attribute: "aggregator", value: "3" } as const;
const THREE = { count: 3, values: [FPS, COUNT], countAttribute: "aggregator" };

describe("planProvision()", () => {
  it("creates a plain device and reads its type back", () => {
    assert.deepEqual(linesOf(stepsOf({})), ["create mtty-1 reads mdev_type=mtty-1 or remove"]);
  });

  it("sets values in the order of the claim, none that is equal already", () => {
    assert.deepEqual(linesOf(stepsOf(THREE)).slice(1), [
      "write fps=30? reads fps=30",
      "write aggregator=3? reads aggregator=3",
    ]);
    assert.deepEqual(linesOf(stepsOf({ ...THREE, values: [COUNT, FPS] }))[1], "write aggregator=3? reads aggregator=3");
  });

  it("passes the count to a create that takes one, and reads it where the claim or the host has it", () => {
    assert.deepEqual(linesOf(stepsOf(THREE, factsOf({ create: "aggregate" }))), [
      "create mtty-1,aggregate=3 reads mdev_type=mtty-1 or remove",
      "write fps=30? reads fps=30",
      "check reads aggregator=3",
    ]);
    const bare = { count: 3 };
    assert.equal(linesOf(stepsOf(bare, factsOf({ create: "aggregate" })))[1], "check reads aggregated_instances=3");
    assert.equal(
      linesOf(stepsOf(bare, factsOf({ create: "aggregate", countAttribute: "mdev/n" })))[1],
      "check reads mdev/n=3",
    );
    const both = linesOf(stepsOf(THREE, factsOf({ create: "aggregate", countAttribute: "mdev/n" })));
    assert.equal(both.at(-1), "check reads aggregator=3");
    assert.deepEqual(linesOf(stepsOf(bare, factsOf({ create: "instances" }))), [
      "create mtty-1,instances=3 reads mdev_type=mtty-1 or remove",
      "check reads instances=3",
    ]);
  });

  it("passes no count for a device of one unit", () => {
    assert.deepEqual(linesOf(stepsOf({}, factsOf({ create: "aggregate" }))), [
      "create mtty-1 reads mdev_type=mtty-1 or remove",
    ]);
  });

  it("refuses a count that nothing sets", () => {
    assert.equal(codeOf({ count: 3 }), "count_not_settable");
    assert.equal(codeOf({ count: 3 }, factsOf({ create: "aggregate", tool: "mdevctl" })), "count_not_settable");
  });

  it("gives a virtual function its type by number", () => {
    const vf = { identity: { kind: "vendor-vfio", address: VF }, parent: VF, type: "nvidia-256" } as const;
    const facts = factsOf({ framework: "vendor-vfio" }, VF);
    assert.deepEqual(linesOf(stepsOf(vf, facts)), [
      `set ${VF} to 256 reads nvidia/current_vgpu_type=256 or set ${VF} to 0`,
    ]);
    for (const type of ["nvidia-0", "nvidia-", "nvidia-1e3", "i915-GVTg_V5_4"]) {
      assert.equal(codeOf({ ...vf, type }, facts), "type_not_settable", type);
    }
    assert.equal(codeOf({ ...vf, values: [FPS] }, facts), "value_not_settable");
  });

  it("makes nothing of a function as it is", () => {
    const parts = { identity: { kind: "function", address: VF }, parent: VF } as const;
    const facts = factsOf({ framework: "function" }, VF);
    assert.deepEqual(stepsOf(parts, facts), []);
    assert.equal(codeOf({ ...parts, values: [FPS] }, facts), "value_not_settable");
  });

  it("sets the matrix of a vfio-ap device at once where it can, and looks at its queues", () => {
    const config = { rule: "R9", attribute: "ap_config", value: "0x1,0x2,0x3" } as const;
    assert.deepEqual(linesOf(stepsOf({ values: [config], units: ["01.0005", "01.0006"] })).slice(1), [
      "ap_config=0x1,0x2,0x3? reads ap_config=0x1,0x2,0x3",
      "check reads matrix=01.0005\n01.0006",
    ]);
  });

  it("assigns number by number where the device has no ap_config", () => {
    const values = [
      { rule: "R9", attribute: "assign_adapter", value: "1" },
      { rule: "R9", attribute: "assign_domain", value: "5" },
    ] as const;
    assert.deepEqual(linesOf(stepsOf({ values, units: ["01.0005"] })).slice(1), [
      "write assign_adapter=1",
      "write assign_domain=5",
      "check reads matrix=01.0005",
    ]);
  });

  it("goes by mdevctl where that is asked for, attributes in order, and reads back all the same", () => {
    const steps = stepsOf(THREE, factsOf({ tool: "mdevctl" }));
    assert.deepEqual(linesOf(steps), [
      "define or undefine",
      "start reads mdev_type=mtty-1 or stop",
      "check reads fps=30",
      "check reads aggregator=3",
    ]);
    const effect = steps[0]?.effect;
    assert.deepEqual(effect?.kind === "define" && JSON.parse(effect.definition), {
      mdev_type: "mtty-1",
      start: "manual",
      attrs: [{ fps: "30" }, { aggregator: "3" }],
    });
  });

  it("refuses attributes and values that lead elsewhere", () => {
    for (const [attribute, value] of [
      ["../remove", "1"],
      ["fps", "1\n2"],
      ["", "1"],
    ] as const) {
      assert.equal(codeOf({ values: [{ rule: "R6", attribute, value }] }), "attribute_unsafe", attribute);
    }
  });

  it("refuses a parent that is gone, or is no longer what it was", () => {
    assert.equal(codeOf({}, new Map()), "parent_gone");
    assert.equal(codeOf({}, factsOf({ framework: "vendor-vfio" })), "parent_gone");
    assert.equal(codeOf({ parent: "constructor" }), "parent_gone");
  });

  it("plans all devices or none", () => {
    const claim = claimOf({ devices: [claimedDevice(1), claimedDevice(2, { parent: "gone" })] });
    assert.equal(planProvision(claim, factsOf()).kind, "refused");
    const both = planProvision(claimOf({ devices: [claimedDevice(1), claimedDevice(2)] }), factsOf());
    assert.equal(both.kind === "planned" && both.steps.length, 2);
  });

  it("tells each step in a sentence", () => {
    const texts = stepsOf(THREE, factsOf({ create: "aggregate" })).map(({ text }) => text);
    assert.deepEqual(texts, [
      `Create mtty-1 of 3 units on mtty as ${UUID}`,
      `Set fps of ${UUID} to 30`,
      `Check that aggregator of ${UUID} is 3`,
    ]);
  });
});

describe("planUnprovision()", () => {
  const VF_DEVICE = claimedDevice(3, {
    identity: { kind: "vendor-vfio", address: VF },
    parent: VF,
    type: "nvidia-256",
  });

  it("takes the last device away first", () => {
    const claim = claimOf({ devices: [claimedDevice(1), VF_DEVICE, claimedDevice(2)] });
    const uuids = planUnprovision(claim, factsOf()).map(({ effect }) => ("uuid" in effect ? effect.uuid : effect.kind));
    assert.deepEqual(uuids, [uuidOf(2), "set-vgpu-type", UUID]);
  });

  it("takes the definition along that mdevctl keeps", () => {
    assert.deepEqual(linesOf(planUnprovision(claimOf(), factsOf({ tool: "mdevctl" }))), ["stop", "undefine"]);
  });

  it("leaves the definition alone of what Berth did not make", () => {
    const claim = claimOf({ devices: [claimedDevice(1, { vacated: true })] });
    assert.deepEqual(linesOf(planUnprovision(claim, factsOf({ tool: "mdevctl" }))), ["remove"]);
  });

  it("takes the type of a virtual function away, and nothing of a function as it is", () => {
    const bare = claimedDevice(4, { identity: { kind: "function", address: "0000:09:00.1" } });
    assert.deepEqual(linesOf(planUnprovision(claimOf({ devices: [VF_DEVICE, bare] }), factsOf())), [
      `set ${VF} to 0 reads nvidia/current_vgpu_type=0`,
    ]);
  });
});
