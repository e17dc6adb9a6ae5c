// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { CLAIM_REQUEST } from "./api/control-request-schemas.ts";
import { HELLO_SCHEMA, REPORT_SCHEMA } from "./report-json-schema.ts";
import { fitsSchema, findProblems } from "./validate-document.ts";

const SCHEMAS = { REPORT_SCHEMA, HELLO_SCHEMA, CLAIM_REQUEST } as const;

const HELLO = {
  hello: "berth.hello/v1",
  host: "a",
  version: "1.0.0",
  protocol: { min: 1, max: 1 },
  features: [],
  generation: 1,
};
const REPORT = {
  report: "berth.report/v1",
  kind: "unchanged",
  host: "a",
  generation: 1,
  sequence: 2,
  digest: "0".repeat(64),
};
/** One document that fits each schema. */
const FITTING: Readonly<Record<keyof typeof SCHEMAS, object>> = {
  REPORT_SCHEMA: REPORT,
  HELLO_SCHEMA: HELLO,
  CLAIM_REQUEST: { for: { host: "a", device: "b" }, to: "c", ttlSeconds: 60, make: true, strategy: "spread" },
};

const KEYS = [
  "session",
  "report",
  "kind",
  "host",
  "for",
  "device",
  "vm",
  "hello",
  "__proto__",
  "constructor",
  "toString",
];

/** A document with one of its values replaced, left out, or one of any name added. */
function mutate(
  document: unknown,
  { path, key, value }: { path: readonly number[]; key: string; value: unknown },
): unknown {
  const [step, ...rest] = path;
  if (typeof document !== "object" || document === null || step === undefined) return value;
  const entries = Object.entries(document);
  const at = step % (entries.length + 2);
  const [name, child] = entries[at] ?? [key, value];
  const others = entries.filter(([other]) => other !== name);
  if (at === entries.length + 1) return Object.fromEntries(entries.slice(1));
  const changed = at === entries.length ? value : mutate(child, { path: rest, key, value });
  return Array.isArray(document) ? [...document, changed] : fromEntries([...others, [name, changed]]);
}

/** Own properties, whatever their names. */
function fromEntries(entries: readonly (readonly [string, unknown])[]): object {
  const made = {};
  for (const [name, value] of entries) {
    Object.defineProperty(made, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return made;
}

describe("fitsSchema()", () => {
  it("P1 says of every value whether findProblems has nothing against it", () => {
    const change = fc.record({
      path: fc.array(fc.nat(12), { maxLength: 4 }),
      key: fc.constantFrom(...KEYS),
      value: fc.jsonValue({ maxDepth: 2 }),
    });
    let fitting = 0;
    for (const name of Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[]) {
      assert.equal(fitsSchema(SCHEMAS[name], FITTING[name]), true, name);
      fc.assert(
        fc.property(fc.array(change, { maxLength: 2 }), (changes) => {
          const document = changes.reduce<unknown>(mutate, FITTING[name]);
          const fits = fitsSchema(SCHEMAS[name], document);
          if (fits) fitting += 1;
          assert.equal(fits, findProblems(SCHEMAS[name], document).length === 0);
        }),
        { numRuns: 1500 },
      );
    }
    assert.ok(fitting > 100, `${fitting} documents fitted`);
  });
});
