// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Claim } from "./claim.ts";
import { addClaim, emptyLedger, ledgerOccupants } from "./ledger-document.ts";
import { decideSwap, type SwapRequest, type SwapSource } from "./swap.ts";
import { claimedDevice, claimOf } from "./test-claim.ts";

const { source: _, ...LEFT } = claimedDevice(8);
const SOURCE: Claim = claimOf({
  id: "old",
  state: "attached",
  host: "a",
  claimant: { kind: "vm", host: "a", vm: "web-1" },
  devices: [LEFT],
  fence: 5,
});
const TAKEN: Claim = claimOf({ state: "bound", fence: 3, devices: [claimedDevice(1, { source: LEFT.occupant.id })] });

function requestOf(source: Partial<SwapSource> = {}, claim: Claim = TAKEN): SwapRequest {
  const ledger = addClaim(emptyLedger("a"), SOURCE);
  return {
    source: { kind: "claimed", claim: SOURCE, ledger, ...source } as SwapSource,
    destination: { claim, ledger: addClaim(addClaim(emptyLedger("b"), TAKEN), claimOf({ id: "other", fence: 7 })) },
    nowMs: 50,
  };
}

function codeOf(request: SwapRequest): string {
  const swap = decideSwap(request);
  return swap.kind === "refused" ? swap.code : swap.kind;
}

describe("decideSwap()", () => {
  it("gives the VM its new place and gives the old one back, in one", () => {
    const swap = decideSwap(requestOf());
    assert.ok(swap.kind === "swapped");
    const [taken, left] = swap.claims;
    assert.deepEqual(
      [taken.state, taken.claimant, taken.fence],
      ["attached", { kind: "vm", host: "b", vm: "web-1" }, 8],
    );
    assert.equal(taken.devices[0].source, undefined);
    assert.deepEqual([left?.id, left?.state, left?.fence, left?.host], ["old", "releasing", 6, "a"]);
    assert.deepEqual(
      swap.ledgers.map(({ host, fence }) => [host, fence]),
      [
        ["b", 8],
        ["a", 6],
      ],
    );
  });

  it("does not swap for a bare profile, which no VM is known of", () => {
    assert.equal(codeOf(requestOf({}, { ...TAKEN, claimant: { kind: "profile" } })), "swap_state");
  });

  it("keeps the room of both places until the source is proved empty", () => {
    const swap = decideSwap(requestOf());
    assert.ok(swap.kind === "swapped");
    const held = swap.ledgers.map((ledger) => ledgerOccupants(ledger).map(({ id }) => id));
    assert.deepEqual(held[1], [LEFT.occupant.id]);
    assert.ok(held[0]?.includes(TAKEN.devices[0].occupant.id));
  });

  it("makes a claim for devices that Berth did not make and may remove", () => {
    const source: SwapSource = {
      kind: "vacated",
      id: "new",
      devices: [LEFT],
      ledger: emptyLedger("a"),
      principal: "operator",
    };
    const swap = decideSwap({ ...requestOf(), source });
    assert.ok(swap.kind === "swapped");
    const left = swap.claims[1];
    assert.deepEqual([left?.id, left?.state, left?.fence, left?.createdAtMs], ["new", "releasing", 1, 50]);
    assert.deepEqual([left?.devices[0].vacated, left?.claimant], [true, { kind: "vm", host: "a", vm: "web-1" }]);
  });

  it("leaves devices alone that stay", () => {
    const swap = decideSwap({ ...requestOf(), source: { kind: "kept" } });
    assert.ok(swap.kind === "swapped");
    assert.deepEqual([swap.claims.length, swap.ledgers.length], [1, 1]);
  });

  it("names a single device's new place by the device itself", () => {
    const claim = { ...TAKEN, claimant: { kind: "device", host: "a", device: LEFT.occupant.id } } as const;
    const swap = decideSwap(requestOf({}, claim));
    assert.ok(swap.kind === "swapped");
    assert.deepEqual(swap.claims[0].claimant, { kind: "device", host: "b", device: TAKEN.devices[0].occupant.id });
  });

  it("refuses to be done twice", () => {
    const swap = decideSwap(requestOf());
    assert.ok(swap.kind === "swapped");
    assert.equal(codeOf(requestOf({}, swap.claims[0])), "swap_state");
  });

  for (const state of ["held", "provisioning", "releasing", "released", "failed", "expired"] as const) {
    it(`refuses a destination that is ${state}`, () => {
      assert.equal(codeOf(requestOf({}, { ...TAKEN, state })), "swap_state");
    });
    it(`refuses a source that is ${state}`, () => {
      assert.equal(codeOf(requestOf({ claim: { ...SOURCE, state } })), "swap_state");
    });
  }

  it("refuses a source on another host than the VM left", () => {
    assert.equal(codeOf(requestOf({ claim: { ...SOURCE, host: "c" } })), "swap_mismatch");
  });

  it("refuses to give back a device that did not move", () => {
    const claim: Claim = { ...SOURCE, devices: [LEFT, claimedDevice(9)] };
    assert.equal(codeOf(requestOf({ claim })), "swap_mismatch");
  });
});
