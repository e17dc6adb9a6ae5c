// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Reading } from "../device/evidence.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import { checkMigration } from "./check-migration.ts";
import { checkPlatform } from "./check-platform.ts";
import type { Pair } from "./pair.ts";
import { arbitraryPair, nearbyPair } from "./profile.gen.ts";
import { findLacking } from "./rules/compatible-fields.ts";
import { CONFIDENCES, type Side, type Verdict } from "./verdict.ts";

const RUNS = { numRuns: 400 };
type Path = readonly string[];

/** Paths of all known readings inside a value, readings inside readings included. */
function knownReadings(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== "object" || value === null) return [];
  const here = isReading(value) && value.kind === "known" ? [path] : [];
  return [
    ...here,
    ...Object.keys(value).flatMap((key) => knownReadings(value[key as keyof typeof value], [...path, key])),
  ];
}

function isReading(value: object): value is Reading<unknown> {
  return "kind" in value && "evidence" in value;
}

/** A copy of a value in which the reading at a path is replaced. */
function replaceAt(value: unknown, path: Path, change: (reading: Reading<unknown>) => Reading<unknown>): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change(value as Reading<unknown>);
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === key ? replaceAt(item, rest, change) : item));
  const record = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(record).map(([name, item]) => [name, name === key ? replaceAt(item, rest, change) : item]),
  );
}

function readAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null && Object.hasOwn(at, key) ? at[key as keyof typeof at] : undefined,
    value,
  );
}

interface Weakened {
  readonly pair: Pair;
  readonly end: "source" | "destination";
  readonly path: Path;
  readonly weaker: Pair;
}

/** The same pair with one fact taken away, once for each fact of both ends. */
function weaken(pair: Pair, kind: "absent" | "unreadable"): readonly Weakened[] {
  const change = ({ evidence }: Reading<unknown>): Reading<unknown> =>
    kind === "absent" ? { kind, evidence } : { kind, why: "EIO", evidence };
  return (["source", "destination"] as const).flatMap((end) =>
    knownReadings(pair[end]).map((path) => {
      const profile = replaceAt(pair[end], path, change) as MigrationProfile;
      return { pair, end, path, weaker: { ...pair, [end]: profile } };
    }),
  );
}

/**
 * Where absence has a meaning of its own: one unit (section 2.4), a source that asks for nothing (section 5.1), a kernel
 * without guest_matrix, a bind state that is not shown, a compatible field that the policy lets the same build stand in
 * for. And wherever the other end lacks the same fact, the two are alike in not having it.
 */
function hasMeaning({ pair, end, path }: Weakened): boolean {
  const name = path.join("/");
  const opposite = readAt(pair[end === "source" ? "destination" : "source"], path) as Reading<unknown> | undefined;
  if (opposite === undefined || opposite.kind === "absent") return true;
  if (name === "aggregation" || name === "ap/guestMatrix" || name === "facts/ap_bind_state") return true;
  if (name.startsWith("attributes/compatible/") && pair.policy.sameBuild.compatibleFields) return true;
  return end === "source" && name === "attributes/dynamicResources";
}

function sidesIn(verdict: Verdict): readonly Side[] {
  const items =
    verdict.kind === "compatible"
      ? verdict.restsOn
      : verdict.kind === "incompatible"
        ? [...verdict.reasons, ...verdict.missing]
        : verdict.missing;
  return items.flatMap(({ source, destination }) => [source, destination]).filter((side) => side !== undefined);
}

describe("checkMigration()", () => {
  it("the generators reach every kind of verdict, and a yes often enough", () => {
    const count = (pairs: readonly Pair[]) =>
      Map.groupBy(
        pairs.map((pair) => checkMigration(pair).kind),
        (kind) => kind,
      );
    const near = count(fc.sample(nearbyPair, { numRuns: 500, seed: 1 }));
    assert.deepEqual([...near.keys()].toSorted(), ["compatible", "incompatible", "undetermined"]);
    assert.ok((near.get("compatible")?.length ?? 0) > 100);
    assert.ok(count(fc.sample(arbitraryPair, { numRuns: 100, seed: 1 })).size > 1);
  });

  it("P-C1: a compatible verdict rests on something, and its confidence is the weakest of what it rests on", () => {
    fc.assert(
      fc.property(fc.oneof(nearbyPair, arbitraryPair), (pair) => {
        const verdict = checkMigration(pair);
        if (verdict.kind !== "compatible") return;
        assert.ok(verdict.restsOn.length > 0);
        const ranks = verdict.restsOn.map(({ confidence }) => CONFIDENCES.indexOf(confidence));
        assert.equal(CONFIDENCES.indexOf(verdict.confidence), Math.max(...ranks));
      }),
      RUNS,
    );
  });

  it("P-C2a: a fact that becomes unreadable never turns anything into a yes", () => {
    fc.assert(
      fc.property(nearbyPair, (pair) => {
        if (checkMigration(pair).kind === "compatible") return;
        for (const { weaker, path } of weaken(pair, "unreadable")) {
          assert.notEqual(checkMigration(weaker).kind, "compatible", path.join("/"));
        }
      }),
      RUNS,
    );
  });

  it("P-C2b: a fact that vanishes at one end, and not at both, never turns anything into a yes", () => {
    fc.assert(
      fc.property(nearbyPair, (pair) => {
        if (checkMigration(pair).kind === "compatible") return;
        for (const change of weaken(pair, "absent").filter((candidate) => !hasMeaning(candidate))) {
          assert.notEqual(checkMigration(change.weaker).kind, "compatible", change.path.join("/"));
        }
      }),
      RUNS,
    );
  });

  it("P-C3: it answers any two profiles, the same way each time, and without changing them", () => {
    fc.assert(
      fc.property(fc.oneof(nearbyPair, arbitraryPair), (pair) => {
        const before = JSON.stringify([pair.source, pair.destination]);
        assert.deepEqual(checkMigration(pair), checkMigration(pair));
        assert.equal(JSON.stringify([pair.source, pair.destination]), before);
      }),
      RUNS,
    );
  });

  it("P-C4: the superset relation of R5 is transitive and reflexive", () => {
    const set = fc.array(fc.constantFrom("A", "a", "0xA", "B", "__proto__"), { maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom("pci_ids", "feature"), set, set, set, (field, a, b, c) => {
        assert.deepEqual(findLacking(field, a, a), []);
        if (findLacking(field, a, b).length === 0 && findLacking(field, b, c).length === 0) {
          assert.deepEqual(findLacking(field, a, c), []);
        }
      }),
      RUNS,
    );
  });

  it("P-C5: every side of every finding says where it was read, and every finding has a text", () => {
    fc.assert(
      fc.property(fc.oneof(nearbyPair, arbitraryPair), (pair) => {
        for (const verdict of [checkMigration(pair), checkPlatform({ pairs: [pair, pair] })]) {
          for (const { evidence } of sidesIn(verdict)) assert.ok(evidence.host !== "" && evidence.path !== "");
          for (const { text } of verdict.notes) assert.ok(text !== "" && !text.endsWith("."));
        }
      }),
      RUNS,
    );
  });

  it("P-C6: one vendor's strings never reach another: without R1 no version, field, value, string or pack is judged", () => {
    fc.assert(
      fc.property(fc.oneof(nearbyPair, arbitraryPair), (pair) => {
        const [source, destination] = [pair.source.vendorDriver, pair.destination.vendorDriver];
        if (source.kind === "known" && destination.kind === "known" && source.value === destination.value) return;
        const verdict = checkMigration(pair);
        const found =
          verdict.kind === "compatible"
            ? []
            : [...(verdict.kind === "incompatible" ? verdict.reasons : []), ...verdict.missing];
        assert.deepEqual(
          found.filter(({ rule }) => ["R4", "R5", "R6", "R8", "R11"].includes(rule)),
          [],
        );
        assert.notEqual(verdict.kind, "compatible");
      }),
      RUNS,
    );
  });
});
