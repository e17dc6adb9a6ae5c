// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CLAIM_EVENTS, CLAIM_STATES, type ClaimEvent, type ClaimState } from "./claim-state.ts";
import { holdsRoom, isSeenByAgents, TRANSITIONS } from "./transitions.ts";

/** Every state with every event; `-` is refused. */
const TABLE = `
              confirm      expire   provisioned refused  attached  detached  release   cleared  fenced
held          provisioning expired  -           -        -         -         released  -        failed
provisioning  provisioning -        bound       failed   -         -         releasing -        failed
bound         bound        -        bound       failed   attached  bound     releasing -        failed
attached      attached     -        attached    -        attached  bound     -         -        failed
releasing     -            -        releasing   released releasing releasing releasing released released
released      -            -        -           released -         -         released  released released
failed        -            -        -           failed   -         -         failed    failed   failed
expired       -            expired  -           -        -         -         expired   -        expired
`;

const [header = [], ...rows] = TABLE.trim()
  .split("\n")
  .map((line) => line.trim().split(/ +/));

const SEEN: readonly ClaimState[] = ["provisioning", "bound", "attached", "releasing"];

describe("TRANSITIONS", () => {
  it("has a row for every state and a column for every event", () => {
    assert.deepEqual(
      rows.map(([state]) => state),
      [...CLAIM_STATES],
    );
    assert.deepEqual(header, [...CLAIM_EVENTS]);
  });

  for (const [state, ...cells] of rows) {
    for (const [column, cell] of cells.entries()) {
      it(`leads from ${state} by ${header[column]} to ${cell}`, () => {
        const to = TRANSITIONS[state as ClaimState][header[column] as ClaimEvent];
        assert.equal(to ?? "-", cell);
      });
    }
  }

  it("lets nothing but held expire", () => {
    const expiring = CLAIM_STATES.filter((state) => TRANSITIONS[state].expire === "expired" && state !== "expired");
    assert.deepEqual(expiring, ["held"]);
  });

  it("gives room back only by proof or by fencing once agents have seen a claim", () => {
    const events = SEEN.flatMap((state) =>
      CLAIM_EVENTS.filter((event) => {
        const to = TRANSITIONS[state][event];
        return to !== undefined && !holdsRoom(to);
      }),
    );
    assert.deepEqual([...new Set(events)].toSorted(), ["cleared", "fenced", "refused"]);
  });

  it("never gives an ended claim its room again", () => {
    const ended = CLAIM_STATES.filter((state) => !holdsRoom(state));
    const revived = ended.flatMap((state) =>
      Object.values(TRANSITIONS[state]).filter((to) => to !== undefined && holdsRoom(to)),
    );
    assert.deepEqual(ended, ["released", "failed", "expired"]);
    assert.deepEqual(revived, []);
  });

  it("answers the same event again with the same state", () => {
    for (const state of CLAIM_STATES) {
      for (const event of CLAIM_EVENTS) {
        const once = TRANSITIONS[state][event];
        // An agent that says attached and then attached again says the same; so do claimants who ask twice.
        if (once !== undefined) assert.equal(TRANSITIONS[once][event], once, `${state} ${event}`);
      }
    }
  });
});

describe("isSeenByAgents()", () => {
  it("hides held and ended claims", () => {
    assert.deepEqual(CLAIM_STATES.filter(isSeenByAgents), SEEN);
  });
});
