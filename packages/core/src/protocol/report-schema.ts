// SPDX-License-Identifier: Apache-2.0

import type { Hello, HelloAnswer } from "../report/hello.ts";
import { unpackInventory } from "../report/inventory-document.ts";
import type { Inventory } from "../report/inventory.ts";
import type { Applied, Report } from "../report/report.ts";
import { BerthError } from "./berth-error.ts";
import { HELLO_SCHEMA, INVENTORY_SCHEMA, REPORT_SCHEMA } from "./report-json-schema.ts";
import type { DocumentKind } from "./parse-document.ts";
import { requireDocument } from "./parse-document.ts";

const HELLO: DocumentKind = {
  noun: "hello",
  schema: HELLO_SCHEMA,
  formatKey: "hello",
  format: "berth.hello/v1",
  malformed: "hello_malformed",
  unsupportedVersion: "protocol_unsupported",
  check: (document) => {
    const { protocol } = document as Hello;
    if (protocol.min <= protocol.max) return [];
    const found = `${protocol.min} to ${protocol.max}`;
    return [{ pointer: "/protocol", kind: "other", expected: "min at most max", found }];
  },
};

const REPORT: DocumentKind = {
  noun: "report",
  schema: REPORT_SCHEMA,
  formatKey: "report",
  format: "berth.report/v1",
  malformed: "report_malformed",
  unsupportedVersion: "report_unsupported_version",
};

const INVENTORY: DocumentKind = {
  noun: "inventory",
  schema: INVENTORY_SCHEMA,
  formatKey: "inventory",
  format: "berth.inventory/v1",
  malformed: "inventory_malformed",
  unsupportedVersion: "inventory_unsupported_version",
};

/** Reads an agent's hello. Unknown keys pass. Throws BerthError `hello_malformed` or `protocol_unsupported`. */
export function parseHello(value: unknown, place: string): Hello {
  requireDocument(HELLO, value, place);
  return value as Hello;
}

/**
 * Reads an agent's report as far as its outside goes: applyReport looks at what is in it. Unknown keys pass. Throws
 * BerthError `report_malformed` or `report_unsupported_version`.
 */
export function parseReport(value: unknown, place: string): Report {
  requireDocument(REPORT, value, place);
  return value as Report;
}

/**
 * Reads a stored `inventory/<host>`; keys that it does not know are kept. Throws BerthError `inventory_malformed` or
 * `inventory_unsupported_version`: a document of a newer format is never taken for one of this.
 */
export function parseInventory(value: unknown, place: string): Inventory {
  requireDocument(INVENTORY, value, place);
  try {
    return unpackInventory(value);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new BerthError("inventory_malformed", `${place} is not an inventory`, {
      place,
      details: [cause.message],
      cause,
    });
  }
}

type Refused = Extract<Applied | HelloAnswer, { readonly kind: "refused" }>;

/** The coded error of a report or hello that was refused. `place` names its sender. */
export function errorOfRefusal(refused: Refused, place: string): BerthError {
  return new BerthError(refused.code, refused.message, { place, details: "lines" in refused ? refused.lines : [] });
}
