// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { SCORES } from "@berth/core/inventory/place-table";
import { createDamageLabels, labelDamage } from "./damage-labels.ts";

const damage = fc.record({ blocked: fc.nat(20), lost: fc.nat(40), text: fc.constant("") });

describe("labelDamage()", () => {
  it("L1: labels stand to each other as damages do, and only move when they say so", () => {
    fc.assert(
      fc.property(fc.array(damage, { maxLength: 200 }), (given) => {
        const labels = createDamageLabels();
        let before = new Map<string, number>();
        for (const one of given) {
          const labelled = labelDamage(labels, one);
          assert.ok(labelled.label !== undefined && labelled.label >= 0 && labelled.label < SCORES);
          const now = new Map([...labels.byKey].map(([key, { label }]) => [key, label]));
          if (!labelled.moved) for (const [key, label] of before) assert.equal(now.get(key), label);
          before = now;
          const inOrder = [...labels.byKey.values()].toSorted((a, b) => a.blocked - b.blocked || a.lost - b.lost);
          for (const [at, { label }] of inOrder.entries()) {
            assert.ok(at === 0 || (inOrder[at - 1]?.label ?? 0) < label);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it("makes way for many damages between two, and gives none a number when all are given", () => {
    const labels = createDamageLabels();
    let moves = 0;
    for (let lost = 0; lost < 2000; lost += 1) {
      const labelled = labelDamage(labels, { blocked: 0, lost, text: "" });
      if (labelled.label !== undefined && labelled.moved) moves += 1;
    }
    assert.ok(moves > 0);
    const full = { known: new Array<never>(SCORES), byKey: new Map<string, never>() };
    assert.deepEqual(labelDamage(full, { blocked: 0, lost: 0, text: "" }), { label: undefined });
  });
});
