// SPDX-License-Identifier: Apache-2.0

import type { Claim } from "@berth/core/claim/claim";
import { parseLedger, type LedgerDocument } from "@berth/core/claim/ledger-document";
import { quoteText } from "@berth/core/device/quoted-text";
import { parseShape, type Shape } from "@berth/core/report/fill-shape";
import type { Digest, Inventory } from "@berth/core/report/inventory";
import { unpackInventory } from "@berth/core/report/inventory-document";
import type { ValueCheck } from "@berth/core/report/value-check";
import type {
  AdoptionDocument,
  AgentDocument,
  CordonDocument,
  PresenceDocument,
  ProbeDocument,
  ReportedDocument,
} from "../documents/documents.ts";
import { sha256 } from "../documents/keys.ts";
import { ADOPTION, AGENT, CLAIM, CORDON, PRESENCE, PROBE, REPORTED } from "./document-checks.ts";

/** An inventory and the digest of its text. */
export interface StoredInventory {
  readonly digest: Digest;
  readonly inventory: Inventory;
}

/** What each kind of document is read as. */
export interface DocumentTypes {
  readonly adoption: AdoptionDocument;
  readonly agent: AgentDocument;
  readonly catalogue: Shape;
  readonly claim: Claim;
  readonly cordon: CordonDocument;
  readonly inventory: StoredInventory;
  readonly ledger: LedgerDocument;
  readonly presence: PresenceDocument;
  readonly probe: ProbeDocument;
  readonly reported: ReportedDocument;
}

/**
 * Readers of stored documents, by kind. The name is that of the key: a document that names another host or id is not
 * taken. They throw SyntaxError or RangeError for what is none.
 */
export const PARSERS: { readonly [Kind in keyof DocumentTypes]: (name: string, text: string) => DocumentTypes[Kind] } =
  {
    adoption: (name, text) => parseNamed(ADOPTION, text, { host: name }),
    agent: (name, text) => parseNamed(AGENT, text, { host: name }),
    catalogue: parseStoredShape,
    claim: parseStoredClaim,
    cordon: (name, text) => parseNamed(CORDON, text, { host: name }),
    inventory: parseStoredInventory,
    ledger: parseStoredLedger,
    presence: (_name, text) => parseNamed(PRESENCE, text, {}),
    probe: (name, text) => parseNamed(PROBE, text, { id: name }),
    reported: (_name, text) => parseNamed(REPORTED, text, {}),
  };

function parseNamed<T>(check: ValueCheck, text: string, names: Readonly<Record<string, string>>): T {
  const value: unknown = JSON.parse(text);
  const lines: string[] = [];
  check(value, "", lines);
  if (lines.length > 0) throw new SyntaxError(lines.join("; "));
  for (const [key, name] of Object.entries(names)) {
    requireName(key, (value as Readonly<Record<string, string>>)[key] ?? "", name);
  }
  return value as T;
}

function requireName(key: string, found: string, expected: string): void {
  if (found !== expected) throw new SyntaxError(`/${key}: expected ${quoteText(expected)}, got ${quoteText(found)}`);
}

function parseStoredClaim(name: string, text: string): Claim {
  const claim = parseNamed<Claim>(CLAIM, text, { id: name });
  if (claim.devices.length === 0) throw new SyntaxError("/devices: expected at least one device");
  return claim;
}

/** The name of a shape is the digest of its text. */
function parseStoredShape(name: string, text: string): Shape {
  if (sha256(text) !== name) throw new SyntaxError("The shape is not the one that its digest names");
  return parseShape(text);
}

function parseStoredInventory(name: string, text: string): StoredInventory {
  const inventory = unpackInventory(JSON.parse(text));
  requireName("host", inventory.host, name);
  return { digest: sha256(text), inventory };
}

function parseStoredLedger(name: string, text: string): LedgerDocument {
  const ledger = parseLedger(text);
  requireName("host", ledger.host, name);
  return ledger;
}
