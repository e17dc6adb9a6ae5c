// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import { applyReport, type Receiver } from "./apply-report.ts";
import { decideReport, reportWithShapes } from "./decide-report.ts";
import { parseShape } from "./fill-shape.ts";
import { formatInventory, unpackInventory } from "./inventory-document.ts";
import { madeUpCard } from "./made-up-snapshot.ts";
import type { Applied, HostState, Report } from "./report.ts";
import { splitSnapshot, type SplitSnapshot } from "./split-snapshot.ts";

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

const HOST = madeUpCard({ host: "a", parents: 8, types: 4, devices: 4 });
const BEFORE = splitSnapshot(HOST, sha256);
/** A device is gone and another one is there. */
const AFTER = splitSnapshot(
  { ...HOST, devices: madeUpCard({ host: "a", parents: 8, types: 4, devices: 5 }).devices.slice(1) },
  sha256,
);
const FIRST = { generation: 3, sequence: 1 };
const SECOND = { generation: 3, sequence: 2 };
const STATE: HostState = { host: "a", ...FIRST, digest: BEFORE.digest, inventory: BEFORE.inventory };

function receiver(...splits: readonly SplitSnapshot[]): Receiver {
  const shapes = new Map(
    splits.flatMap((split) => [...split.shapes]).map(([digest, text]) => [digest, parseShape(text)]),
  );
  return { host: "a", hash: sha256, catalogue: { find: (digest) => shapes.get(digest) } };
}

const SNAPSHOT = decideReport(undefined, BEFORE, SECOND) as Report & { readonly kind: "snapshot" };
const FULL = receiver(BEFORE, AFTER);

function snapshotOf(applied: Applied): HostSnapshot | undefined {
  return applied.kind === "applied" ? applied.news?.snapshot : undefined;
}

function refusal(applied: Applied): string {
  return applied.kind === "refused" ? applied.code : applied.kind;
}

describe("decideReport()", () => {
  it("sends a digest where nothing changed, and it is short", () => {
    const report = decideReport(BEFORE, splitSnapshot(HOST, sha256), SECOND);
    assert.deepEqual(report, {
      report: "berth.report/v1",
      host: "a",
      ...SECOND,
      digest: BEFORE.digest,
      kind: "unchanged",
    });
    assert.ok(JSON.stringify(report).length < 200);
  });

  it("sends what changed: the device that came by its record, the one that went by its name", () => {
    const report = decideReport(BEFORE, AFTER, SECOND);
    assert.ok(report.kind === "delta");
    assert.equal(report.base, BEFORE.digest);
    const { sections } = report.delta as { sections: Record<string, { put: unknown[]; remove: string[] }> };
    assert.deepEqual(Object.keys(sections), ["devices"]);
    assert.deepEqual(sections["devices"]?.remove, [HOST.devices[0]?.id]);
    assert.equal(sections["devices"]?.put.length, 1);
    assert.equal(report.shapes, undefined);
  });

  it("sends all of it, without shapes, where the server has acknowledged nothing", () => {
    const report = decideReport(undefined, BEFORE, FIRST);
    assert.ok(report.kind === "snapshot");
    assert.equal(report.shapes, undefined);
  });

  it("sends all of it where a delta would be as long, with the shapes that are new", () => {
    const other = splitSnapshot(madeUpCard({ host: "a", parents: 60, types: 5, devices: 60 }), sha256);
    const report = decideReport(BEFORE, other, SECOND);
    assert.ok(report.kind === "snapshot");
    assert.deepEqual(
      Object.keys(report.shapes ?? {}).sort(),
      [...other.shapes.keys()].filter((key) => !BEFORE.shapes.has(key)).sort(),
    );
  });
});

describe("applyReport()", () => {
  it("asks for the shapes that it lacks until it has all, and then knows the host", () => {
    const asked: string[] = [];
    let applied = applyReport(undefined, decideReport(undefined, BEFORE, FIRST), receiver());
    for (let round = 0; applied.kind === "need-shapes" && round < 3; round++) {
      asked.push(...applied.shapes);
      applied = applyReport(undefined, reportWithShapes(BEFORE, FIRST, asked), receiver());
    }
    assert.ok(applied.kind === "applied");
    assert.deepEqual(snapshotOf(applied), HOST);
    assert.deepEqual([...applied.shapes.keys()].sort(), [...BEFORE.shapes.keys()].sort());
    assert.equal(applied.news?.text, BEFORE.text);
    assert.deepEqual(applied.state, STATE);
  });

  it("applies a delta to the inventory that it was made for", () => {
    const applied = applyReport(STATE, decideReport(BEFORE, AFTER, SECOND), FULL);
    assert.ok(applied.kind === "applied");
    assert.equal(applied.news?.text, AFTER.text);
    assert.deepEqual(applied.state, { ...STATE, ...SECOND, digest: AFTER.digest, inventory: AFTER.inventory });
  });

  it("moves the order on where nothing changed, and has nothing to store", () => {
    const applied = applyReport(STATE, decideReport(BEFORE, BEFORE, SECOND), FULL);
    assert.deepEqual(applied, { kind: "applied", state: { ...STATE, ...SECOND }, shapes: new Map() });
  });

  it("takes the same report twice: the answer to the first was lost", () => {
    const report = decideReport(BEFORE, AFTER, SECOND);
    const first = applyReport(STATE, report, FULL);
    assert.ok(first.kind === "applied");
    assert.deepEqual(applyReport(first.state, report, FULL), {
      kind: "applied",
      state: first.state,
      shapes: new Map(),
    });
  });

  it("takes an agent that started again, whatever its sequence", () => {
    const applied = applyReport(
      { ...STATE, sequence: 900 },
      decideReport(BEFORE, BEFORE, { generation: 4, sequence: 1 }),
      FULL,
    );
    assert.ok(applied.kind === "applied");
    assert.deepEqual([applied.state.generation, applied.state.sequence], [4, 1]);
  });

  it("keeps what a newer agent says and it does not know", () => {
    const inventory = { ...BEFORE.inventory, more: { weather: ["rain"] } };
    const text = JSON.stringify({ a: 1 });
    const report = decideReport(undefined, { ...BEFORE, inventory }, FIRST);
    assert.ok(report.kind === "snapshot" && text !== "");
    const wrong = applyReport(undefined, report, FULL);
    assert.equal(refusal(wrong), "report_malformed");
    const canonical = applyReport(undefined, { ...report, digest: sha256(formatted(report)) }, FULL);
    assert.ok(canonical.kind === "applied");
    assert.deepEqual(canonical.state.inventory.more, { weather: ["rain"] });
    assert.match(canonical.news?.text ?? "", /"weather":\["rain"\]/);
  });

  it("asks for a snapshot where it does not have what the report rests on", () => {
    for (const report of [decideReport(BEFORE, BEFORE, SECOND), decideReport(BEFORE, AFTER, SECOND)]) {
      assert.equal(applyReport(undefined, report, FULL).kind, "need-snapshot");
      assert.equal(applyReport({ ...STATE, digest: "00" }, report, FULL).kind, "need-snapshot");
    }
  });

  it("asks for a snapshot where a delta does not lead to its digest", () => {
    const report = decideReport(BEFORE, AFTER, SECOND);
    assert.equal(applyReport(STATE, { ...report, digest: "00" }, FULL).kind, "need-snapshot");
  });

  const REFUSED: Readonly<Record<string, readonly [Report, string]>> = {
    "refuses a report of another host": [{ ...SNAPSHOT, host: "b" }, "report_wrong_host"],
    "refuses an inventory of another host": [
      { ...SNAPSHOT, inventory: { ...SNAPSHOT.inventory, host: "b" } },
      "report_wrong_host",
    ],
    "refuses an older sequence": [{ ...SNAPSHOT, sequence: 0 }, "report_out_of_order"],
    "refuses an older generation": [{ ...SNAPSHOT, generation: 2, sequence: 99 }, "report_out_of_order"],
    "refuses the same order with other content": [{ ...decideReport(BEFORE, AFTER, FIRST) }, "report_out_of_order"],
    "refuses a shape that is not what it is called": [
      { ...SNAPSHOT, shapes: { "00ff": "{}" } },
      "report_shape_mismatch",
    ],
    "refuses a shape of more than 64 KiB": [
      { ...SNAPSHOT, shapes: { "00ff": `"${"x".repeat(65_536)}"` } },
      "report_too_large",
    ],
    "refuses an inventory of more than 64 KiB": [
      { ...SNAPSHOT, inventory: { ...SNAPSHOT.inventory, more: "x".repeat(65_536) } },
      "report_too_large",
    ],
    "refuses an inventory that is not what its digest says": [{ ...SNAPSHOT, digest: "00" }, "report_malformed"],
    "refuses a garbage document": [
      { ...SNAPSHOT, inventory: { inventory: "berth.inventory/v1", host: "a", parents: 7 } },
      "report_malformed",
    ],
    "refuses a nested bomb": [
      { ...SNAPSHOT, inventory: { ...SNAPSHOT.inventory, more: nest(100_000) as object } },
      "report_malformed",
    ],
    "refuses a garbage delta": [
      { ...(decideReport(BEFORE, AFTER, SECOND) as Report & { readonly kind: "delta" }), delta: { sections: [] } },
      "report_malformed",
    ],
  };
  for (const [name, [report, code]] of Object.entries(REFUSED)) {
    it(name, () => assert.equal(refusal(applyReport(STATE, report, FULL)), code));
  }

  it("refuses the shapes of a host that is none, and says what is wrong", () => {
    const text = '{"kernel":{},"facts":[]}';
    const document = { inventory: "berth.inventory/v1", host: "a", shapes: [sha256(text)], texts: [], self: [[0]] };
    const report = { ...SNAPSHOT, inventory: document, shapes: { [sha256(text)]: text } };
    const applied = applyReport(STATE, { ...report, digest: sha256(formatted(report)) }, FULL);
    assert.ok(applied.kind === "refused");
    assert.equal(applied.code, "report_malformed");
    assert.ok(applied.lines.includes("/facts: expected an object"), applied.lines.join("\n"));
  });

  it("refuses a small document that describes a huge host", () => {
    const bomb = JSON.stringify({ x: Array.from({ length: 6000 }, () => "$0$0$0") });
    const name = "y".repeat(5000);
    const digest = sha256(bomb);
    const records = Array.from({ length: 50 }, () => [0, [0]]);
    const document = {
      inventory: "berth.inventory/v1",
      host: "a",
      shapes: [digest],
      texts: [name],
      parents: records,
      self: [[0, [0]]],
    };
    const report = { ...SNAPSHOT, inventory: document, shapes: { [digest]: bomb } };
    const applied = applyReport(STATE, { ...report, digest: sha256(formatted(report)) }, FULL);
    assert.ok(applied.kind === "refused");
    assert.match(applied.lines.join("\n"), /more than 67108864 characters/);
  });
});

describe("applyReport(), at its limits", () => {
  it("refuses a text that a shape repeats without end, before it is made", () => {
    const bomb = JSON.stringify("$0".repeat(30_000));
    const digest = sha256(bomb);
    const name = "y".repeat(50_000);
    const document = { inventory: "berth.inventory/v1", host: "a", shapes: [digest], texts: [], self: [[0, name]] };
    const report = { ...SNAPSHOT, inventory: document, shapes: { [digest]: bomb } };
    const applied = applyReport(STATE, { ...report, digest: sha256(formatted(report)) }, FULL);
    assert.ok(applied.kind === "refused");
    assert.match(applied.lines.join("\n"), /more than 67108864 characters/);
  });
});

/** The text that the digest of a report's inventory is of. */
function formatted(report: { readonly inventory: Readonly<Record<string, unknown>> }): string {
  return formatInventory(unpackInventory(report.inventory));
}

function nest(levels: number): unknown {
  let value: unknown = {};
  for (let level = 0; level < levels; level++) value = { a: value };
  return value;
}
