// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { applyEvent, type Applied, type EventFacts } from "./apply-event.ts";
import type { Claim } from "./claim.ts";
import type { ClaimEvent } from "./claim-state.ts";
import { findExpired } from "./expiry.ts";
import { claimOf } from "./test-claim.ts";

const AT: EventFacts = { nowMs: 100, fence: 3 };

function moved(claim: Claim, event: ClaimEvent, facts: EventFacts = AT): Claim {
  const applied = applyEvent(claim, event, facts);
  assert.equal(applied.kind, "moved", JSON.stringify(applied));
  return (applied as Extract<Applied, { kind: "moved" }>).claim;
}

function codeOf(claim: Claim, event: ClaimEvent, facts: EventFacts = AT): string {
  const applied = applyEvent(claim, event, facts);
  return applied.kind === "moved" ? "moved" : applied.code;
}

describe("applyEvent()", () => {
  it("leaves a hold's time limit behind once it is confirmed", () => {
    const { expiresAtMs: _, ...held } = claimOf();
    assert.deepEqual(moved(claimOf(), "confirm"), { ...held, state: "provisioning" });
  });

  it("confirms a hold that has run out and was not ended yet", () => {
    assert.equal(moved(claimOf(), "confirm", { nowMs: 5000 }).state, "provisioning");
  });

  it("expires a hold at its very end and not before", () => {
    assert.equal(codeOf(claimOf(), "expire", { nowMs: 99 }), "claim_not_due");
    const expired = moved(claimOf(), "expire", { nowMs: 100 });
    assert.deepEqual([expired.state, expired.endedAtMs, expired.expiresAtMs], ["expired", 100, undefined]);
  });

  it("expires nothing that an agent may have seen", () => {
    assert.equal(codeOf(claimOf({ state: "provisioning" }), "expire", { nowMs: 1e9 }), "claim_state");
  });

  it("answers a repeated message with an equal claim", () => {
    const bound = moved(claimOf({ state: "provisioning" }), "provisioned");
    assert.deepEqual(moved(bound, "provisioned", { nowMs: 900, fence: 3 }), bound);
    const released = moved(claimOf({ state: "releasing" }), "cleared");
    assert.equal(released.endedAtMs, 100);
    assert.deepEqual(moved(released, "cleared", { nowMs: 900, fence: 3 }), released);
    assert.deepEqual(moved(released, "fenced", { nowMs: 900 }), released);
  });

  it("takes an agent's word with the claim's own fence only", () => {
    for (const event of ["provisioned", "refused", "attached", "detached", "cleared"] as const) {
      for (const fence of [2, 4]) {
        assert.equal(codeOf(claimOf({ state: "bound" }), event, { nowMs: 1, fence }), "claim_fence_stale", event);
      }
      assert.equal(codeOf(claimOf({ state: "bound" }), event, { nowMs: 1 }), "claim_fence_stale", event);
    }
  });

  it("asks no fence of claimants and operators", () => {
    assert.equal(moved(claimOf({ state: "bound" }), "release", { nowMs: 1 }).state, "releasing");
    assert.equal(moved(claimOf({ state: "bound" }), "fenced", { nowMs: 1 }).state, "failed");
  });

  it("does not release what a VM uses", () => {
    assert.equal(codeOf(claimOf({ state: "attached" }), "release"), "claim_in_use");
  });

  it("says that a claim has ended to whoever still speaks of it", () => {
    assert.equal(codeOf(claimOf({ state: "released" }), "provisioned"), "claim_ended");
    assert.equal(codeOf(claimOf({ state: "expired" }), "confirm"), "claim_ended");
    assert.equal(codeOf(claimOf({ state: "failed" }), "attached"), "claim_ended");
  });

  it("keeps the agent's reason of a failure, and has one where the agent gives none", () => {
    const reason = { code: "ENOSPC", text: "write to create: no space left" };
    assert.deepEqual(moved(claimOf({ state: "provisioning" }), "refused", { ...AT, reason }).reason, reason);
    assert.equal(moved(claimOf({ state: "provisioning" }), "refused").reason?.code, "provision_failed");
    assert.equal(moved(claimOf({ state: "attached" }), "fenced").reason?.code, "host_fenced");
    const failed = claimOf({ state: "failed", reason });
    assert.deepEqual(moved(failed, "fenced").reason, reason);
  });

  it("keeps the wish for a repair while the claim is bound, until the agent says that it is done", () => {
    const bound = claimOf({ state: "bound", repairsDrift: true });
    assert.equal(moved(bound, "detached").repairsDrift, true);
    assert.equal(moved(bound, "confirm").repairsDrift, true);
    assert.equal(moved(bound, "provisioned").repairsDrift, undefined);
    assert.equal(moved(bound, "attached").repairsDrift, undefined);
    assert.equal(moved(bound, "release").repairsDrift, undefined);
  });

  it("shows what is in the way of a release while it is in the way", () => {
    const blocked = moved(claimOf({ state: "releasing" }), "attached");
    assert.equal(blocked.reason?.code, "device_in_use");
    assert.equal(moved(blocked, "release").reason?.code, "device_in_use");
    assert.equal(moved(blocked, "detached").reason, undefined);
    assert.equal(moved(blocked, "cleared").reason, undefined);
  });
});

describe("findExpired()", () => {
  it("finds holds that have run out, first things first, and nothing else", () => {
    const claims = [
      claimOf({ id: "c", expiresAtMs: 50 }),
      claimOf({ id: "b", expiresAtMs: 20 }),
      claimOf({ id: "a", expiresAtMs: 50 }),
      claimOf({ id: "later", expiresAtMs: 51 }),
      claimOf({ id: "seen", state: "provisioning", expiresAtMs: 1 }),
    ];
    assert.deepEqual(
      findExpired(claims, 50).map(({ id }) => id),
      ["b", "a", "c"],
    );
  });
});
