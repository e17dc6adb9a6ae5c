// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decideReport, reportWithShapes } from "../report/decide-report.ts";
import { packInventory } from "../report/inventory-document.ts";
import { madeUpCard } from "../report/made-up-snapshot.ts";
import { splitSnapshot } from "../report/split-snapshot.ts";
import { BerthError } from "./berth-error.ts";
import { REPORT_ANSWER_SCHEMA } from "./report-json-schema.ts";
import { errorOfRefusal, parseHello, parseInventory, parseReport } from "./report-schema.ts";
import { findProblems } from "./validate-document.ts";

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

const SPLIT = splitSnapshot(madeUpCard({ host: "a", parents: 4, types: 3, devices: 2 }), sha256);
const AFTER = splitSnapshot(madeUpCard({ host: "a", parents: 4, types: 3, devices: 3 }), sha256);
const ORDER = { generation: 1, sequence: 2 };
const HELLO = {
  hello: "berth.hello/v1",
  host: "a",
  version: "0.1.0",
  protocol: { min: 1, max: 2 },
  features: ["delta"],
  generation: 7,
};

function refusal(parse: () => unknown): readonly [string, readonly string[]] {
  try {
    parse();
  } catch (error) {
    if (error instanceof BerthError) return [error.code, error.details];
    throw error;
  }
  throw new Error("accepted");
}

describe("parseReport()", () => {
  const REPORTS = {
    "reads a digest": decideReport(SPLIT, SPLIT, ORDER),
    "reads a delta": decideReport(SPLIT, AFTER, ORDER),
    "reads a snapshot": decideReport(undefined, SPLIT, ORDER),
    "reads a snapshot with shapes": reportWithShapes(SPLIT, ORDER, [...SPLIT.shapes.keys()]),
  };
  for (const [name, report] of Object.entries(REPORTS)) {
    it(name, () => {
      const sent: unknown = JSON.parse(JSON.stringify({ ...report, later: { x: 1 } }));
      assert.deepEqual(parseReport(sent, "r"), sent);
    });
  }

  const snapshot = REPORTS["reads a snapshot"];
  const REFUSED: Readonly<Record<string, readonly [unknown, string, RegExp]>> = {
    "refuses another version": [{ ...snapshot, report: "berth.report/v2" }, "report_unsupported_version", /^$/],
    "refuses an unknown kind": [
      { ...snapshot, kind: "rumour" },
      "report_malformed",
      /\/kind: expected one of "unchanged", "delta", "snapshot"/,
    ],
    "refuses a missing sequence": [{ ...snapshot, sequence: undefined }, "report_malformed", /\/sequence: expected/],
    "refuses a digest that is none": [
      { ...snapshot, digest: "../x" },
      "report_malformed",
      /\/digest: expected a digest/,
    ],
    "refuses a name of a shape that is no digest": [
      { ...snapshot, shapes: { constructor: "{}" } },
      "report_malformed",
      /as a key a digest/,
    ],
    "refuses a list of nothing": [
      { ...snapshot, inventory: { ...SPLIT.inventory } },
      "report_malformed",
      /\/inventory/,
    ],
    "refuses an array": [[], "report_malformed", /expected/],
  };
  for (const [name, [value, code, line]] of Object.entries(REFUSED)) {
    it(name, () => {
      const [found, details] = refusal(() => parseReport(value, "r"));
      assert.equal(found, code);
      assert.match(details.join("\n"), line);
    });
  }
});

describe("parseHello()", () => {
  it("reads a hello, whatever else it says", () => {
    const hello = { ...HELLO, later: true };
    assert.deepEqual(parseHello(hello, "h"), hello);
  });

  it("refuses versions in the wrong order, and another format", () => {
    const [code, details] = refusal(() => parseHello({ ...HELLO, protocol: { min: 2, max: 1 } }, "h"));
    assert.deepEqual([code, details], ["hello_malformed", ["/protocol: expected min at most max, got 2 to 1"]]);
    assert.equal(refusal(() => parseHello({ ...HELLO, hello: "berth.hello/v2" }, "h"))[0], "protocol_unsupported");
    assert.equal(refusal(() => parseHello({ ...HELLO, host: "" }, "h"))[0], "hello_malformed");
  });
});

describe("parseInventory()", () => {
  const document = packInventory(SPLIT.inventory);

  it("reads what is stored, and keeps what it does not know", () => {
    assert.deepEqual(parseInventory(JSON.parse(SPLIT.text), "i"), SPLIT.inventory);
    assert.deepEqual(parseInventory({ ...document, later: [1] }, "i").more, { later: [1] });
  });

  it("refuses a newer format, a record without a shape, and a text that is not in the table", () => {
    assert.equal(
      refusal(() => parseInventory({ ...document, inventory: "berth.inventory/v2" }, "i"))[0],
      "inventory_unsupported_version",
    );
    assert.deepEqual(
      refusal(() => parseInventory({ ...document, parents: [[99]] }, "i")),
      ["inventory_malformed", ["Cannot read a record of an inventory: no shape 99"]],
    );
    assert.equal(refusal(() => parseInventory({ ...document, parents: [[0, [99]]] }, "i"))[0], "inventory_malformed");
  });
});

describe("errorOfRefusal()", () => {
  it("has the code of the refusal, and says what is wrong", () => {
    const refused = {
      kind: "refused",
      code: "report_malformed",
      message: "It makes no sense",
      lines: ["/os: expected"],
    } as const;
    const error = errorOfRefusal(refused, "host a");
    assert.deepEqual(
      [error.code, error.httpStatus, error.place, error.details],
      ["report_malformed", 422, "host a", ["/os: expected"]],
    );
    const hello = { kind: "refused", code: "hello_wrong_host", message: "Another host" } as const;
    assert.deepEqual([errorOfRefusal(hello, "host a").httpStatus, errorOfRefusal(hello, "x").details], [403, []]);
  });
});

describe("REPORT_ANSWER_SCHEMA", () => {
  it("holds every answer of a server", () => {
    const order = { digest: SPLIT.digest, ...ORDER };
    for (const answer of [
      { kind: "welcome", protocol: 1, features: [], known: order },
      { kind: "applied", ...order },
      { kind: "need-snapshot", why: "nothing is known of the host" },
      { kind: "need-shapes", shapes: [SPLIT.digest] },
      { kind: "refused", code: "report_wrong_host", message: "no" },
    ]) {
      assert.deepEqual(findProblems(REPORT_ANSWER_SCHEMA, answer), []);
    }
    assert.notDeepEqual(findProblems(REPORT_ANSWER_SCHEMA, { kind: "need-shapes", shapes: [] }), []);
  });
});

describe("reports and inventories of anybody's making", () => {
  const report = JSON.parse(JSON.stringify(decideReport(SPLIT, AFTER, ORDER))) as object;
  const part = fc.jsonValue({ maxDepth: 3 });
  const keys = fc.constantFrom(
    "kind",
    "delta",
    "shapes",
    "host",
    "digest",
    "inventory",
    "parents",
    "texts",
    "self",
    "cut",
    "hello",
  );

  it("W1: are read, or refused with a coded error, and nothing else", () => {
    fc.assert(
      fc.property(
        keys,
        part,
        fc.constantFrom(report, packInventory(SPLIT.inventory), HELLO, {}),
        (key, value, base) => {
          const document = { ...base, [key]: value };
          for (const parse of [parseReport, parseInventory, parseHello]) {
            for (const given of [document, value]) {
              try {
                parse(given, "x");
              } catch (error) {
                assert.ok(error instanceof BerthError, String(error));
              }
            }
          }
        },
      ),
      { numRuns: 120 },
    );
  });
});
