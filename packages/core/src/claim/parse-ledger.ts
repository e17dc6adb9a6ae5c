// SPDX-License-Identifier: Apache-2.0

import type { Occupant } from "../capacity/pool.ts";
import { quoteText } from "../device/quoted-text.ts";
import type { LedgerDocument, LedgerEntry } from "./ledger-document.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Reads the JSON of a ledger; members that this version does not know are left out. Throws SyntaxError. */
export function parseLedgerEntries(text: string): LedgerDocument {
  const ledger = fieldsOf(parseJson(text), "an object");
  return {
    host: textOf(ledger, "host"),
    fence: numberOf(ledger, "fence"),
    entries: listOf(ledger, "entries").map(parseEntry),
  };
}

function parseEntry(value: unknown): LedgerEntry {
  const entry = fieldsOf(value, "an entry");
  return {
    claim: textOf(entry, "claim"),
    fence: numberOf(entry, "fence"),
    devices: listOf(entry, "devices").map(parseOccupant),
  };
}

function parseOccupant(value: unknown): Occupant {
  const device = fieldsOf(value, "a device");
  const has = (name: string): boolean => Object.hasOwn(device, name);
  const count = numberOf(device, "count");
  if (count < 1) throw refuse("a count of at least 1", device["count"]);
  return {
    id: textOf(device, "id"),
    type: textOf(device, "type"),
    count,
    parent: textOf(device, "parent"),
    ...(has("slot") ? { slot: numberOf(device, "slot") } : {}),
    ...(has("units") ? { units: listOf(device, "units").map(parseUnit) } : {}),
  };
}

function parseUnit(value: unknown): string {
  if (typeof value === "string") return value;
  throw refuse("the name of a unit", value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`Cannot parse ledger: expected JSON, got ${quoteText(text)}`, { cause: error });
  }
}

function fieldsOf(value: unknown, expected: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw refuse(expected, value);
}

function textOf(fields: Fields, name: string): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (typeof value === "string") return value;
  throw refuse(`a text as ${name}`, value);
}

function numberOf(fields: Fields, name: string): number {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw refuse(`a whole number as ${name}`, value);
}

function listOf(fields: Fields, name: string): readonly unknown[] {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (Array.isArray(value)) return value as readonly unknown[];
  throw refuse(`a list as ${name}`, value);
}

function refuse(expected: string, got: unknown): SyntaxError {
  return new SyntaxError(
    `Cannot parse ledger: expected ${expected}, got ${quoteText(JSON.stringify(got) ?? "nothing")}`,
  );
}
