// SPDX-License-Identifier: Apache-2.0

import { hash } from "node:crypto";

/** Beginnings of the keys of the store, one for each kind of document (docs/store.md). */
export const PREFIXES = {
  adoption: "adoption/",
  agent: "agent/",
  audit: "audit/",
  catalogue: "catalogue/",
  claim: "claim/",
  cordon: "cordon/",
  enrolment: "enrolment/",
  idem: "idem/",
  inventory: "inventory/",
  ledger: "ledger/",
  presence: "presence/",
  probe: "probe/",
  reported: "reported/",
  singleton: "singleton/",
} as const;
export type DocumentKind = keyof typeof PREFIXES;

/** The key of a document. The name is a host, a digest, an id: printable ASCII without spaces. */
export function keyOf(kind: DocumentKind, name: string): string {
  return `${PREFIXES[kind]}${name}`;
}

/** Whether a text that somebody said may stand in a key. What does not names nothing that is there. */
export function isKeyText(text: string): boolean {
  return /^[!-~]{1,255}$/.test(text);
}

/** The name in a key of a kind; undefined where the key is of another kind. */
export function nameIn(kind: DocumentKind, key: string): string | undefined {
  return key.startsWith(PREFIXES[kind]) ? key.slice(PREFIXES[kind].length) : undefined;
}

/** SHA-256 in lower-case hexadecimal: the name of a content, and how secrets are kept. */
export function sha256(text: string): string {
  return hash("sha256", text);
}
