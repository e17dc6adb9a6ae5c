// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Claim } from "./claim.ts";
import {
  addClaim,
  emptyLedger,
  formatLedger,
  LEDGER_MAX,
  ledgerOccupants,
  nextFence,
  parseLedger,
  removeClaim,
  type LedgerDocument,
} from "./ledger-document.ts";
import { claimedDevice, claimOf, uuidOf } from "./test-claim.ts";

function many(count: number, id = "many"): Claim {
  const [first, ...rest] = Array.from({ length: count }, (_, index) => claimedDevice(index));
  assert.ok(first !== undefined);
  return claimOf({ id, devices: [first, ...rest] });
}

const FULL = ((): LedgerDocument => {
  const occupant = { id: uuidOf(2), type: "nvidia-231", count: 2, parent: "0000:08:00.4", slot: 8, units: ["01.0005"] };
  return addClaim(
    addClaim(emptyLedger("b"), claimOf()),
    claimOf({ id: "a", fence: 9, devices: [claimedDevice(2, { occupant })] }),
  );
})();

describe("addClaim()", () => {
  it("adds what a claim holds, sorted by claim, and raises the fence", () => {
    assert.deepEqual(
      FULL.entries.map(({ claim, fence }) => [claim, fence]),
      [
        ["a", 9],
        ["claim-1", 3],
      ],
    );
    assert.equal(FULL.fence, 9);
    assert.deepEqual(
      ledgerOccupants(FULL).map(({ id }) => id),
      [uuidOf(2), uuidOf(1)],
    );
  });

  it("changes nothing the second time", () => {
    assert.equal(addClaim(FULL, claimOf()), FULL);
  });

  it("replaces a claim that has changed", () => {
    const next = addClaim(FULL, claimOf({ fence: 12, devices: [claimedDevice(7)] }));
    assert.equal(next.fence, 12);
    assert.deepEqual(next.entries.at(-1), { claim: "claim-1", fence: 12, devices: [claimedDevice(7).occupant] });
    assert.equal(next.entries.length, 2);
  });

  it("takes out a claim that holds no room", () => {
    assert.deepEqual(addClaim(FULL, claimOf({ state: "released" })), removeClaim(FULL, "claim-1"));
  });

  it("refuses a claim of another host", () => {
    assert.throws(() => addClaim(FULL, claimOf({ host: "c" })), RangeError);
  });

  it("says how many devices are too many", () => {
    const fits = addClaim(emptyLedger("b"), many(150));
    assert.ok(formatLedger(fits).length <= LEDGER_MAX);
    assert.throws(
      () => addClaim(fits, many(60, "more")),
      (error) => {
        assert.ok(error instanceof RangeError);
        assert.match(error.message, /at most 16384 bytes, got \d+ for 210 devices of 2 claims/);
        return true;
      },
    );
  });

  it("lets what holds a place be changed where no claim fits any more, and stays readable", () => {
    let full = emptyLedger("b");
    const claims = Array.from({ length: 200 }, (_, at) => claimOf({ id: `claim-${at}`, fence: at + 1 }));
    const held = claims.filter((claim) => {
      try {
        full = addClaim(full, claim);
        return true;
      } catch {
        return false;
      }
    });
    assert.ok(held.length > 50 && held.length < 200, String(held.length));
    let raised: typeof full = { ...full, fence: 2 ** 48 };
    for (const claim of held) raised = addClaim(raised, { ...claim, state: "releasing", fence: nextFence(raised) });
    assert.deepEqual(parseLedger(formatLedger(raised)), raised);
    assert.throws(() => addClaim(raised, claimOf({ id: "one more" })), RangeError);
    assert.equal(
      held.reduce((left, claim) => addClaim(left, { ...claim, state: "released" }), raised).entries.length,
      0,
    );
  });

  it("counts bytes and not characters", () => {
    const wide = claimOf({ id: "ä€😀".repeat(1900) });
    assert.throws(() => addClaim(emptyLedger("b"), wide), RangeError);
    assert.equal(addClaim(emptyLedger("b"), claimOf({ id: "ä€😀".repeat(1500) })).entries.length, 1);
  });
});

describe("removeClaim()", () => {
  it("takes a claim out and keeps the fence", () => {
    const left = removeClaim(FULL, "a");
    assert.deepEqual([left.entries.map(({ claim }) => claim), left.fence, nextFence(left)], [["claim-1"], 9, 10]);
  });

  it("changes nothing for a claim that is not there", () => {
    assert.equal(removeClaim(FULL, "constructor"), FULL);
  });
});

describe("parseLedger()", () => {
  it("reads what was written", () => {
    assert.deepEqual(parseLedger(formatLedger(FULL)), FULL);
  });

  it("leaves out what it does not know", () => {
    const text = formatLedger(FULL).replace('"host"', '"__proto__":{"x":1},"new":true,"host"');
    assert.deepEqual(parseLedger(text), FULL);
  });

  const BAD: Readonly<Record<string, string>> = {
    "no JSON": "{",
    "no object": "[]",
    "no host": '{"fence":1,"entries":[]}',
    "a fence below 0": '{"host":"b","fence":-1,"entries":[]}',
    "entries that are no list": '{"host":"b","fence":1,"entries":{}}',
    "an entry without devices": '{"host":"b","fence":1,"entries":[{"claim":"a","fence":1}]}',
    "a device of no units":
      '{"host":"b","fence":1,"entries":[{"claim":"a","fence":1,"devices":[{"id":"x","type":"t","count":0,"parent":"p"}]}]}',
    "a device without an id":
      '{"host":"b","fence":1,"entries":[{"claim":"a","fence":1,"devices":[{"type":"t","count":1,"parent":"p"}]}]}',
    "a unit that is no text":
      '{"host":"b","fence":1,"entries":[{"claim":"a","fence":1,"devices":[{"id":"x","type":"t","count":1,"parent":"p","units":[1]}]}]}',
  };
  for (const [name, text] of Object.entries(BAD)) {
    it(`refuses ${name}`, () => {
      assert.throws(() => parseLedger(text), SyntaxError);
    });
  }

  it("refuses a document that is too large before it reads it", () => {
    assert.throws(() => parseLedger("[".repeat(2 * LEDGER_MAX + 1)), RangeError);
  });
});
